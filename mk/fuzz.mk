# SPDX-License-Identifier: Apache-2.0
# The fuzzers: libFuzzer targets with address and undefined behaviour
# sanitizers, built apart under build/fuzz, and the oracle, which compares our
# decoder with the reference tool.
.PHONY: fuzz fuzz-run

FUZZ_SECONDS ?= 60
FUZZ_TARGETS = fuzz-wire fuzz-gateway
FUZZ_PROGRAMS = $(patsubst %,$(BUILD)/%,$(FUZZ_TARGETS) seeds oracle)

fuzz: ## all fuzzers, FUZZ_SECONDS=60 each; corpora stay in build/fuzz
	@tools/bootstrap --check check || tools/bootstrap check
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC=clang O=1 \
		SANITIZE="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined" fuzz-run

fuzz-run: $(FUZZ_PROGRAMS)
	@BUILD=$(BUILD) tests/fuzz/run $(FUZZ_SECONDS) $(FUZZ_TARGETS)

$(BUILD)/fuzz-%: $(BUILD)/obj/tests/fuzz/fuzz-%.o $(LIB)/libpriv.a $(LIB)/libcommon.a
	$(call msg,FUZZ,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -pie $^ $(PRIV_LIBS) -o $@

$(BUILD)/seeds $(BUILD)/oracle: $(BUILD)/%: $(BUILD)/obj/tests/fuzz/%.o $(LIB)/libcommon.a
	$(call msg,FUZZ,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pie $^ -o $@
