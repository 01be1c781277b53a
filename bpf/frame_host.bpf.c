/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The only program that writes frame_host. The supervisor loads it once for the life of
 * an instance, so that the watcher's descriptor stays valid when the frame programs are
 * loaded for another device.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "maps/frame_host_map.bpf.h"

#define WORDS (sizeof(struct frame_host) / sizeof(__u32))
#define WORDS_FIRST 1 /* behind the version */

_Static_assert(__builtin_offsetof(struct frame_host, version) == 0, "the version comes first");

char _license[] SEC("license") = "Dual BSD/GPL";

/* Nothing is written if nothing has changed, so that a reader is disturbed only when its
 * answer would change, too. */
SEC("syscall")
int host_set(struct frame_host *told)
{
	__u32 zero = 0, differs = 0;
	struct frame_host *host = bpf_map_lookup_elem(&frame_host, &zero);
	volatile __u32 *to = (void *)host;
	const __u32 *from = (void *)told;

	if (!host)
		return -1;
#pragma unroll
	for (__u32 i = WORDS_FIRST; i < WORDS; i++)
		differs |= to[i] ^ from[i];
	if (!differs)
		return 0;
	__sync_fetch_and_add(&host->version, 1);
#pragma unroll
	for (__u32 i = WORDS_FIRST; i < WORDS; i++)
		to[i] = from[i];
	__sync_fetch_and_add(&host->version, 1);
	return 0;
}
