# SPDX-License-Identifier: Apache-2.0
# One archive per part, so that tests link only the part they test. The programs
# have the same layout in build/ as below PREFIX.
sources = $(sort $(filter-out %/main.c,$(foreach d,$(1),$(wildcard $(d)/*.c))))
# A directory, and those in it
with_rooms = $(patsubst %/,%,$(sort $(dir $(wildcard $(1)/*.c $(1)/*/*.c))))
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

COMMON_SOURCES = $(call sources,userspace/common)
STATE_SOURCES = $(call sources,userspace/state)
PRIV_SOURCES = $(call sources,$(call with_rooms,userspace/priv))
CLI_SOURCES = $(call sources,userspace/cli userspace/cli/frames)
PEN_SOURCES = $(call sources,userspace/pen)
NET_SOURCES = $(call sources,userspace/calf/net)
SDK_SOURCES = $(call sources,userspace/calf/sdk)
# The calves that are built, tested and installed
CALVES = dhcp4
CALVES_SOURCES = $(foreach calf,$(CALVES),$(call sources,$(call with_rooms,userspace/calf/$(calf))))
MAIN_SOURCES = $(wildcard userspace/priv/main.c userspace/priv/gateway/main.c userspace/cli/main.c \
	userspace/pen/main.c \
	$(patsubst %,userspace/calf/%/main.c,$(CALVES)))
SOURCES = $(COMMON_SOURCES) $(STATE_SOURCES) $(PRIV_SOURCES) $(CLI_SOURCES) $(PEN_SOURCES) \
	$(NET_SOURCES) $(SDK_SOURCES) $(CALVES_SOURCES) $(MAIN_SOURCES)

LIB = $(BUILD)/lib
CALVES_DIRECTORY = $(LIB)/calfpen/calves
PROGRAMS = $(BUILD)/bin/calfpen $(LIB)/calfpen/calfpen-priv $(LIB)/calfpen/calfpen-gateway \
	$(LIB)/calfpen/calfpen-pen \
	$(foreach calf,$(CALVES),$(addprefix $(CALVES_DIRECTORY)/$(calf)/,calf-$(calf) calf.yaml))

PRIV_LIBS = -lbpf -lelf -lz -lseccomp -lcap -ljansson -lyaml -lmd \
	$(shell $(PKG_CONFIG) --libs libnl-route-3.0 libnl-3.0)
CLI_LIBS = -lbpf -lelf -lz -ljansson -lmd
GATEWAY_LIBS = -lseccomp -lcap
CALF_LIBS = -lseccomp
PEN_LIBS = -ljansson -lseccomp

# archive NAME,SOURCES
define archive
$(LIB)/lib$(1).a: $(call objects,$(2)) | $(LIB)/
	$$(call msg,AR,$$@)
	$$(Q)rm -f $$@ && $$(AR) qcs $$@ $$^
endef
$(eval $(call archive,common,$(COMMON_SOURCES)))
$(eval $(call archive,state,$(STATE_SOURCES)))
$(eval $(call archive,priv,$(PRIV_SOURCES)))
$(eval $(call archive,cli,$(CLI_SOURCES)))
$(eval $(call archive,pen,$(PEN_SOURCES)))
$(eval $(call archive,net,$(NET_SOURCES)))
$(eval $(call archive,sdk,$(SDK_SOURCES)))
$(foreach calf,$(CALVES),$(eval \
	$(call archive,$(calf),$(call sources,$(call with_rooms,userspace/calf/$(calf))))))

# Skeletons must exist before the first object of priv is compiled. After that, the
# dependency files list them (-MD, not -MMD: they are in a system directory).
$(call objects,$(PRIV_SOURCES) userspace/priv/main.c): | $(SKELETONS)
$(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard userspace/priv/netlink/*.c)): CFLAGS += $(NL_CFLAGS)

$(BUILD)/obj/%.o: %.c
	$(call msg,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MD -MP -c $< -o $@

$(LIB)/calfpen/calfpen-priv: $(BUILD)/obj/userspace/priv/main.o $(LIB)/libpriv.a $(LIB)/libstate.a $(LIB)/libcommon.a
	$(call msg,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pie $^ $(PRIV_LIBS) -o $@

# Static, because there is one process per calf, and so that a reference to a library
# of calfpen-priv fails as an undefined symbol. Optimized as a whole, because a
# request consists mostly of calls of small functions of the codec. common/ is linked
# as an archive, so that unused files do not pull in more of the C library.
GATEWAY_SOURCES = $(wildcard userspace/priv/gateway/*.c userspace/priv/confine/*.c) \
	userspace/priv/key_table.c userspace/priv/sealed.c
gateway_objects = $(patsubst %.c,$(BUILD)/obj/gateway/%.o,$(1))
WHOLE = $(if $(SANITIZE)$(findstring clang,$(CC)),,-O3 -flto=auto)

$(BUILD)/obj/gateway/%.o: %.c
	$(call msg,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(WHOLE) -MD -MP -c $< -o $@

$(BUILD)/obj/gateway/libcommon.a: $(call gateway_objects,$(COMMON_SOURCES))
	$(call msg,AR,$@)
	$(Q)rm -f $@ && $(if $(WHOLE),gcc-ar,$(AR)) qcs $@ $^

$(LIB)/calfpen/calfpen-gateway: $(call gateway_objects,$(GATEWAY_SOURCES)) \
		$(BUILD)/obj/gateway/libcommon.a
	$(call msg,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(WHOLE) $(LDFLAGS) $(if $(SANITIZE),,-static-pie) $^ $(GATEWAY_LIBS) -o $@

# Static, because it is executed at each start of a calf, and what it executes shares nothing
# with the host.
$(LIB)/calfpen/calfpen-pen: $(BUILD)/obj/userspace/pen/main.o $(LIB)/libpen.a $(LIB)/libcommon.a
	$(call msg,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(if $(SANITIZE),,-static-pie) $^ $(PEN_LIBS) -o $@

$(BUILD)/bin/calfpen: $(BUILD)/obj/userspace/cli/main.o $(LIB)/libcli.a $(LIB)/libstate.a $(LIB)/libcommon.a
	$(call msg,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pie $^ $(CLI_LIBS) -o $@

# A calf is one static binary; its root file system contains nothing else.
define calf_program
$(CALVES_DIRECTORY)/$(1)/calf-$(1): $(BUILD)/obj/userspace/calf/$(1)/main.o $(LIB)/lib$(1).a \
		$(LIB)/libsdk.a $(LIB)/libnet.a $(LIB)/libcommon.a
	$$(call msg,LINK,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CFLAGS) $$(LDFLAGS) $$(if $$(SANITIZE),,-static-pie) $$^ $$(CALF_LIBS) -o $$@
endef
$(foreach calf,$(CALVES),$(eval $(call calf_program,$(calf))))

$(CALVES_DIRECTORY)/%/calf.yaml: userspace/calf/%/calf.yaml
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(BUILD)/compile_commands.json: Makefile $(wildcard mk/*.mk)
	@mkdir -p $(@D)
	@{ printf '[\n'; n=; for f in $(SOURCES); do \
		[ -z "$$n" ] || printf ',\n'; n=1; \
		printf '{"directory": "%s", "file": "%s", "arguments": ["$(CC)"' "$(CURDIR)" "$$f"; \
		for a in -std=gnu17 -D_GNU_SOURCE -I. -isystem $(BUILD)/include $(NL_CFLAGS); do \
			printf ', "%s"' "$$a"; done; \
		printf ', "-DCALFPEN_VERSION=\\"$(VERSION)\\"", "-c", "%s"]}' "$$f"; \
	done; printf '\n]\n'; } > $@

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
