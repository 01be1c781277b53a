/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/supervisor/takeover.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

struct best {
	struct netlink_address address;
	bool is_found;
};

static void on_address(const struct netlink_address *address, void *data)
{
	struct best *best = data;

	if (address->scope != RT_SCOPE_UNIVERSE || (address->flags & IFA_F_SECONDARY))
		return;
	if (best->is_found &&
	    (best->address.valid_s != NETLINK_FOREVER || address->valid_s == NETLINK_FOREVER))
		return;
	best->is_found = true;
	best->address = *address;
}

int takeover_find(struct netlink *netlink, int ifindex, struct value_ipv4_net *netp)
{
	struct best best = { .is_found = false };
	int r = netlink_address_each(netlink, ifindex, on_address, &best);

	if (r || !best.is_found)
		return r;
	netp->address = best.address.address;
	netp->prefix_length = best.address.prefix_length;
	return 1;
}
