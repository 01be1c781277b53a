# SPDX-License-Identifier: Apache-2.0
# A target per thing a person does; the rules behind them are in mk/.
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

demo: ## a real DHCP lease in a lab of namespaces, shown as it arrives (root)
	@tools/bootstrap --check demo || tools/bootstrap demo
	@$(MAKE) --no-print-directory all
	@tools/demo

clean: ## remove build/
	rm -rf $(BUILD)

help: ## this list
	@awk -F ':.*## ' '/^[a-z_-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' \
		Makefile mk/*.mk | sort
