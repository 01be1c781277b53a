/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/handlers/witness.h"

#include <stddef.h>

#include "userspace/common/address.h"
#include "userspace/common/clock.h"
#include "userspace/common/lease_time.h"

#define BIT(option) (1u << (option))

static bool has(const struct frame_witnessed *ack, enum frame_option option)
{
	return (ack->said | ack->kept) & BIT(option);
}

static bool allows_prefix(const struct frame_witnessed *ack, const struct value_ipv4_net *net)
{
	if (has(ack, FRAME_OPTION_MASK) &&
	    net->prefix_length >= address_mask_prefix(ntohl(ack->mask)))
		return true;
	/* The calf uses the class if the ACK is not to the renewal of a lease. */
	return !(ack->said & BIT(FRAME_OPTION_MASK)) &&
	       net->prefix_length >= address_class_prefix(net->address);
}

static uint64_t end_ns(const struct frame_witnessed *ack, uint32_t fallback_s)
{
	uint32_t time_s = has(ack, FRAME_OPTION_TIME) ? ack->time_s : 0;
	uint32_t used_s = lease_time_used(time_s, fallback_s);

	/* As above, the calf uses the fallback unless this is a renewal. */
	if (!(ack->said & BIT(FRAME_OPTION_TIME)) && used_s < lease_time_used(0, fallback_s))
		used_s = lease_time_used(0, fallback_s);
	return used_s == VALUE_LIFETIME_INFINITE ? UINT64_MAX : ack->request_ns + used_s * NS_PER_S;
}

const char *witness_judge(const struct witness *witness, const struct value_ipv4_net *net,
			  uint32_t fallback_s, uint64_t *end_nsp)
{
	bool has_address = false, has_prefix = false;
	uint64_t last_ns = 0;

	for (uint32_t i = 0; i < witness->n_acks; i++) {
		const struct frame_witnessed *ack = &witness->acks[i];
		uint64_t ns = end_ns(ack, fallback_s);

		if (ack->address != net->address.s_addr)
			continue;
		has_address = true;
		has_prefix |= allows_prefix(ack, net);
		last_ns = ns > last_ns ? ns : last_ns;
	}
	if (!has_address)
		return "no server gave it";
	if (!has_prefix)
		return "no server gave so large a subnet";
	*end_nsp = last_ns;
	return NULL;
}

bool witness_has_router(const struct witness *witness, struct in_addr address,
			struct in_addr router)
{
	for (uint32_t i = 0; i < witness->n_acks; i++) {
		const struct frame_witnessed *ack = &witness->acks[i];

		if (ack->address != address.s_addr)
			continue;
		if (has(ack, FRAME_OPTION_CLASSLESS) || has(ack, FRAME_OPTION_CLASSLESS_MICROSOFT))
			return true;
		for (int j = 0; has(ack, FRAME_OPTION_ROUTER) && j < FRAME_WITNESSED_ROUTERS_MAX;
		     j++)
			if (router.s_addr && ack->routers[j] == router.s_addr)
				return true;
	}
	return false;
}
