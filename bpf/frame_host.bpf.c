/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The only program that writes frame_host. The supervisor loads it once for the life of
 * an instance, so that the watcher's descriptor stays valid when the frame programs are
 * loaded for another device.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "maps/frame.h"

char _license[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct frame_host);
} frame_host SEC(".maps");

/* First no address and at last the new one: a reader that finds the same address before
 * and after has the rest of it. */
SEC("syscall")
int host_set(struct frame_host *told)
{
	__u32 zero = 0;
	struct frame_host *host = bpf_map_lookup_elem(&frame_host, &zero);

	if (!host)
		return -1;
	*(volatile __u32 *)&host->address = 0;
	*(volatile __u32 *)&host->mask = told->mask;
	*(volatile __u32 *)&host->other = told->other;
	*(volatile __u32 *)&host->family = told->family;
#pragma unroll
	for (int i = 0; i < 4; i++)
		*(volatile __u32 *)&host->next_hop[i] = told->next_hop[i];
	*(volatile __u32 *)&host->is_open = told->is_open;
	*(volatile __u32 *)&host->address = told->address;
	return 0;
}
