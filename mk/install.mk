# SPDX-License-Identifier: Apache-2.0
# Installing and packaging. `prefix` is GNU's name for PREFIX; `mandir` and
# `completionsdir` may be set, too. bin/ and lib/calfpen/ have fixed names below
# the prefix, because calfpen looks for ../lib/calfpen relative to its own path.
PREFIX ?= /usr/local
DESTDIR ?=
prefix = $(PREFIX)
datarootdir = $(prefix)/share
mandir = $(datarootdir)/man
completionsdir = $(datarootdir)/bash-completion/completions

INSTALL = install
INSTALL_PROGRAM = $(INSTALL) -D -m 0755
INSTALL_DATA = $(INSTALL) -D -m 0644

# Every installed file, as SOURCE:DESTINATION; install and uninstall both use these
# two lists.
INSTALLED_PROGRAMS = $(foreach p,$(filter-out %.yaml,$(PROGRAMS)),$(p):$(p:$(BUILD)/%=$(prefix)/%))
INSTALLED_DATA = $(foreach p,$(filter %.yaml,$(PROGRAMS)),$(p):$(p:$(BUILD)/%=$(prefix)/%)) \
	packaging/completion/calfpen:$(completionsdir)/calfpen \
	docs/man/calfpen.8:$(mandir)/man8/calfpen.8 \
	docs/man/calfpen.yaml.5:$(mandir)/man5/calfpen.yaml.5

source = $(firstword $(subst :, ,$(1)))
destination = $(DESTDIR)$(lastword $(subst :, ,$(1)))
INSTALLED = $(foreach f,$(INSTALLED_PROGRAMS) $(INSTALLED_DATA),$(call destination,$(f)))
# Directories that belong to Calfpen alone, deepest first
INSTALLED_DIRECTORIES = $(addprefix $(DESTDIR)$(prefix)/lib/calfpen, \
	$(addprefix /calves/,$(CALVES)) /calves /)

define newline


endef

.PHONY: install install-strip uninstall dist

install: all ## install into prefix= (or PREFIX=, default /usr/local) in DESTDIR=
	$(foreach f,$(INSTALLED_PROGRAMS),$(INSTALL_PROGRAM) $(call source,$(f)) \
		$(call destination,$(f))$(newline)	)
	$(foreach f,$(INSTALLED_DATA),$(INSTALL_DATA) $(call source,$(f)) \
		$(call destination,$(f))$(newline)	)

install-strip: ## like install, but strip the programs
	@$(MAKE) --no-print-directory INSTALL_PROGRAM='$(INSTALL_PROGRAM) -s' install

uninstall: ## remove the installed files from prefix= in DESTDIR=
	rm -f $(INSTALLED)
	@for d in $(INSTALLED_DIRECTORIES); do \
		[ ! -d "$$d" ] || rmdir --ignore-fail-on-non-empty "$$d"; done

# The archive is reproducible: git uses the time of the commit for every file, and
# gzip -n stores none.
dist: ## create build/calfpen-VERSION.tar.gz from HEAD
	@mkdir -p $(BUILD)
	@git diff --quiet HEAD || echo "dist: uncommitted changes are not included" >&2
	git -c tar.umask=0022 archive --format=tar --prefix=calfpen-$(VERSION)/ -o $(DIST).tar HEAD
	gzip -n -9 -f $(DIST).tar

DIST = $(BUILD)/calfpen-$(VERSION)
