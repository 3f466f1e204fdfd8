# SPDX-License-Identifier: MIT OR Apache-2.0
# A front door to the CMake build; CMakePresets.json has the other builds.

PREFIX ?= /usr/local
SCENARIOS ?= all
BENCH ?=
SEEDS ?= 250000
MINUTES ?= 10
KILLS ?= 10000
SEED ?=
SOAK ?=
ANALYZE ?= src tools/disruptor examples bench
MUTANTS ?=
FUZZ ?=
PORTS ?=
PERCENT ?= 3000
CLANG_FORMAT ?= clang-format-14

# What the programs print goes to stdout; the building of them goes to stderr.
build = cmake --build --preset release
# Most tests wait most of the time: twice as many at once as there are CPUs.
jobs = $$((2 * $$(nproc)))
sources = find include src tools bench examples tests '(' -name '*.[ch]' -o -name '*.cc' ')'
scripts = $(shell grep -lE '^\#!.*sh$$' .ci/run scripts/* tests/*/* tests/model/genmc/run examples/*/run 2>/dev/null)

.PHONY: all demo test model simulate spin soak kills fuzz mutants ports litmus test-one-core bench bench-peers bench-stream install analyze valgrind coverage check-format format check-scripts clean help setup-demo setup-test setup-ci setup-peers setup-ports setup-fuzz
.NOTPARALLEL: # setup comes before the rest; ninja uses all cores

all: build/build.ninja
	@$(build) >&2

demo: setup-demo build/build.ninja
	@$(build) --target flights >&2
	@examples/flights/run $${FILE:+"$$FILE"}

test: setup-test build/build.ninja
	@$(build) >&2
	@ctest --preset release --parallel "$(jobs)"

# Every client of tests/model under the explorer; and under GenMC, which must be on the PATH.
model: setup-test build/build.ninja
	@$(build) --target model >&2
	@build/tests/model/model $(MODEL)
	@tests/model/genmc/run || [ $$? = 77 ]

# Fewer cores than threads: whoever waits has to let the others run.
test-one-core: setup-test all
	@taskset -c 0 ctest --preset release --label-exclude source

# The whole suite of another build, as test-tsan; .ci/run takes a part of it.
test-%: setup-ci
	@cmake --preset $* >&2
	@cmake --build --preset $* >&2
	@ctest --preset $* --parallel "$(jobs)"

# Every seed is a run of its own: which threads there are, what they do, and who goes on when.
simulate: setup-test build/build.ninja
	@$(build) --target simulate >&2
	@build/tests/simulate/simulate --seeds $(SEEDS) --pairs

# Graphs at random under load and trouble; build/tests/soak/soak --help
soak: setup-test build/build.ninja
	@$(build) --target soak >&2
	@build/tests/soak/soak --minutes $(MINUTES) $(SEED:%=--seed %) $(SOAK)

# Processes killed at random on a ring that they share, every event accounted for.
kills: setup-test build/build.ninja
	@$(build) --target kill_stress >&2
	@DISRUPTOR_KILLS=$(KILLS) $(SEED:%=DISRUPTOR_SEED=%) build/tests/stress/kill_stress

# Both engines on each target, one after another, which share the MINUTES; tests/fuzz/run --help
fuzz: setup-fuzz
	@tests/fuzz/run --minutes $(MINUTES) $(FUZZ)

# Fails if one survives. A run that was stopped goes on where it was.
mutants: setup-test
	@tests/mutants/run --resume $(MUTANTS)

# Other processors and C libraries, cross-built and run; tests/ports/run --help
ports: setup-ports
	@tests/ports/run $(PORTS)

# How often each outcome of the litmus tests comes up on this processor: best on one that is not x86.
litmus: setup-test build/build.ninja
	@$(build) --target order_stress litmus_stress >&2
	@for rung in membarrier fence mutex; do \
		for program in order litmus; do \
			echo "=== $$program, $$rung"; \
			DISRUPTOR_TEST_RUNG=$$rung DISRUPTOR_STRESS_PERCENT=$(PERCENT) \
				build/tests/stress/$${program}_stress || exit 1; \
		done; \
	done

# Every search that the models in tests/spin ask for, and all their mutants.
spin: setup-test
	@tests/spin/run

# A run of all is kept, as bench/results/COMMIT.CPU.json, and drawn, as .html.
bench: all
	@build/disruptor bench $(SCENARIOS) $(if $(filter all,$(SCENARIOS)),--results bench/results) $(BENCH)

# A file through disruptor pub and sub, beside two cats.
bench-stream: setup-test build/build.ninja
	@$(build) --target disruptor_command >&2
	@bench/stream build/disruptor

# Install them; then build anew, as cmake looks for them only when it is told to. Measures nothing.
bench-peers: setup-peers
	@cmake --preset release >&2
	@$(build) --target disruptor_command >&2
	@build/disruptor bench --peers

install: all
	@DESTDIR="$(DESTDIR)" cmake --install build --prefix "$(PREFIX)"

setup-demo setup-test setup-ci setup-peers setup-ports setup-fuzz:
	@scripts/setup $(@:setup-%=%)

# Once: from then on ninja runs cmake again by itself where that is needed.
build/build.ninja:
	@cmake --preset release >&2

# The library, through it its headers, the command, the examples and the benchmarks, by all three
# tools; of what benchmarks have for peers, that whose packages are here (scripts/setup peers).
# ANALYZE=. for all that is compiled. A generated header is all that it needs of a build.
analyze: setup-ci build/build.ninja
	@$(build) --target disruptor_commit >&2
	@scripts/analyze $(ANALYZE)

# What is built for it also runs tests/tools, to show what the command's own tests run through; but for
# one that runs as another user, who may not write down what that is.
coverage: setup-ci
	@cmake --preset coverage >&2
	@cmake --build --preset coverage --target unit_tests fault_tests disruptor disruptor_command typed holds >&2
	@find build/coverage -name '*.gcda' -delete
	@ctest --preset coverage --parallel "$(jobs)" -L '^(unit|fault)$$'
	@ctest --preset coverage -R '^tools/' -E '^tools/segments$$'
	@scripts/coverage $(COVERAGE)

# VALGRIND="ring event" for some tests of tests/unit; scripts/valgrind --help
valgrind: setup-ci build/build.ninja
	@$(build) --target unit_tests >&2
	@scripts/valgrind $(VALGRIND)

check-format:
	@$(sources) -exec $(CLANG_FORMAT) --dry-run --Werror {} +

format:
	@$(sources) -exec $(CLANG_FORMAT) -i {} +

check-scripts:
	@shellcheck $(scripts)

clean:
	@rm -rf build

help:
	@echo 'make                  build the library and the command (build/disruptor)'
	@echo 'make demo             run the demonstration on real data; FILE=data.csv for your own'
	@echo 'make test             run the tests'
	@echo 'make model            explore the model tests, and check them by GenMC if it is there;'
	@echo '                      MODEL="publish --bound 3" for some (build/tests/model/model --help)'
	@echo 'make test-one-core    run them all on one core, fewer than there are threads (5 minutes)'
	@echo 'make test-NAME        run those of another build: debug, sanitize, tsan, clang, posix ...'
	@echo 'make simulate         run it on simulated threads, scheduled by seeds and checked against'
	@echo '                      a model; SEEDS=1000000 for more, SEEDS=FROM-TO for others'
	@echo 'make soak             run graphs at random under load and trouble, and check every event:'
	@echo '                      MINUTES=10; SEED=0x... for a graph again; SOAK="--json" for options'
	@echo 'make kills            kill processes at random on a ring that they share, and account for every'
	@echo '                      event: KILLS=10000'
	@echo 'make fuzz             feed segments and schemas of any bytes to the library, by libFuzzer and AFL++:'
	@echo '                      MINUTES=30 in all; FUZZ="attach" for one (tests/fuzz/run --help)'
	@echo 'make mutants          break the library in each of 400 places, and see that a test notices;'
	@echo '                      MUTANTS="--only wait." for some (tests/mutants/run --help)'
	@echo 'make ports            build it for other processors, and run the tests there by qemu-user;'
	@echo '                      PORTS="armhf s390x" for some (tests/ports/run --help)'
	@echo 'make litmus           count the outcomes of the litmus tests on this machine (5 minutes);'
	@echo '                      PERCENT=30000 for ten times as long'
	@echo 'make spin             check the models of the protocols with Spin, and their mutants (5 minutes)'
	@echo 'make bench            run the benchmarks, keep and draw them in bench/results;'
	@echo '                      SCENARIOS="unicast idle" for some, which are not kept,'
	@echo '                      BENCH="--quick" for options (build/disruptor help bench)'
	@echo 'make bench-peers      install what others made that the benchmarks can be run beside,'
	@echo '                      by apt-get, and build them in; says which are there'
	@echo 'make install          install to PREFIX=$(PREFIX), staged under DESTDIR'
	@echo 'make analyze          clang-tidy, cppcheck and gcc -fanalyzer over the library, the command, the'
	@echo '                      examples and the benchmarks (scripts/setup ci); ANALYZE="tests --tool tidy"'
	@echo '                      for another part (scripts/analyze --help)'
	@echo 'make valgrind         run the unit tests under memcheck; VALGRIND="ring event" for some'
	@echo 'make coverage         run the unit and fault tests, tell what they run through, and compare it'
	@echo '                      with docs/coverage.md; COVERAGE="--missed" (scripts/coverage --help)'
	@echo 'make check-format     is the source formatted? (make format does it)'
	@echo 'make check-scripts    run shellcheck on the scripts'
	@echo 'make clean            remove build/'
	@echo
	@echo 'make demo and make test first install what they miss, on Debian and its kin, by apt-get.'
	@echo 'Other builds, each in build/NAME: cmake --preset NAME, cmake --build --preset NAME,'
	@echo 'ctest --preset NAME, where NAME is debug, asan, ubsan, sanitize (both), tsan, clang or posix.'
