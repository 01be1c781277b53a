/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The address in use, as the watcher has told it. */
#ifndef CALFPEN_BPF_FRAME_LEASED_BPF_H
#define CALFPEN_BPF_FRAME_LEASED_BPF_H

#include "bpf/frame_cursor.bpf.h"

static __always_inline const struct frame_host *host_room(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&frame_host, &zero);
}

/* Return the address of this calf's lease that the watcher has applied, network order; 0
 * if there is none. A global function: a caller has one way on, not one for a map without
 * its element too. */
__attribute__((noinline)) __be32 leased_address(__u32 calf)
{
	const struct frame_host *host = host_room();

	return host && calf == FRAME_CALF_HOST ? *(const volatile __u32 *)&host->address : 0;
}

#endif
