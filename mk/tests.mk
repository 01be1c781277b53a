# SPDX-License-Identifier: Apache-2.0
# Tests are one executable per file; tests/run counts them all.
.PHONY: check check-unit check-bpf check-system guest asan cover tests

UNIT_TESTS = $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test-*.c))
BPF_TESTS = $(patsubst tests/bpf/%.c,$(BUILD)/tests/bpf/%,$(wildcard tests/bpf/test-*.c))

# Names begin with the part they test; everything is linked, archives give
# only what is used.
TEST_ARCHIVES = $(LIB)/libdhcp4.a $(LIB)/libsdk.a $(LIB)/libnet.a $(LIB)/libcli.a \
	$(LIB)/libpriv.a $(LIB)/libstate.a $(LIB)/libcommon.a

BPF_SUPPORT = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/bpf/support-*.c))
$(BPF_TESTS): $(BPF_SUPPORT) | $(LIB)/calfpen/calfpen-gateway $(LIB)/calfpen/calfpen-priv

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(TEST_ARCHIVES)
	$(call msg,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pie $(filter %.o,$^) -Wl,--start-group $(TEST_ARCHIVES) \
		-Wl,--end-group $(PRIV_LIBS) -lcriterion -o $@

$(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/bpf/*.c tests/unit/*.c)): | $(SKELETONS)
$(BUILD)/obj/tests/bpf/test-%.o: CFLAGS += -Wno-conversion

# It counts what is allocated.
$(BUILD)/tests/unit/test-dhcp4-endurance: LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

# Programs that system tests use; a calf is static.
TEST_TOOLS = $(patsubst tests/tools/%.c,$(BUILD)/tests/tools/%,$(wildcard tests/tools/*.c))

$(BUILD)/tests/tools/%-calf: $(BUILD)/obj/tests/tools/%-calf.o $(LIB)/libcommon.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -static-pie $^ -o $@

$(BUILD)/tests/tools/%: $(BUILD)/obj/tests/tools/%.o $(LIB)/libcommon.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pie $^ -lbpf -lelf -lz -o $@

# and the generator of tools/pktgen
TEST_TOOLS += $(BUILD)/bench/bin/frames-generator

# Not there where it is installed, or cannot be had.
$(BUILD)/tests/chrony:
	$(Q)tests/system/fetch-chrony $@

tests: all $(UNIT_TESTS) $(BPF_TESTS) $(TEST_TOOLS) $(BUILD)/tests/chrony ## build the tests and run none

check: ## every test: unit, BPF, system in the lab, 6.1 guest (root)
	@tools/bootstrap --check check || tools/bootstrap check
	@$(MAKE) --no-print-directory tests
	@$(MAKE) --no-print-directory lint
	@tests/run unit bpf system guest

check-unit: ## unit tests only; needs no root once packages are there
	@tools/bootstrap --check check || tools/bootstrap check
	@$(MAKE) --no-print-directory all $(UNIT_TESTS)
	@tests/run unit

check-bpf: tests ## one BPF_PROG_RUN row per filter and gate rule (root)
	@tests/run bpf

check-system: tests ## the whole system against a real server, in the lab (root)
	@tests/run system

guest: tests ## Debian's 6.1 kernel under qemu loads and passes the BPF tests
	@tests/run guest

asan: ## unit tests with address and undefined behaviour sanitizers
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan O=1 \
		SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=undefined" asan-run
.PHONY: asan-run
asan-run: $(UNIT_TESTS)
	@BUILD=$(BUILD) tests/run unit

cover: ## lines that unit tests run; below 95 % of userspace/calf/dhcp4 fails
	@tools/bootstrap --check check || tools/bootstrap check
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/cover O=0 SANITIZE=--coverage cover-run
.PHONY: cover-run
cover-run: $(UNIT_TESTS)
	@find $(BUILD)/obj -name '*.gcda' -delete
	@BUILD=$(BUILD) tests/run unit
	@BUILD=$(BUILD) tests/cover userspace/calf/dhcp4 95
