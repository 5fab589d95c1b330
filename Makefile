# clausewatch: build, test, install.  `make help` lists the targets.
VERSION := 0.1.0
CC ?= gcc
PKG_CONFIG ?= pkg-config
B ?= build
prefix ?= /usr/local
sysconfdir ?= /etc
bindir = $(prefix)/bin
datadir = $(prefix)/share/clausewatch
unitdir ?= $(prefix)/lib/systemd/system

WARN = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wold-style-definition \
	-Wmissing-prototypes -Wformat=2 -Wvla -Wconversion -Wno-sign-conversion -Wcast-qual \
	-Wpointer-arith -Wundef -Wno-unknown-warning-option -Wno-format-truncation
OPT ?= -O2 -g
SAN ?=
HARDEN ?= -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
PKGS = libuv lmdb libgit2 libcurl jansson yaml-0.1 libxxhash libcrypto libzstd
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null)
CPPFLAGS += -D_GNU_SOURCE -DCW_VERSION='"$(VERSION)"' -DCW_DATADIR='"$(datadir)"' \
	-DCW_SYSCONFDIR='"$(sysconfdir)"' -Iinclude -Idaemon
ALL_CFLAGS = -std=gnu17 $(OPT) $(WARN) $(HARDEN) $(SAN) -fno-strict-aliasing -fvisibility=hidden \
	-MMD -MP $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(SAN) -pie -Wl,--as-needed -Wl,-z,relro,-z,now $(LDFLAGS)

# Rooms of the house; the two programs sit beside them and are not in the library.
LIB_SRC := $(wildcard daemon/*/*.c) $(filter-out daemon/clausewatch.c daemon/clausewatchd.c,$(wildcard daemon/*.c))
LIB_OBJ := $(LIB_SRC:%.c=$(B)/%.o)
PROGS := $(patsubst daemon/%.c,$(B)/%,$(wildcard daemon/clausewatch.c daemon/clausewatchd.c))
UNIT_SRC := $(wildcard tests/unit/test_*.c)
UNIT := $(UNIT_SRC:tests/unit/%.c=$(B)/tests/%)
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ := $(FUZZ_SRC:tests/fuzz/%.c=$(B)/tests/%)

# `make V=1` shows the commands.
V ?= 0
ifeq ($(V),0)
Q = @printf '  %-5s %s\n' '$(1)' '$@';
endif

all: $(PROGS) $(B)/rules.compiled

# The lexicons as the programs map them at start; without it they build them, which takes longer.
RULES := $(wildcard config/rules/*)
$(B)/rules.compiled: $(B)/clausewatch $(RULES)
	$(call Q,RULES)CLAUSEWATCH_RULES=config/rules $(B)/clausewatch rules compile $@

$(B)/libclausewatch.a: $(LIB_OBJ)
	@rm -f $@
	$(call Q,AR)$(AR) rcs $@ $^

$(PROGS): $(B)/%: $(B)/daemon/%.o $(B)/libclausewatch.a
	$(call Q,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lpthread -lm

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call Q,CC)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(B)/tests/%: tests/unit/%.c $(B)/libclausewatch.a
	@mkdir -p $(@D)
	$(call Q,CCLD)$(CC) $(ALL_CFLAGS) -o $@ $< $(ALL_LDFLAGS) $(B)/libclausewatch.a $(PKG_LIBS) -lcmocka -lpthread -lm

# A program that tests and `make run` send alerts to.
$(B)/tests/receiver: tests/receiver.c $(B)/libclausewatch.a
	@mkdir -p $(@D)
	$(call Q,CCLD)$(CC) $(ALL_CFLAGS) -o $@ $< $(ALL_LDFLAGS) $(B)/libclausewatch.a $(PKG_LIBS) -lmicrohttpd -lpthread -lm

unit: $(UNIT) $(B)/tests/receiver
	@set -e; for t in $(UNIT); do echo "== $$t"; $$t; done

# ---- tests: unit tests under the sanitizers too, then the programs as users meet them ----

ASAN = B=build/asan OPT='-O1 -g' HARDEN= \
	SAN='-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer'
TSAN = B=build/tsan OPT='-O1 -g' HARDEN= SAN='-fsanitize=thread'

test: deps
	@$(MAKE) --no-print-directory all test-programs
	@tests/run.sh

test-programs: $(UNIT) $(B)/tests/receiver $(FUZZ)

asan:
	@$(MAKE) --no-print-directory $(ASAN) all unit

tsan:
	@$(MAKE) --no-print-directory $(TSAN) all unit

# ---- fuzzing: the corpora are replayed by `make test`, new inputs are tried by `make fuzz` ----

FUZZ_SECONDS ?= 60

$(B)/tests/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c $(B)/libclausewatch.a
	@mkdir -p $(@D)
	$(call Q,CCLD)$(CC) $(ALL_CFLAGS) -o $@ $< tests/fuzz/replay.c $(ALL_LDFLAGS) $(B)/libclausewatch.a \
		$(PKG_LIBS) -lpthread -lm

fuzz: deps
	@tests/fuzz/run.sh $(FUZZ_SECONDS)

# ---- linters ----

C_FILES = $(shell git ls-files '*.c' '*.h')
LINT = -D_GNU_SOURCE -DCW_VERSION='""' -DCW_DATADIR='""' -DCW_SYSCONFDIR='""' -Iinclude -Idaemon
# error.c defines what tests/tidy.h explains.
TIDY_SRC := $(filter-out daemon/base/error.c,$(wildcard daemon/*/*.c daemon/*.c)) tests/receiver.c

check: deps-check
	@clang-format --dry-run -Werror $(C_FILES)
	cppcheck --quiet --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
		--suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
		$(LINT) daemon tests/receiver.c
	@echo 'clang-tidy of $(words $(TIDY_SRC)) files takes a few minutes'
	@printf '%s\n' $(TIDY_SRC) | xargs -P2 -I{} clang-tidy --quiet {} -- \
		-std=gnu17 $(LINT) -include tests/tidy.h $(PKG_CFLAGS) 2>/dev/null
	$(MAKE) --no-print-directory B=build/clang CC=clang all

# ---- the second opinion: `make train CORPUS="dir dir"`, directories with docs/ and gold.jsonl ----

$(B)/tests/train: tests/train/train.c $(B)/libclausewatch.a
	@mkdir -p $(@D)
	$(call Q,CCLD)$(CC) $(ALL_CFLAGS) -o $@ $< $(ALL_LDFLAGS) $(B)/libclausewatch.a $(PKG_LIBS) \
		-llinear -lpthread -lm

train: deps
	@tests/needs.sh liblinear-dev
	@$(MAKE) --no-print-directory $(B)/tests/train
	$(B)/tests/train --rules config/rules --out config/rules/second-opinion.weights $(CORPUS)

# ---- benchmarks ----

bench: deps all test-programs
	@tests/bench/run.sh

# ---- needs: nothing is asked of the network when everything is there ----

RUN_NEEDS = gcc make pkg-config git libuv1-dev liblmdb-dev libgit2-dev libcurl4-openssl-dev \
	libjansson-dev libyaml-dev libxxhash-dev libssl-dev libzstd-dev libmicrohttpd-dev
TEST_NEEDS = libcmocka-dev jq curl libxml2-utils python3 procps
CHECK_NEEDS = clang clang-format clang-tidy cppcheck

deps:
	@tests/needs.sh $(RUN_NEEDS) $(TEST_NEEDS)

deps-run:
	@tests/needs.sh $(RUN_NEEDS)

deps-check: deps
	@tests/needs.sh $(CHECK_NEEDS)

run: deps-run
	@$(MAKE) --no-print-directory all $(B)/tests/receiver
	@BUILD=$(B) config/samples/run.sh

# ---- installation ----

INSTALL = install
DATA = $(DESTDIR)$(datadir)

install: all
	$(INSTALL) -d $(DESTDIR)$(bindir) $(DATA)/rules $(DATA)/hooks $(DESTDIR)$(unitdir) \
		$(DESTDIR)$(prefix)/lib/sysusers.d $(DESTDIR)$(prefix)/lib/tmpfiles.d \
		$(DESTDIR)$(sysconfdir)/clausewatch/rules $(DESTDIR)$(sysconfdir)/clausewatch/conf.d
	$(INSTALL) -m 755 $(B)/clausewatch $(B)/clausewatchd $(DESTDIR)$(bindir)
	$(INSTALL) -m 644 config/rules/* $(DATA)/rules
	$(INSTALL) -m 644 $(B)/rules.compiled $(DATA)
	$(INSTALL) -m 755 hooks/* $(DATA)/hooks
	sed 's#@bindir@#$(bindir)#' systemd/clausewatchd.service \
		> $(DESTDIR)$(unitdir)/clausewatchd.service
	$(INSTALL) -m 644 systemd/clausewatch.sysusers \
		$(DESTDIR)$(prefix)/lib/sysusers.d/clausewatch.conf
	$(INSTALL) -m 644 systemd/clausewatch.tmpfiles \
		$(DESTDIR)$(prefix)/lib/tmpfiles.d/clausewatch.conf
	[ -e $(DESTDIR)$(sysconfdir)/clausewatch/clausewatch.yaml ] || \
		$(INSTALL) -m 640 config/clausewatch.yaml $(DESTDIR)$(sysconfdir)/clausewatch

# The configuration and what was stored are the owner's and stay.
uninstall:
	rm -f $(DESTDIR)$(bindir)/clausewatch $(DESTDIR)$(bindir)/clausewatchd \
		$(DESTDIR)$(unitdir)/clausewatchd.service \
		$(DESTDIR)$(prefix)/lib/sysusers.d/clausewatch.conf \
		$(DESTDIR)$(prefix)/lib/tmpfiles.d/clausewatch.conf
	rm -rf $(DATA)

help:
	@echo 'make            build/clausewatch and build/clausewatchd'
	@echo 'make run        install what is missing, build, show alerts arriving'
	@echo 'make test       install what is missing, build, run every test'
	@echo 'make asan tsan  unit tests under the sanitizers'
	@echo 'make check      formatting, clang-tidy, cppcheck, a build with clang'
	@echo 'make fuzz       FUZZ_SECONDS=60 of new inputs for each fuzzer'
	@echo 'make train      CORPUS="dir...": weights of the second opinion from labelled documents'
	@echo 'make bench      figures beside those of other programs'
	@echo 'make install    DESTDIR, prefix=/usr/local, sysconfdir=/etc; make uninstall'

clean:
	rm -rf $(B)

-include $(LIB_OBJ:.o=.d) $(PROGS:$(B)/%=$(B)/daemon/%.d) $(UNIT:=.d) $(FUZZ:=.d) $(B)/tests/receiver.d

.PHONY: all unit clean test test-programs asan tsan train fuzz check bench deps deps-run deps-check run \
	install uninstall help
