/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel without links, in place of netlink/link.c, for tests of handlers that play only
 * what they are about. */
#ifndef CALFPEN_TESTS_UNIT_SUPPORT_NO_LINKS_H
#define CALFPEN_TESTS_UNIT_SUPPORT_NO_LINKS_H

#include <errno.h>

#include "userspace/priv/netlink/netlink.h"

int netlink_link_get(struct netlink *netlink, int ifindex, struct netlink_link *linkp)
{
	(void)netlink;
	(void)ifindex;
	(void)linkp;
	return -ENODEV;
}

int netlink_link_set_mtu(struct netlink *netlink, int ifindex, uint32_t mtu)
{
	(void)netlink;
	(void)ifindex;
	(void)mtu;
	return -ENODEV;
}

#endif
