# SPDX-License-Identifier: Apache-2.0
# Kernel programs: compile to an object, then generate the skeleton. They use only
# UAPI headers, no vmlinux.h and no CO-RE, so that they load on kernels without BTF.
BPF_SOURCES = $(wildcard bpf/*.bpf.c)
BPF_HEADERS = $(wildcard bpf/*.h maps/*.h)
SKELETONS = $(BPF_SOURCES:bpf/%.bpf.c=$(BUILD)/include/skel/%.skel.h)

BPF_ARCH = $(shell uname -m | sed -e 's/x86_64/x86/' -e 's/aarch64/arm64/')
BPF_CFLAGS = -std=gnu17 -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror \
	-D__TARGET_ARCH_$(BPF_ARCH) -I. \
	-idirafter /usr/include/$(shell uname -m)-linux-gnu

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c $(BPF_HEADERS) | $(BUILD)/bpf/
	$(call msg,BPF,$<)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@.tmp
	$(Q)$(BPFTOOL) gen object $@ $@.tmp && rm $@.tmp

$(BUILD)/include/skel/%.skel.h: $(BUILD)/bpf/%.bpf.o | $(BUILD)/include/skel/
	$(call msg,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@
