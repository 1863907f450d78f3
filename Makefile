# make            build build/pipemill and build/libpipemill.a
# make run        install what is missing, build, run the Pokémon job, show its Gantt chart
# make test       install what is missing, build, run every test; last line: N passed, N failed
# make test-asan | test-tsan | test-stress
#                 the same tests under AddressSanitizer + UBSan, under ThreadSanitizer,
#                 with tiny buffers
# make test-arm64 cross-builds for arm64 and runs the tests under qemu, for half an hour; installs the
#                 cross compiler and qemu, and puts the libraries for arm64 into build/arm64-root
# make test-long  what takes minutes: a million simulations of the scheduler, every order of
#                 small specs, ThreadSanitizer on a thousand, the models, programs that Python computes too; installs spin and python3
# make fuzz [SECONDS=60]  each fuzzer of tests/fuzz for that long, with clang's libFuzzer; installs clang
# make test-models  only the models of tests/models, with spin
# make bless T=tests/run/x.pipe   rewrite the expectations of a test with what it does now
# make bench      the benchmarks of tests/bench; make bench-sched: of tests/bench/sched
# make deps       only install what is missing (Debian and Ubuntu)
# make man        docs/pipemill.1 again, after a change of commands or options
# make install [PREFIX=/usr/local] [DESTDIR=]
# make editors    build/editors: highlighting and settings for VS Code, Vim and others
# make format     clang-format all C files
# make clean
#
# A build with MODE=asan, tsan, stress or arm64 lives in build/MODE and leaves the others alone.

VERSION := 0.1.0
PREFIX  ?= /usr/local
BISON   ?= bison
FLEX    ?= flex
CFLAGS  ?= -O2 -g
MODE    ?= release

# What the build looks for, and the Debian package that has it.
NEEDS_HEADERS := csv.h:libcsv-dev xxhash.h:libxxhash-dev utf8proc.h:libutf8proc-dev jansson.h:libjansson-dev \
         isa-l.h:libisal-dev zstd.h:libzstd-dev pcre2posix.h:libpcre2-dev sqlite3.h:libsqlite3-dev
NEEDS := flex:flex bison:bison $(NEEDS_HEADERS)
NEEDS_FUZZ := clang:clang,libclang-rt-dev # for fuzz
NEEDS_LONG := spin:spin python3:python3 # also, for test-long and test-models
NEEDS_BENCH := python3:python3 py/ensurepip:python3-venv mlr:miller mawk:mawk # the peers; those of PyPI go into build/peers
LIBS  := -lcsv -lxxhash -lutf8proc -ljansson -lisal -lzstd -lpcre2-8 -lsqlite3 -lm -pthread

G := build/gen
B := build/$(MODE)
WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
        -Wswitch-enum -Wvla -Wformat=2 -Wundef
# What bison and flex write is theirs; our actions in it still get these.
WARN_GEN := -Wall -Wextra -Wno-unused-function -Wno-sign-compare -Wno-unused-but-set-variable

MODE_release :=
MODE_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all \
                -fno-omit-frame-pointer
MODE_tsan    := -O1 -fsanitize=thread -DPIPEMILL_JITTER
MODE_fuzz    := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -DPIPEMILL_FUZZ
MODE_stress  := -DPIPEMILL_STRESS -DPIPEMILL_JITTER
ifeq ($(filter $(MODE),release asan tsan stress fuzz arm64),)
$(error MODE is one of release asan tsan stress fuzz arm64, not `$(MODE)`)
endif

HOST_CC = $(CC)
FOREIGN_ROOT :=
EMULATED :=
# Another processor's program has its libraries in a folder of its own, and runs under an emulator: build/arm64/run
# has one of its name, which starts it.
ifeq ($(MODE),arm64)
HOST_CC := cc
CC := aarch64-linux-gnu-gcc --sysroot=build/arm64-root
AR := aarch64-linux-gnu-ar
NEEDS := flex:flex bison:bison aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu qemu-aarch64:qemu-user
FOREIGN_ROOT := build/arm64-root
FOREIGN_PACKAGES := libc6-dev $(foreach need,$(NEEDS_HEADERS),$(lastword $(subst :, ,$(need))))
EMULATED := build/arm64/run/pipemill
endif

INCLUDE := -Isrc -I$(G) -D_POSIX_C_SOURCE=200809L
# A product that is rounded once with the sum behind it gives other digits: every compiler and processor gives the same ones.
COMPILE = $(CC) -std=c11 -fno-common -ffp-contract=off $(INCLUDE) $(CPPFLAGS) $(CFLAGS) $(MODE_$(MODE)) -pthread
LINK    = $(CC) $(CFLAGS) $(MODE_$(MODE)) -pthread $(LDFLAGS)

# The program and the library of the release stand at the top of build/.
OUT := $(if $(filter release,$(MODE)),build,$(B))
BIN := $(OUT)/pipemill
LIB := $(OUT)/libpipemill.a

GEN_SRC := $(patsubst grammar/%.y,$(G)/%_parse.c,$(wildcard grammar/*.y)) \
           $(patsubst grammar/%.l,$(G)/%_scan.c,$(wildcard grammar/*.l))
GEN_H   := $(GEN_SRC:.c=.h) $(G)/version.h $(G)/manual.inc
CLI_OBJ := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard src/cli/*.c)))
LIB_OBJ := $(filter-out $(CLI_OBJ),$(patsubst %.c,$(B)/%.o,$(sort $(wildcard src/*/*.c)))) \
           $(GEN_SRC:build/%.c=$(B)/%.o)
UNIT    := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/unit/*_test.c)))
BENCHES := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/bench/*.c tests/bench/*/*.c)))
RUNNER  := build/tests/runner

# As many jobs as processors, unless told otherwise; what a job prints stays together.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2) --output-sync=target
endif
SUBMAKE := $(MAKE) --no-print-directory
# Short lines; V=1 shows the commands.
say = $(if $(V),,@echo '  $1'; )
.SECONDARY:
.DELETE_ON_ERROR:

all: $(BIN) $(LIB)

$(BIN): $(CLI_OBJ) $(LIB)
	$(call say,link $@)$(LINK) -o $@ $^ $(LIBS)

$(LIB): $(LIB_OBJ)
	@mkdir -p $(@D) && rm -f $@
	$(call say,ar $@)$(AR) rcs $@ $^

$(B)/%.o: %.c Makefile | $(GEN_H) $(FOREIGN_ROOT:%=%/ready)
	@mkdir -p $(@D)
	$(call say,cc $<)$(COMPILE) $(SIMD) $(WARN) -MMD -MP -c -o $@ $<

ifneq ($(FOREIGN_ROOT),)
# Made again when other packages are wanted.
ifneq ($(shell cat $(FOREIGN_ROOT)/ready 2>/dev/null),$(FOREIGN_PACKAGES))
.PHONY: $(FOREIGN_ROOT)/ready
endif
$(FOREIGN_ROOT)/ready: tests/sysroot.sh
	$(call say,packages for $(MODE) $(FOREIGN_ROOT))tests/sysroot.sh $(MODE) $(FOREIGN_ROOT) $(FOREIGN_PACKAGES)

$(EMULATED): $(BIN)
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nexec qemu-aarch64 -L %s %s "$$@"\n' '$(abspath $(FOREIGN_ROOT))' '$(abspath $<)' > $@ && chmod +x $@
endif

# Variants for newer processors, chosen at run time (base/simd.h).
ifneq ($(findstring x86_64,$(shell $(CC) -dumpmachine 2>/dev/null)),)
AVX2 := -mavx2 -mbmi -mbmi2 -mpopcnt -mpclmul
$(B)/src/%_avx2.o: SIMD := $(AVX2)
$(B)/src/%_avx512.o: SIMD := $(AVX2) -mavx512f -mavx512bw -mavx512vl -mavx512vbmi2 -mavx512dq -mavx512ifma
endif

$(B)/gen/%.o: $(G)/%.c Makefile | $(GEN_H) $(FOREIGN_ROOT:%=%/ready)
	@mkdir -p $(@D)
	$(call say,cc $<)$(COMPILE) $(WARN_GEN) -MMD -MP -c -o $@ $<

# One bison run makes both files: a pattern rule with two targets says so.
$(G)/%_parse.c $(G)/%_parse.h: grammar/%.y
	@mkdir -p $(G)
	$(call say,bison $<)$(BISON) -Wall -Wcounterexamples -Werror --header=$(G)/$*_parse.h -o $(G)/$*_parse.c $<

$(G)/%_scan.c $(G)/%_scan.h: grammar/%.l
	@mkdir -p $(G)
	$(call say,flex $<)$(FLEX) --header-file=$(G)/$*_scan.h -o $(G)/$*_scan.c $<

# The reference of the language, as C strings: `pipemill help` shows it.
$(G)/manual.inc: grammar/README.md
	@mkdir -p $(@D)
	$(call say,manual $<)LC_ALL=C sed 's/[\\"?]/\\&/g; s/^/"/; s/$$/\\n"/' $< > $@

# What editors need to show programs: grammar/editors/README.md says how they take it.
EDITORS := build/editors/vscode/package.json
editors: $(EDITORS)
$(EDITORS): $(shell find grammar/editors -type f) grammar/keywords.def src/base/builtins.def src/lang/annot.def src/base/type.h
	$(call say,editors build/editors)grammar/editors/make.sh build/editors $(VERSION)

# The version is remade only when the commit changed, and with it what includes it.
# A tarball has no commit.
COMMIT := $(if $(wildcard .git),$(shell git rev-parse --short HEAD 2>/dev/null))
VERSION_H := \#define PIPEMILL_VERSION "$(VERSION)$(if $(COMMIT), ($(COMMIT)))"
ifneq ($(shell cat $(G)/version.h 2>/dev/null),$(VERSION_H))
.PHONY: $(G)/version.h
endif
$(G)/version.h:
	@mkdir -p $(G) && printf '%s\n' '$(VERSION_H)' > $@

# ---- running and testing

.PHONY: all run deps test test-asan test-tsan test-stress test-arm64 test-long test-models fuzz check-build bless bench install
.PHONY: format clean man editors

run: deps
	+@$(SUBMAKE) all
	+build/pipemill run examples/pokemon.pipe prio_dynamic --gantt

test: deps
	+@$(SUBMAKE) check-build
	+@MODE=$(MODE) tests/run.sh $(T)

test-asan test-tsan test-stress test-arm64: test-%:
	+@$(SUBMAKE) MODE=$* test

test-long: deps
	+@$(SUBMAKE) check-build
	+@$(SUBMAKE) MODE=tsan build/tsan/tests/unit/pool_test
	+@tests/long.sh

test-models: deps
	+@tests/models/models.sh

test-long test-models: NEEDS += $(NEEDS_LONG)

# What a fuzzer finds is left in build/fuzz/NAME: make it small, fix it, and add it to tests/fuzz/corpus/NAME.
# That of programs begins with the tests' programs too, and knows the words of the language.
SEEDS_program := $(sort $(dir $(wildcard tests/*/*.pipe)))
DICT_program  := build/fuzz/program.dict
$(DICT_program): grammar/keywords.def src/base/builtins.def src/lang/annot.def
	@mkdir -p $(@D)
	@sed -nE 's/^[A-Z_]+\([A-Z_0-9]+, "([a-z_0-9]+)".*/"\1"/p' $^ | sort -u > $@
SECONDS ?= 60
SEED ?= 0# a new one each time
FUZZERS := $(patsubst tests/fuzz/%_fuzz.c,%,$(sort $(wildcard tests/fuzz/*_fuzz.c)))
fuzz: NEEDS += $(NEEDS_FUZZ)
fuzz: deps $(DICT_program)
	+@$(SUBMAKE) MODE=fuzz CC=clang $(FUZZERS:%=build/fuzz/tests/fuzz/%_fuzz)
	@for name in $(FUZZERS); do \
	    more=; [ $$name != program ] || more='-dict=$(DICT_program) $(SEEDS_program)'; \
	    mkdir -p build/fuzz/$$name && \
	    build/fuzz/tests/fuzz/$${name}_fuzz -max_total_time=$(SECONDS) -seed=$(SEED) -timeout=10 -rss_limit_mb=1024 \
	        -verbosity=0 -print_final_stats=1 -artifact_prefix=build/fuzz/$$name/ \
	        build/fuzz/$$name tests/fuzz/corpus/$$name $$more || exit 1; \
	done

$(B)/tests/fuzz/%_fuzz: $(B)/tests/fuzz/%_fuzz.o $(LIB)
	$(call say,link $@)$(LINK) -fsanitize=fuzzer -o $@ $^ $(LIBS)

check-build: $(BIN) $(EMULATED) $(UNIT) $(RUNNER) $(EDITORS)

$(B)/tests/%: $(B)/tests/%.o $(LIB)
	$(call say,link $@)$(LINK) -o $@ $^ $(LIBS)

# What the scheduler is compared with. A peer whose package is missing is left out, and the
# benchmark says so.
PEERS := tests/bench/sched/peers
$(B)/tests/bench/sched/bench_sched: $(B)/tests/bench/sched/bench_sched.o \
    $(B)/$(PEERS)/heap.o $(PEERS)/omp.c $(PEERS)/tbb.cpp $(PEERS)/peers.h $(LIB)
	$(call say,link $@)at=$(B)/$(PEERS); peers=; \
	if echo '#include <omp.h>' | $(CC) -fopenmp -E -x c - >/dev/null 2>&1; then \
	    $(COMPILE) $(WARN) -fopenmp -c -o $$at/omp.o $(PEERS)/omp.c || exit 1; \
	    peers="$$peers $$at/omp.o -fopenmp"; \
	fi; \
	if echo '#include <tbb/version.h>' | $(CXX) -E -x c++ - >/dev/null 2>&1; then \
	    $(CXX) -std=c++17 -Wall -Wextra $(CFLAGS) $(MODE_$(MODE)) -pthread \
	        -c -o $$at/tbb.o $(PEERS)/tbb.cpp || exit 1; \
	    peers="$$peers $$at/tbb.o -ltbb -lstdc++"; \
	fi; \
	$(LINK) -o $@ $(filter %.o %.a,$^) $$peers $(LIBS)

# The runner itself is never sanitized nor emulated: it is not what is tested.
$(RUNNER): $(wildcard tests/runner/*.c) tests/runner/runner.h Makefile
	@mkdir -p $(@D)
	$(call say,cc tests/runner)$(HOST_CC) -std=c11 -D_POSIX_C_SOURCE=200809L -O2 -g $(WARN) -o $@ $(filter %.c,$^)

bless: all $(RUNNER)
	@test -n "$(T)" || { echo 'usage: make bless T=tests/FOLDER/FILE.pipe'; exit 2; }
	+@tests/bless.sh $(T)

bench: NEEDS += $(NEEDS_BENCH)
bench-%: NEEDS += $(NEEDS_BENCH)
bench: deps
	+@$(SUBMAKE) all $(BENCHES)
	+@status=0; for b in $(BENCHES) $(wildcard tests/bench/*.sh tests/bench/*/*.sh); do \
	    echo "== $$b"; $$b || { status=1; echo "$$b failed"; }; \
	done; exit $$status

bench-%: deps
	+@for b in $(filter $(B)/tests/bench/$*/%,$(BENCHES)); do $(SUBMAKE) $$b && $$b || exit 1; done
	+@for b in $(wildcard tests/bench/$*/*.sh); do $(SUBMAKE) all && $$b || exit 1; done

# The manual page is made by the program from the tables of its commands; a test says when it has to be made again.
man: all
	build/pipemill help --man > docs/pipemill.1

# So are the completions.
SHARE := $(DESTDIR)$(PREFIX)/share
install: all
	install -D -m 755 build/pipemill $(DESTDIR)$(PREFIX)/bin/pipemill
	install -D -m 644 docs/pipemill.1 $(SHARE)/man/man1/pipemill.1
	for shell in bash zsh fish; do build/pipemill completions $$shell > $(G)/completion.$$shell || exit 1; done
	install -D -m 644 $(G)/completion.bash $(SHARE)/bash-completion/completions/pipemill
	install -D -m 644 $(G)/completion.zsh $(SHARE)/zsh/site-functions/_pipemill
	install -D -m 644 $(G)/completion.fish $(SHARE)/fish/vendor_completions.d/pipemill.fish

deps:
	@missing=; \
	for need in $(NEEDS); do \
	    what=$${need%%:*}; \
	    case $$what in \
	    *.h) echo "#include <$$what>" | $(CC) $(CPPFLAGS) -E -x c - ;; \
	    py/*) python3 -c "import $${what#py/}" ;; \
	    *) command -v $$what ;; \
	    esac >/dev/null 2>&1 || missing="$$missing $$(echo "$${need#*:}" | tr , " ")"; \
	done; \
	test -n "$$missing" || exit 0; \
	echo "missing packages:$$missing"; \
	sudo=; test "$$(id -u)" = 0 || sudo=sudo; \
	if ! command -v apt-get >/dev/null || ! command -v $${sudo:-true} >/dev/null; then \
	    echo "install them with your package manager, as root, then say make again" >&2; \
	    exit 1; \
	fi; \
	echo "installing them: $$sudo apt-get install -y$$missing"; \
	$$sudo apt-get update -q && \
	$$sudo env DEBIAN_FRONTEND=noninteractive \
	    apt-get install -q -y --no-install-recommends $$missing

format:
	clang-format -i $(wildcard src/*/*.[ch] tests/runner/*.[ch] tests/unit/*.[ch] tests/bench/*/*.c)

clean:
	rm -rf build

-include $(patsubst %.o,%.d,$(CLI_OBJ) $(LIB_OBJ)) $(addsuffix .d,$(UNIT) $(BENCHES))
