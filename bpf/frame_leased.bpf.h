/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The address in use, as the store has it. */
#ifndef CALFPEN_BPF_FRAME_LEASED_BPF_H
#define CALFPEN_BPF_FRAME_LEASED_BPF_H

#include "bpf/frame_cursor.bpf.h"
#include "maps/kv_store_maps.bpf.h"

/*
 * Return the address in /ip, network order; 0 if there is none. A global
 * function: the verifier explores its loop once, not once for every path to a
 * call of it.
 */
__attribute__((noinline)) __be32 leased_address(void)
{
	struct kv_key key = { .path = "/ip" };
	struct kv_value *value = bpf_map_lookup_elem(&kv, &key);
	__u32 address = 0, octet = 0;

	/* The gateway has checked its type: "a.b.c.d/len". */
	if (!value)
		return 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < 16; i++) {
		__u32 digit = (__u8)value->text[i] - '0';

		if (digit < 10) {
			octet = octet * 10 + digit;
		} else {
			address = address << 8 | (octet & 0xff);
			octet = 0;
			if (value->text[i] != '.')
				return bpf_htonl(address);
		}
	}
	return 0;
}

#endif
