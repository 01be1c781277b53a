# SPDX-License-Identifier: Apache-2.0
# Measurements: one or more programs each, run and evaluated by tools/bench/run.
.PHONY: bench bench-programs

BENCH_SOURCES = $(filter-out %.bpf.c,$(wildcard tools/bench/*.c))
BENCH_SUPPORT = $(patsubst %.c,$(BUILD)/obj/%.o,$(filter tools/bench/support%,$(BENCH_SOURCES)))
BENCH_PROGRAMS = $(patsubst tools/bench/%.c,$(BUILD)/bench/bin/%, \
	$(filter-out tools/bench/support%,$(BENCH_SOURCES)))
# Kernel programs that ours are compared with
BENCH_SKELETONS = $(patsubst tools/bench/%.bpf.c,$(BUILD)/include/bench/%.skel.h, \
	$(wildcard tools/bench/*.bpf.c))

$(BUILD)/bench/bpf/%.bpf.o: tools/bench/%.bpf.c | $(BUILD)/bench/bpf/
	$(call msg,BPF,$<)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@.tmp
	$(Q)$(BPFTOOL) gen object $@ $@.tmp && rm $@.tmp

$(BUILD)/include/bench/%.skel.h: $(BUILD)/bench/bpf/%.bpf.o | $(BUILD)/include/bench/
	$(call msg,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

$(patsubst %.c,$(BUILD)/obj/%.o,$(BENCH_SOURCES)): | $(SKELETONS) $(BENCH_SKELETONS)

$(BUILD)/bench/bin/%: $(BUILD)/obj/tools/bench/%.o $(BENCH_SUPPORT) $(LIB)/libpriv.a $(LIB)/libstate.a \
		$(LIB)/libcommon.a
	$(call msg,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pie $^ $(PRIV_LIBS) -o $@

# A further calf beside dhcp4
BENCH_CALF = $(addprefix $(BUILD)/tests/calf/observer/,calf-observer calf.yaml)

bench-programs: all $(BENCH_PROGRAMS) $(BENCH_CALF) ## build the programs that bench and tools/pktgen run

bench: ## compare with other programs, write JSON and SVG; BENCH=NAME: only one; BASE=COMMIT: also with that commit (root)
	@tools/bootstrap --check bench || tools/bootstrap bench
	@$(MAKE) --no-print-directory bench-programs
	@BUILD=$(BUILD) tools/bench/run $(if $(BASE),--base '$(BASE)') $(BENCH)
