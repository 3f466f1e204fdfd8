# SPDX-License-Identifier: MIT OR Apache-2.0
"""A program that begins where a client's setup ends.

A model checker runs a program again and again, and keeps each of its accesses. A ring's creation
is some thousands of them, by one thread. So it is run once, natively (native.c), and what it has
left in the program's variables becomes what they are initialised with.
"""

import bisect
import re
import struct
import subprocess

DEFINED = re.compile(r"^(@[\w.$]+) = (?:internal |dso_local |local_unnamed_addr |unnamed_addr )*"
                     r"(global|constant|thread_local) (.*)$")
FUNCTION = re.compile(r"^define (?:internal |dso_local |hidden )*(.*?)(@[\w.$]+)\((.*)\)[^)]*\{$")
ATTRIBUTE = re.compile(r"\b(?:noundef|nonnull|nocapture|readonly|writeonly|readnone|returned|"
                       r"signext|zeroext|noalias|nofree|immarg|inreg|align \d+|"
                       r"dereferenceable(?:_or_null)?\(\d+\)|(?:sret|byval)\([^)]*\)) ?")


def outside_brackets(text, wanted):
    """Where a character stands outside of all brackets."""
    depth = 0
    for at, c in enumerate(text):
        if c in "<{[(":
            depth += 1
        elif c in ">}])":
            depth -= 1
        elif c == wanted and depth == 0:
            yield at


def split_type(text):
    """The type that an initialiser's text begins with, and the rest."""
    for at in outside_brackets(text, " "):
        if not text[at + 1:].startswith(("(", "*")):  # of a function, or a pointer
            return text[:at], text[at + 1:]
    raise ValueError(f"no type: {text}")


def arguments(text):
    ends = [*outside_brackets(text, ","), len(text)]
    parts = [text[begin:end] for begin, end in zip([0] + [end + 1 for end in ends], ends)]
    return [p for p in parts if p.strip()]


class Program:
    """A linked module's text, and the types of what it defines."""

    def __init__(self, text):
        # private symbols have no name in what is linked
        self.lines = re.sub(r" = private ", " = internal ", text).splitlines()
        self.types, self.variables = {}, {}
        for line in self.lines:
            if match := DEFINED.match(line):
                kind, rest = match.group(2, 3)
                self.types[match[1]], value = split_type(rest)
                if kind == "global":
                    self.variables[match[1]] = value
            elif match := FUNCTION.match(line):
                takes = [ATTRIBUTE.sub("", p).strip().rsplit(" ", 1)[0].strip()
                         for p in arguments(match[3])]
                gives = ATTRIBUTE.sub("", match[1]).strip()
                self.types[match[2]] = f"{gives} ({', '.join(takes)})"

    def text(self):
        return "\n".join(self.lines) + "\n"

    def address(self, symbol, offset):
        """A constant: some bytes behind a symbol."""
        of = self.types[symbol]
        return (f"i8* getelementptr (i8, i8* bitcast ({of}* {symbol} to i8*), i64 {offset})")


class Memory:
    """What the setup has left, and where symbols are."""

    def __init__(self, executable, dump):
        known, self.begin, size = struct.unpack_from("<3Q", dump)
        self.bytes = dump[24:]
        assert len(self.bytes) == size
        table = {}
        for line in subprocess.run(["nm", "-S", executable], check=True, capture_output=True,
                                   text=True).stdout.splitlines():
            fields = line.split()
            if len(fields) == 4:
                table["@" + fields[3]] = int(fields[0], 16), int(fields[1], 16)
        base = known - table["@prepare"][0]
        self.symbols = {name: (at + base, size) for name, (at, size) in table.items()}
        self.places = sorted((at, name) for name, (at, size) in self.symbols.items())
        first, last = self.places[0][0], max(at + size for at, size in self.symbols.values())
        self.range = first, last

    def of(self, symbol):
        at, size = self.symbols[symbol]
        return self.bytes[at - self.begin:at - self.begin + size]

    def target(self, word):
        """The symbol that a word points into, and how far; None if it is a number."""
        if not self.range[0] <= word < self.range[1]:
            return None
        at, name = self.places[bisect.bisect_right(self.places, (word, "\x7f")) - 1]
        size = self.symbols[name][1]
        return (name, word - at) if word - at <= size else None


def image(program, memory, symbol):
    """The type and value of a variable's bytes."""
    data = memory.of(symbol)
    used = len(data.rstrip(b"\0")) + 7 & ~7
    types, values = [], []
    for at in range(0, min(used, len(data) & ~7), 8):
        word = struct.unpack_from("<Q", data, at)[0]
        target = memory.target(word)
        if target and target[0] in program.types:
            types.append("i8*")
            values.append(program.address(*target))
        elif target:
            raise ValueError(f"{symbol} + {at} points to {target}, which the program has not")
        else:
            types.append("i64")
            values.append(f"i64 {word}")
    rest = data[8 * len(types):]
    if rest.rstrip(b"\0"):
        types += ["i8"] * len(rest)
        values += [f"i8 {b}" for b in rest]
    elif rest:
        types.append(f"[{len(rest)} x i8]")
        values.append(f"[{len(rest)} x i8] zeroinitializer")
    return f"<{{ {', '.join(types)} }}>", f"<{{ {', '.join(values)} }}>"


def place(program, memory):
    """Initialise each variable with what memory has."""
    images = {}
    for symbol, value in program.variables.items():
        if symbol in memory.symbols and (memory.of(symbol).strip(b"\0") or
                                         not value.startswith(("zeroinitializer", "null", "0"))):
            images[symbol] = image(program, memory, symbol)
    uses = re.compile("|".join(re.escape(s) + r"(?![\w.$])" for s in sorted(images, key=len,
                                                                          reverse=True)) or "$^")

    def use(match):
        symbol = match[0]
        return f"bitcast ({images[symbol][0]}* {symbol} to {program.types[symbol]}*)"

    for number, line in enumerate(program.lines):
        match = DEFINED.match(line)
        if match and match[1] in images:
            align = re.search(r", align \d+", line)
            of, value = images[match[1]]
            # addresses in images are of the symbols as they are used elsewhere
            program.lines[number] = (f"{match[1]} = internal global {of} {uses.sub(use, value)}"
                                     f"{align[0] if align else ''}")
        elif match:
            name, value = line.split(" = ", 1)
            program.lines[number] = f"{name} = {uses.sub(use, value)}"
        elif line.startswith("  "):
            program.lines[number] = uses.sub(use, line)


# ---- what the checker's interpreter does not know ----

PLAIN = {
    "usub.sat": "%c = icmp ugt {t} %a, %b\n  %d = sub {t} %a, %b\n"
                "  %r = select i1 %c, {t} %d, {t} 0",
    "uadd.sat": "%d = add {t} %a, %b\n  %c = icmp ult {t} %d, %a\n"
                "  %r = select i1 %c, {t} -1, {t} %d",
    "umax": "%c = icmp ugt {t} %a, %b\n  %r = select i1 %c, {t} %a, {t} %b",
    "umin": "%c = icmp ult {t} %a, %b\n  %r = select i1 %c, {t} %a, {t} %b",
    "smax": "%c = icmp sgt {t} %a, %b\n  %r = select i1 %c, {t} %a, {t} %b",
    "smin": "%c = icmp slt {t} %a, %b\n  %r = select i1 %c, {t} %a, {t} %b",
}
BLOCKS = {"@llvm.memcpy.p0i8.p0i8.i64": "@model_move", "@llvm.memset.p0i8.i64": "@model_set",
          "@llvm.memmove.p0i8.p0i8.i64": "@model_move"}
INTRINSIC = re.compile(r"@llvm\.(" + "|".join(map(re.escape, PLAIN)) + r")\.(i\d+)\b")


def keep_conditions(text):
    """Not to read before a condition what is read only if it holds: that were a race of its own.

    The compiler reads early where it likes, but not in what a sanitizer of threads is to watch.
    """
    return re.sub(r"^(attributes #\d+ = \{)", r"\1 sanitize_thread", text, flags=re.M)


def spell_out(text):
    """Arithmetic that has an instruction of its own since lately, by those that it has always had;
    moves of blocks by words."""
    for intrinsic, function in BLOCKS.items():
        text = re.sub(rf"^declare .*{re.escape(intrinsic)}\(.*\n", "", text, flags=re.M)
        text = text.replace(intrinsic + "(", function + "(")
    used = sorted(set(INTRINSIC.findall(text)))
    kept = [line for line in text.splitlines()
            if not (line.startswith("declare") and INTRINSIC.search(line))]
    text = INTRINSIC.sub(r"@plain.\1.\2", "\n".join(kept) + "\n")
    for name, of in used:
        text += (f"\ndefine internal {of} @plain.{name}.{of}({of} %a, {of} %b) {{\n"
                 f"  {PLAIN[name].format(t=of)}\n  ret {of} %r\n}}\n")
    return text
