# SPDX-License-Identifier: Apache-2.0
# Compilers and flags. Variables that call pkg-config are expanded late, because on
# a fresh machine tools/bootstrap has to install it first.
# make sets CC to cc by default; use CC only from the command line or environment.
ifeq ($(origin CC),default)
CC = gcc
endif
CLANG = clang
BPFTOOL = $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)
PKG_CONFIG = pkg-config
O ?= 2

ifeq ($(V),1)
Q =
msg = @:
else
Q = @
msg = @printf '  %-8s %s\n' $(1) $(2)
endif

WARNINGS = -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes \
	-Wmissing-declarations -Wshadow -Wpointer-arith -Wcast-qual \
	-Wsign-compare -Wconversion -Wformat=2 -Wvla
HARDENING = -fno-common -fvisibility=hidden -fstack-protector-strong -fPIE \
	$(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)
NL_CFLAGS = $(shell $(PKG_CONFIG) --cflags libnl-3.0 libnl-route-3.0)

CPPFLAGS = -D_GNU_SOURCE -I. -isystem $(BUILD)/include -DCALFPEN_VERSION='"$(VERSION)"'
CFLAGS = -std=gnu17 -O$(O) -g $(WARNINGS) $(HARDENING) $(SANITIZE)
LDFLAGS = $(SANITIZE) -Wl,-z,relro,-z,now

VERSION = 0.1.0

$(BUILD)/%/:
	@mkdir -p $@
