# SPDX-License-Identifier: MIT OR Apache-2.0
"""Builds mutants: the base once, then only what a change reaches."""

import functools
import glob
import hashlib
import os
import re
import shutil
import subprocess
import threading

from mutants import ROOT

WARNINGS = ["-w"]
COMMON = ["-std=c11", "-O1", "-pthread", "-DDISRUPTOR_DEBUG=1", "-DDISRUPTOR_HOOKS=1",
          "-DWATCHDOG_MS=5000"]  # many mutants hang
CONFIGS = {
    "linux": [],
    "posix": ["-DDISRUPTOR_PLATFORM_POSIX=1"],
    "tsan": ["-g", "-fsanitize=thread"],
}
# The explorer of tests/model, as its Makefile builds it.
MODEL = ["-std=c11", "-O1", "-pthread", "-DDISRUPTOR_MODEL=1", "-DDISRUPTOR_VIRTUAL=1"]
MODEL_PARTS = ["tests/model", "tests/model/explore", "tests/virtual"]

# Orders that the library has no use for, and its mutants have.
WEAKER = """
#define disruptor_fetch_or_relaxed(p, v)                                                           \\
	DISRUPTOR_ATOMICALLY(fetch_or_explicit)((p), (v), DISRUPTOR_ORDER(relaxed))
#define disruptor_fetch_and_relaxed(p, v)                                                          \\
	DISRUPTOR_ATOMICALLY(fetch_and_explicit)((p), (v), DISRUPTOR_ORDER(relaxed))
"""


class BuildError(Exception):
    """A compiler or a linker failed."""


def run_tool(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"{' '.join(command)}\n{done.stderr}")


def fingerprint(folders):
    """Of all that a result depends on."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(glob.glob(os.path.join(ROOT, folder, "**"), recursive=True)):
            if os.path.isfile(path) and "__pycache__" not in path:
                digest.update(os.path.relpath(path, ROOT).encode())
                with open(path, "rb") as file:
                    digest.update(file.read())
    return digest.hexdigest()


def wraps():
    """Test program: the functions that it replaces, as tests/CMakeLists.txt says."""
    with open(os.path.join(ROOT, "tests/CMakeLists.txt"), encoding="utf-8") as file:
        text = re.sub(r"#.*", "", file.read())
    lists = dict(re.findall(r"set\((\w+)_wrap\s+([^)]*)\)", text))
    for name, words in lists.items():
        lists[name] = re.sub(r"\$\{(\w+)_wrap\}", lambda m: " ".join(lists[m[1]]), words).split()
    return lists


class Tree:
    """A copy of src and include, in which one file at a time is changed, and its objects."""

    def __init__(self, folder):
        self.folder = folder
        self.changed = None
        for top in ("src", "include"):
            shutil.rmtree(os.path.join(folder, top), ignore_errors=True)
            shutil.copytree(os.path.join(ROOT, top), os.path.join(folder, top))
        base = os.path.join(folder, "include/disruptor/base.h")
        with open(base, encoding="utf-8") as file:
            text = file.read()
        at = text.index("/** The store-load fence.")
        times = os.stat(base)
        with open(base, "w", encoding="utf-8") as file:
            file.write(text[:at] + WEAKER + text[at:])
        os.utime(base, ns=(times.st_atime_ns, times.st_mtime_ns))

    def sources(self, config):
        other = "linux" if config == "posix" else "posix"
        found = glob.glob(os.path.join(self.folder, "src/**/*.c"), recursive=True)
        if config == "model":
            return sorted(p for p in found if "/src/os/" not in p and "/src/segment/" not in p)
        return sorted(p for p in found
                      if not re.fullmatch(other + r"(_\w+)?\.c", os.path.basename(p)))

    def flags(self, config):
        if config == "model":
            parts = [os.path.join(ROOT, part) for part in MODEL_PARTS]
            return MODEL + WARNINGS + [
                f"-I{folder}" for folder in [os.path.join(self.folder, "include"),
                                             os.path.join(self.folder, "src"), *parts]]
        return COMMON + WARNINGS + CONFIGS[config] + [
            "-I", os.path.join(self.folder, "include"), "-I", os.path.join(self.folder, "src"),
            "-I", os.path.join(ROOT, "tests/support")]

    def compile(self, config, source, target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        # the library's plain accesses are told to the explorer (explore/plain.c), its own are not
        told = ["-fsanitize=thread"] if config == "model" and \
            os.path.dirname(source).startswith(self.folder) else []
        run_tool(["cc", *self.flags(config), *told, "-MMD", "-MF", target + ".d",
                  "-c", source, "-o", target])


def is_current(target):
    """Whether an object is newer than all that it was made of."""
    try:
        made = os.stat(target).st_mtime_ns
        with open(target + ".d", encoding="utf-8") as file:
            words = file.read().replace("\\\n", " ").split()[1:]
        return all(os.stat(word).st_mtime_ns < made for word in words)
    except OSError:
        return False


@functools.lru_cache(maxsize=None)
def made_of(target):
    """What an object of the base was made of."""
    with open(target + ".d", encoding="utf-8") as file:
        return frozenset(file.read().split())


def depends(target, path):
    """Whether an object was made of a file, by its path in the tree."""
    return any(word.endswith("/" + path) for word in made_of(target))


class Base:
    """The library and the tests as they are: objects of which mutants use what they leave alone."""

    def __init__(self, folder):
        self.folder = folder
        self.tree = Tree(os.path.join(folder, "tree"))
        self.wraps = wraps()
        self.ready, self.lock = {}, threading.Lock()
        self.support = sorted(glob.glob(os.path.join(ROOT, "tests/support/*.c")))
        self.explorer = sorted(p for part in MODEL_PARTS
                               for p in glob.glob(os.path.join(ROOT, part, "*.c"))
                               if not p.endswith("_test.c"))

    def objects(self, config):
        """Of the library: its path in the tree, and the object."""
        if config not in self.ready:
            made = {}
            for source in self.tree.sources(config):
                path = os.path.relpath(source, self.tree.folder)
                made[path] = self.place(config, path)
                self.make(config, source, made[path])
            for source in self.explorer if config == "model" else self.support:
                self.make(config, source, self.place(config, source))
            self.ready[config] = made
        return self.ready[config]

    def make(self, config, source, target):
        if not is_current(target):
            self.tree.compile(config, source, target)

    def place(self, config, source):
        name = os.path.relpath(source, ROOT) if os.path.isabs(source) else source
        flags = hashlib.sha256(" ".join(["1"] + self.tree.flags(config)).encode()).hexdigest()[:8]
        return os.path.join(self.folder, "objects", f"{config}-{flags}", name + ".o")

    def test_object(self, config, source):
        target = self.place(config, source)
        with self.lock:
            if target not in self.ready:
                self.make(config, source, target)
                self.ready[target] = True
        return target


class Build:
    """One mutant's programs, made when they are asked for."""

    def __init__(self, base, tree, mutant):
        self.base, self.tree, self.mutant = base, tree, mutant
        self.folder = os.path.join(tree.folder, "out")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.fresh = {}
        self.explored = set()  # clients of the explorer that have nothing left to try
        if mutant:
            self.write(mutant.path, mutant.text)

    def write(self, path, text):
        with open(os.path.join(self.tree.folder, path), "w", encoding="utf-8") as file:
            file.write(text)

    def close(self):
        if self.mutant:
            original = os.path.join(ROOT, self.mutant.path)
            shutil.copyfile(original, os.path.join(self.tree.folder, self.mutant.path))
        shutil.rmtree(self.folder, ignore_errors=True)

    def is_touched(self, target):
        return self.mutant is not None and depends(target, self.mutant.path)

    def anew(self, config, source, old):
        """The object of a source: the base's, or one of this mutant's where it is in it."""
        if not self.is_touched(old):
            return old
        target = os.path.join(self.folder, config, os.path.relpath(old, self.base.folder))
        if target not in self.fresh:
            self.tree.compile(config, source, target)
            self.fresh[target] = True
        return target

    def program(self, config, source):
        """A test program, linked."""
        target = os.path.join(self.folder, config, os.path.basename(source)[:-2])
        if target in self.fresh:
            return target
        objects = [self.anew(config, os.path.join(self.tree.folder, path), old)
                   for path, old in self.base.objects(config).items()]
        if config == "model":
            objects += [self.anew(config, s, self.base.place(config, s))
                        for s in self.base.explorer]
            return self.link(target, ["cc", "-pthread", "-o", target, *objects])
        objects += [self.anew(config, s, self.base.place(config, s)) for s in self.base.support]
        objects.append(self.anew(config, source, self.base.test_object(config, source)))
        name = os.path.basename(target)
        wrap = [f"-Wl,--wrap={w}" for w in self.base.wraps.get(name, [])]
        return self.link(target, ["cc", "-pthread", *CONFIGS[config], "-o", target, *objects,
                                  *wrap, "-lcmocka"])

    def link(self, target, command):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        run_tool(command)
        self.fresh[target] = True
        return target
