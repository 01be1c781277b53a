/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the DHCPACKs that the kernel has seen allow (maps/frame.h, "the witness").
 * The calf says what is leased; its word counts only as far as an ACK says the
 * same. Pure: it does not access the kernel.
 */
#ifndef CALFPEN_PRIV_HANDLERS_WITNESS_H
#define CALFPEN_PRIV_HANDLERS_WITNESS_H

#include <stdbool.h>
#include <stdint.h>

#include "maps/frame.h"
#include "userspace/common/value.h"

struct witness {
	bool is_in_force; /* who writes /ip speaks DHCPv4: addresses come from servers */
	struct frame_witnessed acks[FRAME_WITNESSED_MAX];
	uint32_t n_acks;
};

/*
 * Check an address and its prefix length: a server has given the address, with this
 * prefix or a shorter one; without a mask, with that of the address's class. What
 * several ACKs for the address say counts together. `fallback_s` is the duration of a
 * lease without a time (lease_time_used()). Returns NULL and sets *end_nsp to when the
 * lease ends (CLOCK_BOOTTIME; UINT64_MAX: never); or returns why it is not allowed.
 */
const char *witness_judge(const struct witness *witness, const struct value_ipv4_net *net,
			  uint32_t fallback_s, uint64_t *end_nsp);

/*
 * Returns true if an ACK for `address` has this router in option 3. If it has option
 * 121 or 249, whose contents are not recorded, every router counts, also 0.0.0.0 (on-link),
 * which option 3 never gives.
 */
bool witness_has_router(const struct witness *witness, struct in_addr address,
			struct in_addr router);

#endif
