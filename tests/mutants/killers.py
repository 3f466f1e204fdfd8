# SPDX-License-Identifier: MIT OR Apache-2.0
"""What may kill a mutant, and in which order it is tried."""

import fnmatch
import glob
import os
import re
import signal
import subprocess
import time

from mutants import ROOT

# Where the programs of a kind are, and how their files' names end.
KINDS = {"unit": ("tests/unit", "_test.c"), "fault": ("tests/fault", "_test.c"),
         "stress": ("tests/stress", "_stress.c")}

# Which tests know a source best; the others of its kind come after these.
SUBJECTS = {
    "src/wait/": "wait wake take policy group",
    "src/wait/watch.c": "graph pool executor loop watch wait",
    "src/ring/producer.c": "producer many void close failure leap wait",
    "src/ring/consumer.c": "consumer void leap attach wait close poison",
    "src/ring/gate.c": "attach place dynamic ring consumer",
    "src/ring/ring.c": "ring close failure leap layout",
    "src/ring/reader.c": "reader",
    "src/ring/mirror.c": "reader",
    "src/ring/hold.c": "hold deadlock",
    "src/ring/share.c": "pool pool_life",
    "src/ring/unshare.c": "unshare",
    "src/ring/deferred.c": "deferred",
    "src/ring/group.c": "executor loop",
    "src/ring/loop.c": "loop",
    "src/graph/conflate.c": "conflate",
    "src/graph/attach.c": "dynamic attach",
    "src/graph/stage.c": "stage policy style batch lifecycle",
    "src/graph/pool.c": "pool pool_life",
    "src/graph/executor.c": "executor",
    "src/graph/lifecycle.c": "lifecycle graph",
    "src/graph/worker.c": "lifecycle stage",
    "src/graph/": "graph stage lifecycle",
    "src/os/": "thread memory wait",
    "include/disruptor/producer.h": "producer many void close leap model",
    "include/disruptor/consumer.h": "consumer leap model void",
}
# Of those that race on real threads.
RACES = {
    "src/wait/": "litmus sleep blocking deferred",
    "src/wait/watch.c": "sleep pool lifecycle",
    "src/ring/producer.c": "void close unicast dag",
    "src/ring/consumer.c": "diamond attach void close deferred dag",
    "src/ring/gate.c": "attach place diamond lifecycle",
    "src/ring/ring.c": "close place attach",
    "src/ring/reader.c": "reader close",
    "src/ring/mirror.c": "reader",
    "src/ring/share.c": "pool pool_life",
    "src/ring/deferred.c": "deferred",
    "src/graph/conflate.c": "conflate",
    "src/graph/": "lifecycle dag pool_life",
    "include/disruptor/producer.h": "unicast litmus close pingpong dag",
    "include/disruptor/consumer.h": "unicast diamond pingpong litmus",
}
# Clients of the explorer (*: any), beside those that the ledger names for a mutant's edges.
MODELS = {
    "src/wait/": "wake_consumer wake_producer wake_stage wake_two wake_count wake_both",
    "src/wait/watch.c": "watch*",
    "src/ring/group.c": "watch*",
    "src/ring/producer.c": "close_claim close_claim_packed close_claim_many take_back abort "
                           "many_claim wake_producer mark claim_up_to",
    "src/ring/consumer.c": "publish reuse stage_order stage_join wake_stop wake_stop_stage "
                           "wake_end abort wake_stage wake_close",
    "src/ring/gate.c": "attach attach_oldest attach_free attach_free_oldest attach_sleep leave "
                       "leave_sleep leave_after wake_detach reuse stage_join",
    "src/ring/ring.c": "close_claim close_claim_many close_claim_packed mark mark_seen "
                       "wake_close wake_close_producer wake_fail attach",
    "src/ring/hold.c": "hold",
    "src/ring/mirror.c": "mirror mirror_sleep",
    "src/ring/reader.c": "mirror mirror_sleep",
    "src/ring/share.c": "shared_*",
    "src/ring/unshare.c": "unshare told_unshared leap",
    "src/ring/deferred.c": "deferred*",
    "src/graph/conflate.c": "conflate*",
    "include/disruptor/producer.h": "publish publish_n packed reuse close_claim mark "
                                    "wake_consumer",
    "include/disruptor/consumer.h": "publish publish_n reuse stage_order wake_producer "
                                    "wake_stage abort",
}


class Killer:
    """One test program on one rung."""

    def __init__(self, kind, config, name, rung):
        self.kind, self.config, self.name, self.rung = kind, config, name, rung
        folder, end = KINDS[kind]
        self.source = os.path.join(ROOT, folder, name + end)

    def __str__(self):
        where = "" if self.config == "linux" else f"{self.config}-"
        return f"{self.kind}/{self.name}.{where}{self.rung}"

    def run(self, build, limit):
        """None if it passes, or what it found; a program that cannot be built raises."""
        program = build.program(self.config, self.source)
        environment = {**os.environ, "DISRUPTOR_TEST_RUNG": self.rung,
                       "TSAN_OPTIONS": "halt_on_error=1"}
        with subprocess.Popen([program], env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, cwd=build.folder,
                              start_new_session=True) as process:
            try:
                output = process.communicate(timeout=limit)[0].decode(errors="replace")
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                return f"did not end within {limit:.0f} s"
        if process.returncode in (0, 77):
            return None
        return finding(output, process.returncode)


class Explorer:
    """A client of tests/model, on all rungs that matter to it. It can weaken an access itself."""

    def __init__(self, name, executions, weaken):
        self.name, self.executions, self.weaken = name, executions, weaken

    def __str__(self):
        return f"model/{self.name}"

    def run(self, build, limit):
        if self.name in build.explored:
            return None  # fewer executions were all that there are
        weaken = ["--weaken", self.weaken] if self.weaken and build.mutant else []
        program = (build.base.whole if weaken else build).program("model", "model.c")
        command = [program, "--limit", str(self.executions), *weaken, self.name]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=limit,
                                  check=False, errors="replace")
        except subprocess.TimeoutExpired:
            return None  # so many executions are slow; others decide
        match = re.search(r"^(\S+)\s+VIOLATION[^\n]*\n\s*([^\n]*)", done.stdout, re.M)
        if match:
            return f"{match[1]}: {match[2]}"[:90]
        if done.returncode == 0:
            build.explored.add(self.name)
        return f"signal {-done.returncode}" if done.returncode < 0 else None


def finding(output, code):
    """The line of a failing test that says most."""
    for pattern in (r"ThreadSanitizer: [^\n]*", r"\[ WATCHDOG \] [^\n]*",
                    r"[^\n]*Assertion[^\n]*", r"\[  FAILED  \] [a-z]\w+", r"[^\n]*error[^\n]*"):
        match = re.search(pattern, output)
        if match:
            return match[0].strip()[:90]
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def names(kind):
    folder, end = KINDS[kind]
    return sorted(n[:-len(end)] for n in os.listdir(os.path.join(ROOT, folder))
                  if n.endswith(end))


def fitting_words(table, path):
    """Of the longest of the table's keys that begin a path."""
    keys = [k for k in table if path.startswith(k)]
    return table[max(keys, key=len)].split() if keys else []


def fitting(table, path, kind):
    there = names(kind)
    return [n for n in fitting_words(table, path) if n in there]


def clients():
    """Of tests/model, by name."""
    found = []
    for path in glob.glob(os.path.join(ROOT, "tests/model/*.c")):
        with open(path, encoding="utf-8") as file:
            found += re.findall(r"\.name = \"(\w+)\"", file.read())
    return found


def explorers(mutant, executions):
    there = clients()
    fits = [] if mutant.is_made else fitting_words(MODELS, mutant.path)
    chosen = mutant.models + [n for f in fits for n in fnmatch.filter(there, f)]
    return [Explorer(n, executions, mutant.weaken) for n in dict.fromkeys(chosen) if n in there]


def plan(mutant, quick):
    """What may kill it, cheap and likely killers first; quick: only those."""
    units, races = fitting(SUBJECTS, mutant.path, "unit"), fitting(RACES, mutant.path, "stress")
    units = list(dict.fromkeys([t for t in mutant.tests if t in names("unit")] + units))
    races = list(dict.fromkeys([t for t in mutant.tests if t in names("stress")] + races))
    rungs = ["membarrier", "fence", "mutex"]
    order = explorers(mutant, 2000)
    if mutant.is_order and quick:
        order += explorers(mutant, 10000)
    elif not mutant.is_order:
        order += [Killer("unit", "linux", t, r) for r in rungs for t in units]
        order += [Killer("fault", "linux", t, "membarrier") for t in mutant.tests
                  if t in names("fault")]
        if mutant.path.startswith(("src/os/posix", "src/wait/")):
            order += [Killer("unit", "posix", t, r) for r in rungs[1:] for t in units]
    if quick:
        return order + [Explorer(n, 1000000, mutant.weaken) for n in mutant.named]
    order += explorers(mutant, 40000)
    # ThreadSanitizer knows no fences, and reports races that one of them prevents
    watched = [] if mutant.equivalent else races
    if mutant.is_order:
        order += [Killer("stress", "tsan", t, "membarrier") for t in watched[:2]]
    order += explorers(mutant, 1000000)
    if not mutant.is_order:
        order += [Killer("unit", "linux", t, "membarrier") for t in names("unit")
                  if t not in units]
    order += [Killer("stress", "linux", t, r) for t in races for r in rungs
              if not mutant.is_order or t == "litmus"]
    return order + [Killer("stress", "tsan", t, r) for t in watched for r in rungs[:2]]


def has_killed(killer, build, baseline, lock):
    """What a killer found; a mutant that hangs must do so twice, while the original passes."""
    if isinstance(killer, Explorer):
        found = killer.run(build, 300)
        if found:
            with lock:
                baseline.limit(killer)
        return found
    with lock:
        limit = baseline.limit(killer)
    found = killer.run(build, limit)
    if found and re.search(r"did not end|hang|watchdog|signal", found, re.I):
        with lock:
            if killer.run(baseline.build, limit):
                return None  # the machine is too busy to tell
        found = killer.run(build, limit)
    return found


class Baseline:
    """How long each test takes, and that it passes, without any mutant."""

    def __init__(self, build, known):
        self.build, self.seconds = build, known

    def limit(self, killer):
        name = str(killer)
        if name not in self.seconds:
            start = time.monotonic()
            found = killer.run(self.build, 300)
            if found:
                raise RuntimeError(f"{name} fails without a mutant: {found}")
            self.seconds[name] = time.monotonic() - start
        return 10 + 5 * self.seconds[name]
