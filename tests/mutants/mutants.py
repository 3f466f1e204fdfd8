# SPDX-License-Identifier: MIT OR Apache-2.0
"""The mutants: those made of the ledger's sites, and those listed in *.mutants."""

import configparser
import glob
import importlib.machinery
import importlib.util
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

# One step weaker: what an access becomes. "" removes it.
WEAKER = {
    "disruptor_load_acquire": ["disruptor_load_relaxed"],
    "disruptor_store_release": ["disruptor_store_relaxed"],
    "disruptor_exchange_acq_rel": ["disruptor_exchange_acquire", "disruptor_exchange_release"],
    "disruptor_cas_acq_rel": ["disruptor_cas_acquire", "disruptor_cas_release"],
    "disruptor_exchange_acquire": ["disruptor_exchange_relaxed"],
    "disruptor_exchange_release": ["disruptor_exchange_relaxed"],
    "disruptor_fetch_or_release": ["disruptor_fetch_or_relaxed"],
    "disruptor_fetch_and_release": ["disruptor_fetch_and_relaxed"],
    "disruptor_fetch_add_release": ["disruptor_fetch_add_relaxed"],
    "disruptor_cas_acquire": ["disruptor_cas_relaxed"],
    "disruptor_cas_release": ["disruptor_cas_relaxed"],
    "disruptor_fence_seq_cst": [""],
    "disruptor_fence_compiler": [""],
    "disruptor_fence_acquire": [""],
    "disruptor_fence_release": [""],
    "wait_heavy_barrier": [""],
    "os_membarrier": [""],
}


def load_ledger():
    loader = importlib.machinery.SourceFileLoader(
        "ledger", os.path.join(ROOT, "scripts/ledger"))
    spec = importlib.util.spec_from_loader("ledger", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


# What the reason begins with of one that would be seen by what no test here shows.
UNSEEN = "only-load-buffering"


class Mutant:
    """One change of one file."""

    def __init__(self, name, path, function, about):
        self.name, self.path, self.function, self.about = name, path, function, about
        self.edges = []       # whose model tests watch it
        self.tests = []       # that are tried first
        self.models = []      # clients of the explorer that watch it
        self.named = []       # those among them that it names itself
        self.is_made = False  # of a site
        self.is_order = False  # only an order is weaker: unit tests cannot see it
        self.weaken = None    # what the explorer calls it: FILE:LINE:KIND
        self.equivalent = None  # the reason, if it changes nothing that the library promises
        self.unseen = None    # the reason, if only load buffering would show it
        self.line = 0
        self.text = None      # of the whole file, changed


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


# ---- made of the sites ----

def weaken(text, site, weaker):
    """The file's text, with the access at a site replaced."""
    lines = text.splitlines(keepends=True)
    at = sum(len(line) for line in lines[:site.line - 1]) + site.column - 1
    end = at + len(site.access)
    assert text[at:end] == site.access
    if weaker:
        return text[:at] + weaker + text[end:]
    close = text.index(")", end)
    return text[:at] + "((void)0)" + text[close + 1:]


def made(ledger):
    rows = ledger.Ledger(ROOT).rows
    found = []
    for source in ledger.read_sources(ROOT):
        text = read(source.path)
        for site in source.sites:
            for weaker in WEAKER.get(site.access, []):
                short = weaker.rsplit("_", 1)[1] if weaker else "none"
                if weaker.endswith("_rel"):
                    short = "acq_rel"
                mutant = Mutant(f"{site.id}:{short}", site.path, site.function,
                                f"{', '.join(site.sides)}: {site.access} becomes "
                                f"{weaker or 'nothing'}")
                mutant.edges = [s.rsplit(".", 1)[0] for s in site.sides]
                mutant.is_made = mutant.is_order = True
                mutant.line = site.line
                mutant.text = weaken(text, site, weaker)
                if site.access.startswith("disruptor_"):
                    mutant.weaken = f"{site.path}:{site.line}:{lost(site, weaker)}"
                found.append(mutant)
    for mutant in found:
        mutant.models = models_of(rows, mutant.edges)
    return found


def lost(site, weaker):
    """Which half of its order an access loses."""
    if not weaker:
        return "gone"
    kept = weaker.rsplit("_", 1)[1]
    both = "acq_rel" in site.access
    return {"acquire": "release", "release": "acquire"}[kept] if both else site.order


def models_of(rows, edges):
    names = []
    for edge in edges:
        row = rows.get(edge)
        names += re.findall(r"`(\w+)`", row.cells[5]) if row else []
    return list(dict.fromkeys(names))


# ---- listed ----

def spaced(text):
    """A pattern for C text: white space, comments and hooks may stand between any two words."""
    gap = r"(?:\s|/\*.*?\*/|\b(?:DISRUPTOR_)?HOOK\(\w+\);)*"
    pieces = re.findall(r"\w+|[^\w\s]", text)
    pattern = ""
    for before, piece in zip([""] + pieces, pieces):
        if before:
            pattern += r"\s" + gap if re.match(r"\w", before) and re.match(r"\w", piece) else gap
        pattern += re.escape(piece)
    return re.compile(pattern, re.S)


def replaced(name, text, span, section, number):
    """The text with one old text of a section replaced, and where that was."""
    matches = list(spaced(section["old" + number]).finditer(text, *span))
    if len(matches) != 1:
        raise ValueError(f"{name}: the old text is {len(matches)} times in {section['in']}")
    match = matches[0]
    return text[:match.start()] + section["new" + number] + text[match.end():], match.start()


def change(ledger, name, section):
    path, function = re.fullmatch(r"(\S+): (\w+)", section["in"]).groups()
    mutant = Mutant(name, path, function, section["about"])
    text = read(path)
    functions = ledger.Source(ROOT, path).functions
    if function not in functions:
        raise ValueError(f"{name}: no function {function} in {path}")
    first, last = functions[function]
    lines = text.splitlines(keepends=True)
    start, end = sum(map(len, lines[:first - 1])), sum(map(len, lines[:last]))
    mutant.text, at = replaced(name, text, (start, end), section, "")
    mutant.line = text[:at].count("\n") + 1
    if "old2" in section:
        end += len(mutant.text) - len(text)
        mutant.text, _ = replaced(name, mutant.text, (start, end), section, "2")
    mutant.edges = section.get("edges", "").split()
    mutant.tests = section.get("tests", "").split()
    mutant.equivalent = section.get("equivalent")
    return mutant


def listed(ledger):
    rows = ledger.Ledger(ROOT).rows
    found, names = [], set()
    for path in sorted(glob.glob(os.path.join(HERE, "*.mutants"))):
        parser = configparser.RawConfigParser(comment_prefixes=("#",), delimiters=("=",))
        with open(path, encoding="utf-8") as file:
            parser.read_file(file)
        for name in parser.sections():
            if name in names:
                raise ValueError(f"{name}: two mutants have this name")
            names.add(name)
            mutant = change(ledger, name, parser[name])
            for edge in mutant.edges:
                if edge not in rows:
                    raise ValueError(f"{name}: the ledger has no edge {edge}")
            mutant.named = parser[name].get("models", "").split()
            mutant.models = mutant.named + models_of(rows, mutant.edges)
            found.append(mutant)
    return found


def reasons():
    """Of the file of those that are equivalent: name, and why."""
    found = {}
    path = os.path.join(HERE, "equivalent")
    if not os.path.exists(path):
        return found
    name = None
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("#") or not line.strip():
                continue
            if not line[0].isspace():
                name = line.strip()
                found[name] = ""
            else:
                found[name] = f"{found[name]} {line.strip()}".strip()
    return found


def collect():
    ledger = load_ledger()
    mutants = made(ledger) + listed(ledger)
    known = {m.name: m for m in mutants}
    for name, why in reasons().items():
        if name not in known:
            raise ValueError(f"equivalent: there is no mutant {name}")
        if why.startswith(UNSEEN):
            known[name].unseen = why[len(UNSEEN):].strip()
        else:
            known[name].equivalent = why
    return mutants
