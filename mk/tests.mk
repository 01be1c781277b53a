# SPDX-License-Identifier: Apache-2.0
# One executable per test file; tests/run runs and counts them.
.PHONY: check check-long check-unit check-bpf check-system guest asan asan-programs cover tests

UNIT_TESTS = $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test-*.c))
BPF_TESTS = $(patsubst tests/bpf/%.c,$(BUILD)/tests/bpf/%,$(wildcard tests/bpf/test-*.c))

# A test links only the part that it is named after and what that part may include
# (tools/lint/includes), so that two calves may define the same names.
PARTS_common = common
PARTS_state = state common
PARTS_net = net common
PARTS_sdk = sdk common
$(foreach calf,$(CALVES),$(eval PARTS_$(calf) = $(calf) sdk net common))
PARTS_cli = cli state common
PARTS_priv = priv state common
PARTS_pen = pen common
# These tests compare two parts; their names say only one of them.
PARTS_test-dhcp4-calf = dhcp4 sdk net priv state common
PARTS_test-frames-client = dhcp4 sdk net priv state common
PARTS_test-frames-witness-parser = dhcp4 sdk net priv state common
# The pen must understand the bundles that priv writes.
PARTS_test-pen-config = pen priv state common
# A test in tests/bpf/ uses a real store, or a real bundle.
PARTS_bpf_cli = cli priv state common
PARTS_bpf_pen = pen priv state common

LIBS_common = -lmd
LIBS_state = -ljansson
LIBS_cli = $(CLI_LIBS)
LIBS_priv = $(PRIV_LIBS)
LIBS_sdk = $(CALF_LIBS)
LIBS_pen = $(PEN_LIBS)

# "unit/test-dhcp4-client-lease" links PARTS_test-dhcp4-client-lease if defined, else
# PARTS_dhcp4, else PARTS_priv
test_name = $(patsubst test-%,%,$(notdir $(1)))
test_part = $(if $(filter bpf/%,$(1)),bpf_)$(firstword $(subst -, ,$(call test_name,$(1))))
test_parts = $(or $(PARTS_$(notdir $(1))),$(PARTS_$(call test_part,$(1))),$(PARTS_priv))
test_archives = $(patsubst %,$(LIB)/lib%.a,$(call test_parts,$(1)))
test_libs = $(foreach part,$(call test_parts,$(1)),$(LIBS_$(part)))

BPF_SUPPORT = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/bpf/support-*.c))
$(BPF_TESTS): $(BPF_SUPPORT) | $(addprefix $(LIB)/calfpen/calfpen-,gateway priv pen)

.SECONDEXPANSION:
$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $$(call test_archives,$$*)
	$(call msg,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pie $(filter %.o,$^) $(call test_archives,$*) \
		$(call test_libs,$*) -lcriterion -o $@

$(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/bpf/*.c tests/unit/*.c)): | $(SKELETONS)
# Packed headers of frames are filled in with narrowing assignments.
$(BUILD)/obj/tests/bpf/test-%.o: CFLAGS += -Wno-conversion

# These tests count allocations.
$(patsubst %,$(BUILD)/tests/unit/test-%,dhcp4-agent-endurance handlers-provider-allocations): \
	LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

# Programs for system tests; calves are linked statically.
TEST_TOOLS = $(patsubst tests/tools/%.c,$(BUILD)/tests/tools/%,$(wildcard tests/tools/*.c))

$(BUILD)/tests/tools/%-calf: $(BUILD)/obj/tests/tools/%-calf.o $(LIB)/libsdk.a $(LIB)/libcommon.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -static-pie $^ $(CALF_LIBS) -o $@

# Calves for system tests, each with its description in a directory of its own
TEST_CALVES = $(notdir $(wildcard tests/calf/*))
TEST_TOOLS += $(foreach calf,$(TEST_CALVES),$(BUILD)/tests/calf/$(calf)/calf-$(calf) \
	$(BUILD)/tests/calf/$(calf)/calf.yaml)

define test_calf
$$(BUILD)/tests/calf/$(1)/calf-$(1): $$(BUILD)/obj/tests/calf/$(1)/main.o $$(LIB)/libsdk.a \
		$$(LIB)/libnet.a $$(LIB)/libcommon.a
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CFLAGS) $$(LDFLAGS) -static-pie $$^ $$(CALF_LIBS) -o $$@
endef
$(foreach calf,$(TEST_CALVES),$(eval $(call test_calf,$(calf))))

$(BUILD)/tests/calf/%/calf.yaml: tests/calf/%/calf.yaml
	@mkdir -p $(@D)
	$(Q)cp $< $@

# A gateway that confines itself as the real one does
$(BUILD)/tests/tools/hostile-gateway: $(BUILD)/obj/tests/tools/hostile-gateway.o \
		$(patsubst %,$(BUILD)/obj/tests/bpf/support-%.o,frames-grammar gate-requests) \
		$(LIB)/libpriv.a $(LIB)/libcommon.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pie $^ $(GATEWAY_LIBS) -o $@

$(BUILD)/tests/tools/%: $(BUILD)/obj/tests/tools/%.o $(LIB)/libcommon.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pie $^ -lbpf -lelf -lz -o $@

# the generator of tools/pktgen, too
TEST_TOOLS += $(BUILD)/bench/bin/frames-generator

# Not built if chrony is installed or cannot be downloaded.
$(BUILD)/tests/chrony:
	$(Q)tests/system/fetch-chrony $@

tests: all $(UNIT_TESTS) $(BPF_TESTS) $(TEST_TOOLS) $(BUILD)/tests/chrony asan-programs ## build the tests without running them

check: ## run all tests (unit, BPF, system, 6.1 guest) and lint (root)
	@tools/bootstrap --check check || tools/bootstrap check
	@$(MAKE) --no-print-directory tests
	@$(MAKE) --no-print-directory lint
	@tests/run unit bpf system guest

check-long: tests ## run the BPF tests and kill calves, both as often as a long test does (root)
	@CALFPEN_GATE_REQUESTS=1000000 CALFPEN_ATTACK_OPERATIONS=10000000 \
		CALFPEN_CALVES_FRAMES=100000 CALFPEN_PEN_STARTS=1000 tests/run bpf
	@CALFPEN_KILLS=20 tests/system/run calves:kill_each_process
	@CALFPEN_RUNTIME=runc tests/system/run lease servers-dnsmasq renewal restart

check-unit: ## run the unit tests; needs no root if the packages are installed
	@tools/bootstrap --check check || tools/bootstrap check
	@$(MAKE) --no-print-directory all $(UNIT_TESTS)
	@tests/run unit

check-bpf: tests ## run the BPF tests: the rules of filter and gate (root)
	@tests/run bpf

check-system: tests ## run the system tests against real servers in the lab (root)
	@tests/run system

guest: tests ## run the BPF tests on Debian's 6.1 kernel under qemu
	@tests/run guest

# gcc, because clang does not see uses of a compound literal after its block.
ASAN_MAKE = $(MAKE) --no-print-directory CC=gcc BUILD=$(BUILD)/asan O=1 \
	SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=undefined"

ASAN_OPTIONS_OBJECT = $(BUILD)/asan/obj/tests/sanitizers.o

# For tests/system/test-sanitizers.sh. A calf would need libraries in its container.
asan-programs: ## build the programs with sanitizers into build/asan/, for a system test
	+@$(ASAN_MAKE) $(ASAN_OPTIONS_OBJECT)
	+@$(ASAN_MAKE) GATEWAY_LIBS='$(GATEWAY_LIBS) $(ASAN_OPTIONS_OBJECT)' \
		PRIV_LIBS='$(PRIV_LIBS) $(ASAN_OPTIONS_OBJECT)' \
		PEN_LIBS='$(PEN_LIBS) $(ASAN_OPTIONS_OBJECT)' \
		$(patsubst $(BUILD)/%,$(BUILD)/asan/%,$(filter-out $(CALVES_DIRECTORY)/%,$(PROGRAMS)))

asan: ## run the unit tests with address and undefined behaviour sanitizers
	+@$(ASAN_MAKE) asan-run
.PHONY: asan-run
asan-run: $(UNIT_TESTS)
	@BUILD=$(BUILD) tests/run unit

cover: ## measure line coverage; less than 95 % of a calf fails
	@tools/bootstrap --check check || tools/bootstrap check
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/cover O=0 SANITIZE=--coverage cover-run
.PHONY: cover-run
cover-run: $(UNIT_TESTS)
	@find $(BUILD)/obj -name '*.gcda' -delete
	@BUILD=$(BUILD) tests/run unit
	@$(foreach calf,$(CALVES),BUILD=$(BUILD) tests/cover userspace/calf/$(calf) 95 &&) true
