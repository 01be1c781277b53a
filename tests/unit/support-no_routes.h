/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel without routes, likewise in place of netlink/route.c. */
#ifndef CALFPEN_TESTS_UNIT_SUPPORT_NO_ROUTES_H
#define CALFPEN_TESTS_UNIT_SUPPORT_NO_ROUTES_H

#include "userspace/priv/netlink/netlink.h"

int netlink_route_each_through(struct netlink *netlink, int ifindex, uint32_t table,
			       netlink_route_fn call, void *data)
{
	(void)netlink;
	(void)ifindex;
	(void)table;
	(void)call;
	(void)data;
	return 0;
}

int netlink_route_each(struct netlink *netlink, int ifindex, uint32_t table, netlink_route_fn call,
		       void *data)
{
	return netlink_route_each_through(netlink, ifindex, table, call, data);
}

int netlink_route_delete_foreign(struct netlink *netlink, int ifindex,
				 const struct netlink_route *route)
{
	(void)netlink;
	(void)ifindex;
	(void)route;
	return 0;
}

#endif
