# SPDX-License-Identifier: Apache-2.0
# Tests are one executable per file; tests/run counts them all.
.PHONY: check check-unit check-bpf check-system guest asan cover tests

UNIT_TESTS = $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test-*.c))
BPF_TESTS = $(patsubst tests/bpf/%.c,$(BUILD)/tests/bpf/%,$(wildcard tests/bpf/test-*.c))

# A test links what its name says and what that may include (tools/lint/includes),
# so two calves may use the same names.
PARTS_common = common
PARTS_state = state common
PARTS_net = net common
PARTS_sdk = sdk common
PARTS_dhcp4 = dhcp4 sdk net common
PARTS_cli = cli state common
PARTS_priv = priv state common
# Two parts that must agree, one of which the name says.
PARTS_test-dhcp4-calf = dhcp4 sdk net priv state common
# A test in tests/bpf/ has a real store.
PARTS_bpf_cli = cli priv state common

LIBS_state = -ljansson
LIBS_cli = $(CLI_LIBS)
LIBS_priv = $(PRIV_LIBS)
LIBS_sdk = $(CALF_LIBS)

# "unit/test-dhcp4-client-lease": of dhcp4-client-lease, of dhcp4, or of priv
test_name = $(patsubst test-%,%,$(notdir $(1)))
test_part = $(if $(filter bpf/%,$(1)),bpf_)$(firstword $(subst -, ,$(call test_name,$(1))))
test_parts = $(or $(PARTS_$(notdir $(1))),$(PARTS_$(call test_part,$(1))),$(PARTS_priv))
test_archives = $(patsubst %,$(LIB)/lib%.a,$(call test_parts,$(1)))
test_libs = $(foreach part,$(call test_parts,$(1)),$(LIBS_$(part)))

BPF_SUPPORT = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/bpf/support-*.c))
$(BPF_TESTS): $(BPF_SUPPORT) | $(LIB)/calfpen/calfpen-gateway $(LIB)/calfpen/calfpen-priv

.SECONDEXPANSION:
$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $$(call test_archives,$$*)
	$(call msg,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pie $(filter %.o,$^) $(call test_archives,$*) \
		$(call test_libs,$*) -lcriterion -o $@

$(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/bpf/*.c tests/unit/*.c)): | $(SKELETONS)
# Programs' packed headers are filled in by assignments that narrow.
$(BUILD)/obj/tests/bpf/test-%.o: CFLAGS += -Wno-conversion

# It counts what is allocated.
$(BUILD)/tests/unit/test-dhcp4-agent-endurance: LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

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
