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
PKGS = libuv lmdb libgit2 libcurl jansson yaml-0.1 libxxhash libcrypto libpcre2-8 libzstd
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null)
CPPFLAGS += -D_GNU_SOURCE -DCW_VERSION='"$(VERSION)"' -Iinclude -Idaemon
ALL_CFLAGS = -std=gnu17 $(OPT) $(WARN) $(HARDEN) $(SAN) -fno-strict-aliasing -fvisibility=hidden \
	-MMD -MP $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(SAN) -pie -Wl,-z,relro,-z,now $(LDFLAGS)

# Rooms of the house; the two programs sit beside them and are not in the library.
LIB_SRC := $(wildcard daemon/*/*.c) $(filter-out daemon/clausewatch.c daemon/clausewatchd.c,$(wildcard daemon/*.c))
LIB_OBJ := $(LIB_SRC:%.c=$(B)/%.o)
PROGS := $(patsubst daemon/%.c,$(B)/%,$(wildcard daemon/clausewatch.c daemon/clausewatchd.c))
UNIT_SRC := $(wildcard tests/unit/test_*.c)
UNIT := $(UNIT_SRC:tests/unit/%.c=$(B)/tests/%)

all: $(PROGS)

$(B)/libclausewatch.a: $(LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(PROGS): $(B)/%: $(B)/daemon/%.o $(B)/libclausewatch.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lpthread -lm

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(B)/tests/%: tests/unit/%.c $(B)/libclausewatch.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $< $(ALL_LDFLAGS) $(B)/libclausewatch.a $(PKG_LIBS) -lcmocka -lpthread -lm

# A program that tests and `make run` send alerts to.
$(B)/tests/receiver: tests/receiver.c $(B)/libclausewatch.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $< $(ALL_LDFLAGS) $(B)/libclausewatch.a $(PKG_LIBS) -lmicrohttpd -lpthread -lm

unit: $(UNIT) $(B)/tests/receiver
	@set -e; for t in $(UNIT); do echo "== $$t"; $$t; done

clean:
	rm -rf $(B)

-include $(LIB_OBJ:.o=.d) $(PROGS:$(B)/%=$(B)/daemon/%.d) $(UNIT:=.d) $(B)/tests/receiver.d

.PHONY: all unit clean
