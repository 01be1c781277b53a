# SPDX-License-Identifier: Apache-2.0
PREFIX ?= /usr/local
DESTDIR ?=

.PHONY: install
install: all ## install under PREFIX (default /usr/local)
	install -D -m 0755 $(BUILD)/bin/calfpen $(DESTDIR)$(PREFIX)/bin/calfpen
	install -D -m 0755 $(LIB)/calfpen/calfpen-priv $(DESTDIR)$(PREFIX)/lib/calfpen/calfpen-priv
	install -D -m 0755 $(LIB)/calfpen/calfpen-gateway $(DESTDIR)$(PREFIX)/lib/calfpen/calfpen-gateway
	install -D -m 0755 $(CALVES)/dhcp4/calf-dhcp4 \
		$(DESTDIR)$(PREFIX)/lib/calfpen/calves/dhcp4/calf-dhcp4
	install -D -m 0644 $(CALVES)/dhcp4/calf.yaml \
		$(DESTDIR)$(PREFIX)/lib/calfpen/calves/dhcp4/calf.yaml
	install -D -m 0644 packaging/completion/calfpen \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/calfpen
	install -D -m 0644 docs/man/calfpen.8 $(DESTDIR)$(PREFIX)/share/man/man8/calfpen.8
	install -D -m 0644 docs/man/calfpen.yaml.5 \
		$(DESTDIR)$(PREFIX)/share/man/man5/calfpen.yaml.5
