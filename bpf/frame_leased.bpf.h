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
	static const struct kv_key key = { .path = "/ip" }; /* on the stack: 60 stores */
	struct kv_value *value = bpf_map_lookup_elem(&kv, &key);
	__u32 address = 0, octet = 0;

	/* The gateway has checked its type: "a.b.c.d/len". */
	if (!value)
		return 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < 16; i++) {
		__u32 character = (__u8)value->text[i], digit = character - '0';
		__u64 is_digit = if_less(digit, 10);

		if (!(is_digit | if_equal(character, '.')))
			return bpf_htonl(address << 8 | (octet & 0xff));
		address = (__u32)choose(is_digit, address, address << 8 | (octet & 0xff));
		octet = (octet * 10 + digit) & (__u32)is_digit;
	}
	return 0;
}

#endif
