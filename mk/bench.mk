# SPDX-License-Identifier: Apache-2.0
# Measurements: a program or more each, run and judged by tools/bench/run.
.PHONY: bench bench-programs

BENCH_SUPPORT = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tools/bench/support*.c))
BENCH_PROGRAMS = $(patsubst tools/bench/%.c,$(BUILD)/bench/bin/%, \
	$(filter-out tools/bench/support%,$(wildcard tools/bench/*.c)))

$(BUILD)/bench/bin/%: $(BUILD)/obj/tools/bench/%.o $(BENCH_SUPPORT) $(LIB)/libpriv.a \
		$(LIB)/libcommon.a
	$(call msg,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pie $^ $(PRIV_LIBS) -o $@

bench-programs: all $(BENCH_PROGRAMS)

bench: ## every measurement beside its peers; BENCH=NAME one of them (root)
	@tools/bootstrap --check bench || tools/bootstrap bench
	@$(MAKE) --no-print-directory bench-programs
	@BUILD=$(BUILD) tools/bench/run $(BENCH)
