# SPDX-License-Identifier: Apache-2.0
# The fuzzers: libFuzzer targets with address and undefined behaviour sanitizers,
# built separately in build/fuzz, and the oracle, which compares our decoder with
# the reference tool.
.PHONY: fuzz fuzz-run

FUZZ_SECONDS ?= 60
FUZZ_TARGET ?= wire gateway frames dhcp4-parse dhcp4-fixed-point dhcp4-client dhcp4-restore \
	ipv6 migrate records
FUZZ_TARGETS = $(addprefix fuzz-,$(FUZZ_TARGET))
FUZZ_PROGRAMS = $(patsubst %,$(BUILD)/%,$(FUZZ_TARGETS) seeds seeds-dhcp4 seeds-ipv6 seeds-migrate \
	seeds-records oracle)
# What fuzz-records reads is written by a kernel program, so that is fuzzed with it.
FUZZ_GATE = $(if $(filter fuzz-records,$(FUZZ_TARGETS)),$(BUILD)/tests/bpf/test-gate-property)

fuzz: ## run the fuzzers, FUZZ_SECONDS=60 each; FUZZ_TARGET=wire: only one; corpora stay in build/fuzz
	@tools/bootstrap --check check || tools/bootstrap check
	@$(if $(FUZZ_GATE),$(MAKE) --no-print-directory $(FUZZ_GATE))
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC=clang O=1 \
		SANITIZE="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined" \
		FUZZ_GATE='$(FUZZ_GATE)' fuzz-run

fuzz-run: $(FUZZ_PROGRAMS)
	@BUILD=$(BUILD) GATE='$(FUZZ_GATE)' tests/fuzz/run $(FUZZ_SECONDS) $(FUZZ_TARGETS)

# The targets of a calf are named after it. In them, every function that reads untrusted
# bytes counts as a step (tests/fuzz/steps.c).
FUZZ_STEPS = bytes_left bytes_u8 bytes_be16 bytes_be32 bytes_copy bytes_skip bytes_sub bytes_view
comma = ,
define fuzz_calf
$(BUILD)/fuzz-$(1)-%: LDFLAGS += $(addprefix -Wl$(comma)--wrap=,$(FUZZ_STEPS))
$(BUILD)/fuzz-$(1)-%: $(BUILD)/obj/tests/fuzz/fuzz-$(1)-%.o $(BUILD)/obj/tests/fuzz/steps.o $(LIB)/lib$(1).a \
		$(LIB)/libsdk.a $(LIB)/libnet.a $(LIB)/libpriv.a $(LIB)/libstate.a $(LIB)/libcommon.a
	$$(call msg,FUZZ,$$@)
	$$(Q)$$(CC) $$(CFLAGS) $$(LDFLAGS) -fsanitize=fuzzer -pie $$^ $$(PRIV_LIBS) -o $$@
endef
$(foreach calf,$(CALVES),$(eval $(call fuzz_calf,$(calf))))

$(BUILD)/fuzz-frames: $(BUILD)/obj/tests/fuzz/fuzz-frames.o $(LIB)/libcli.a $(LIB)/libstate.a $(LIB)/libcommon.a
	$(call msg,FUZZ,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -pie $^ $(CLI_LIBS) -o $@

$(BUILD)/fuzz-%: $(BUILD)/obj/tests/fuzz/fuzz-%.o $(LIB)/libpriv.a $(LIB)/libstate.a $(LIB)/libcommon.a
	$(call msg,FUZZ,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -pie $^ $(PRIV_LIBS) -o $@

$(BUILD)/seeds $(BUILD)/seeds-dhcp4 $(BUILD)/seeds-ipv6 $(BUILD)/seeds-migrate $(BUILD)/seeds-records $(BUILD)/oracle: $(BUILD)/%: $(BUILD)/obj/tests/fuzz/%.o \
		$(LIB)/libnet.a $(LIB)/libcommon.a
	$(call msg,FUZZ,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pie $^ -o $@
