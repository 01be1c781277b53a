# SPDX-License-Identifier: Apache-2.0
# Targets for people; the rules that they use are in mk/.
BUILD ?= build
V ?= 0

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:

include mk/toolchain.mk
include mk/bpf.mk
include mk/userspace.mk
include mk/tests.mk
include mk/fuzz.mk
include mk/bench.mk
include mk/quality.mk
include mk/install.mk

.PHONY: all demo clean help

all: $(PROGRAMS) $(BUILD)/compile_commands.json ## build everything into build/

demo: ## show a real DHCP lease in a lab of namespaces (root)
	@tools/bootstrap --check demo || tools/bootstrap demo
	@$(MAKE) --no-print-directory all
	@tools/demo

clean: ## remove build/
	rm -rf $(BUILD)

help: ## print this list
	@awk -F ':.*## ' '/^[a-z_-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' \
		Makefile mk/*.mk | sort
