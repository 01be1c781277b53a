/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "userspace/priv/netlink/netlink-private.h"

struct route_each {
	int ifindex;
	uint32_t table;
	netlink_route_fn call;
	void *data;
};

static const struct netlink_length route_lengths[] = {
	{ RTA_DST, sizeof(struct in_addr) },	 { RTA_GATEWAY, sizeof(struct in_addr) },
	{ RTA_PREFSRC, sizeof(struct in_addr) }, { RTA_PRIORITY, sizeof(uint32_t) },
	{ RTA_TABLE, sizeof(uint32_t) },	 { RTA_OIF, sizeof(uint32_t) },
};
static const struct netlink_length metric_lengths[] = { { RTAX_MTU, sizeof(uint32_t) } };
static const struct netlink_length rule_lengths[] = {
	{ FRA_TABLE, sizeof(uint32_t) },
	{ FRA_SUPPRESS_PREFIXLEN, sizeof(uint32_t) },
};

#define N(_lengths) (sizeof(_lengths) / sizeof((_lengths)[0]))

int netlink_route_read(struct nlmsghdr *header, struct netlink_route *routep)
{
	struct nlattr *tb[RTA_MAX + 1], *metrics[RTAX_MAX + 1];
	const struct rtmsg *info = netlink_header(header, sizeof(*info));
	struct netlink_route route = { .prefix_length = 0 };

	if (!info || netlink_parse(header, sizeof(*info), tb, RTA_MAX) < 0)
		return -EPROTO;
	if (info->rtm_family != AF_INET || (info->rtm_flags & RTM_F_CLONED))
		return 0;
	if (info->rtm_dst_len > 32 || netlink_check_lengths(tb, route_lengths, N(route_lengths)))
		return -EPROTO;
	route.destination = netlink_get_in_addr(tb[RTA_DST]);
	route.prefix_length = info->rtm_dst_len;
	route.gateway = netlink_get_in_addr(tb[RTA_GATEWAY]);
	route.source = netlink_get_in_addr(tb[RTA_PREFSRC]);
	if (tb[RTA_METRICS]) {
		if (netlink_parse_nested(tb[RTA_METRICS], metrics, RTAX_MAX) < 0 ||
		    netlink_check_lengths(metrics, metric_lengths, N(metric_lengths)))
			return -EPROTO;
		route.mtu = netlink_get_u32(metrics[RTAX_MTU], 0);
	}
	route.metric = netlink_get_u32(tb[RTA_PRIORITY], 0);
	route.table = netlink_get_u32(tb[RTA_TABLE], info->rtm_table);
	route.tos = info->rtm_tos;
	route.protocol = info->rtm_protocol;
	route.type = info->rtm_type;
	route.is_plain = !tb[RTA_VIA] && !tb[RTA_ENCAP] && !tb[RTA_MULTIPATH];
	route.is_onlink = route.is_plain && info->rtm_scope == RT_SCOPE_LINK && !tb[RTA_GATEWAY];
	route.ifindex = tb[RTA_MULTIPATH] ? 0 : (int)netlink_get_u32(tb[RTA_OIF], 0);
	*routep = route;
	return 1;
}

static int parse_ours(struct nlmsghdr *header, void *data)
{
	const struct route_each *each = data;
	struct netlink_route route;
	int r = 0;

	if (header->nlmsg_type == RTM_NEWROUTE)
		r = netlink_route_read(header, &route);
	if (r == 1 && route.type == RTN_UNICAST && route.protocol == NETLINK_OWNER &&
	    route.table == each->table && !route.tos && route.ifindex == each->ifindex)
		each->call(&route, each->data);
	return r < 0 ? r : 0;
}

static unsigned char short_table(uint32_t table)
{
	return table < 256 ? (unsigned char)table : RT_TABLE_COMPAT;
}

int netlink_route_each(struct netlink *netlink, int ifindex, uint32_t table, netlink_route_fn call,
		       void *data)
{
	struct route_each each = {
		.ifindex = ifindex,
		.table = table,
		.call = call,
		.data = data,
	};
	struct rtmsg info = {
		.rtm_family = AF_INET,
		.rtm_table = short_table(table),
		.rtm_protocol = NETLINK_OWNER,
		.rtm_type = RTN_UNICAST,
	};
	uint32_t oif = (uint32_t)ifindex;
	int r;

	if (ifindex <= 0)
		return -ENODEV;
	netlink_begin(netlink, RTM_GETROUTE, NLM_F_DUMP, &info, sizeof(info));
	netlink_put(netlink, RTA_OIF, &oif, sizeof(oif));
	netlink_put(netlink, RTA_TABLE, &table, sizeof(table));
	r = netlink_run(netlink, parse_ours, &each);
	/* The kernel's error for a table that never had a route. */
	return r == -ENOENT ? 0 : r;
}

static int parse_any(struct nlmsghdr *header, void *data)
{
	const struct route_each *each = data;
	struct netlink_route route;
	int r = 0;

	if (header->nlmsg_type == RTM_NEWROUTE)
		r = netlink_route_read(header, &route);
	if (r == 1)
		each->call(&route, each->data);
	return r < 0 ? r : 0;
}

/* `ifindex` 0: through any interface. */
static int each_any(struct netlink *netlink, int ifindex, uint32_t table, netlink_route_fn call,
		    void *data)
{
	struct route_each each = { .call = call, .data = data };
	struct rtmsg info = { .rtm_family = AF_INET, .rtm_table = short_table(table) };
	uint32_t oif = (uint32_t)ifindex;
	int r;

	netlink_begin(netlink, RTM_GETROUTE, NLM_F_DUMP, &info, sizeof(info));
	if (ifindex)
		netlink_put(netlink, RTA_OIF, &oif, sizeof(oif));
	if (table)
		netlink_put(netlink, RTA_TABLE, &table, sizeof(table));
	r = netlink_run(netlink, parse_any, &each);
	return r == -ENOENT ? 0 : r;
}

int netlink_route_each_owner(struct netlink *netlink, uint32_t table, netlink_route_fn call,
			     void *data)
{
	return each_any(netlink, 0, table, call, data);
}

int netlink_route_each_through(struct netlink *netlink, int ifindex, uint32_t table,
			       netlink_route_fn call, void *data)
{
	if (ifindex <= 0)
		return -ENODEV;
	return each_any(netlink, ifindex, table, call, data);
}

struct router_search {
	int ifindex;
	struct in6_addr router;
	bool is_found;
};

static int parse_router(struct nlmsghdr *header, void *data)
{
	struct nlattr *tb[RTA_MAX + 1];
	struct router_search *search = data;
	const struct rtmsg *info = netlink_header(header, sizeof(*info));
	/* struct rtvia, and the address */
	struct {
		uint16_t family;
		struct in6_addr address;
	} __attribute__((packed)) via;

	if (header->nlmsg_type != RTM_NEWROUTE)
		return 0;
	if (!info || netlink_parse(header, sizeof(*info), tb, RTA_MAX) < 0)
		return -EPROTO;
	if (netlink_get_u32(tb[RTA_OIF], 0) != (uint32_t)search->ifindex ||
	    !netlink_get(tb[RTA_VIA], &via, sizeof(via)) || via.family != AF_INET6)
		return 0;
	search->router = via.address;
	search->is_found = true;
	return 0;
}

int netlink_route_find_ipv6_router(struct netlink *netlink, int ifindex, struct in_addr to,
				   struct in6_addr *routerp)
{
	struct router_search search = { .ifindex = ifindex };
	struct rtmsg info = { .rtm_family = AF_INET,
			      .rtm_dst_len = 32,
			      .rtm_flags = RTM_F_FIB_MATCH };
	uint32_t oif = (uint32_t)ifindex;
	int r;

	if (ifindex <= 0)
		return -ENODEV;
	netlink_begin(netlink, RTM_GETROUTE, 0, &info, sizeof(info));
	netlink_put(netlink, RTA_DST, &to, sizeof(to));
	netlink_put(netlink, RTA_OIF, &oif, sizeof(oif));
	r = netlink_run(netlink, parse_router, &search);
	/* errors of the kernel when no route is found, or one that refuses */
	if (r == -ENETUNREACH || r == -EHOSTUNREACH || r == -EACCES || r == -EINVAL)
		return 0;
	if (r)
		return r;
	*routerp = search.router;
	return search.is_found;
}

struct rule_search {
	uint32_t table;
	int length;
};

int netlink_rule_read(struct nlmsghdr *header, uint32_t *tablep, uint32_t *lengthp)
{
	struct nlattr *tb[FRA_MAX + 1];
	const struct fib_rule_hdr *info = netlink_header(header, sizeof(*info));

	if (!info || netlink_parse(header, sizeof(*info), tb, FRA_MAX) < 0)
		return -EPROTO;
	if (info->family != AF_INET)
		return 0;
	if (info->dst_len > 32 || info->src_len > 32 ||
	    netlink_check_lengths(tb, rule_lengths, N(rule_lengths)))
		return -EPROTO;
	*tablep = netlink_get_u32(tb[FRA_TABLE], info->table);
	/* the kernel sends -1 if nothing is suppressed */
	*lengthp = netlink_get_u32(tb[FRA_SUPPRESS_PREFIXLEN], UINT32_MAX);
	return 1;
}

static int parse_rule(struct nlmsghdr *header, void *data)
{
	struct rule_search *search = data;
	uint32_t table, length;
	int r = header->nlmsg_type == RTM_NEWRULE ? netlink_rule_read(header, &table, &length) : 0;

	if (r != 1)
		return r;
	if (table == search->table && length <= 32 &&
	    (search->length < 0 || (int)length < search->length))
		search->length = (int)length;
	return 0;
}

int netlink_rule_suppressed(struct netlink *netlink, uint32_t table, int *lengthp)
{
	struct rule_search search = { .table = table, .length = -1 };
	struct fib_rule_hdr info = { .family = AF_INET };
	int r;

	netlink_begin(netlink, RTM_GETRULE, NLM_F_DUMP, &info, sizeof(info));
	r = netlink_run(netlink, parse_rule, &search);
	if (r == -EAFNOSUPPORT || r == -EOPNOTSUPP) /* a kernel without policy rules */
		r = 0;
	if (!r)
		*lengthp = search.length;
	return r;
}

static int route_request(struct netlink *netlink, int type, int flags, int ifindex,
			 const struct netlink_route *route, uint8_t protocol, uint8_t scope)
{
	struct rtmsg info = {
		.rtm_family = AF_INET,
		.rtm_dst_len = route->prefix_length,
		.rtm_table = short_table(route->table),
		.rtm_protocol = protocol,
		.rtm_scope = scope,
		.rtm_type = RTN_UNICAST,
		.rtm_flags = route->is_gateway_onlink ? RTNH_F_ONLINK : 0,
	};
	uint32_t oif = (uint32_t)ifindex;

	if (ifindex <= 0) /* the kernel takes 0 for any interface */
		return -ENODEV;
	netlink_begin(netlink, type, flags, &info, sizeof(info));
	netlink_put(netlink, RTA_OIF, &oif, sizeof(oif));
	netlink_put(netlink, RTA_TABLE, &route->table, sizeof(route->table));
	netlink_put(netlink, RTA_PRIORITY, &route->metric, sizeof(route->metric));
	if (route->prefix_length)
		netlink_put(netlink, RTA_DST, &route->destination, sizeof(route->destination));
	if (route->gateway.s_addr)
		netlink_put(netlink, RTA_GATEWAY, &route->gateway, sizeof(route->gateway));
	if (route->source.s_addr)
		netlink_put(netlink, RTA_PREFSRC, &route->source, sizeof(route->source));
	if (route->mtu) {
		struct nlattr *metrics = netlink_nest_begin(netlink, RTA_METRICS);

		netlink_put(netlink, RTAX_MTU, &route->mtu, sizeof(route->mtu));
		netlink_nest_end(netlink, metrics);
	}
	return netlink_run(netlink, NULL, NULL);
}

static int own_request(struct netlink *netlink, int type, int flags, int ifindex,
		       const struct netlink_route *route)
{
	return route_request(netlink, type, flags, ifindex, route, NETLINK_OWNER,
			     route->gateway.s_addr ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK);
}

int netlink_route_add(struct netlink *netlink, int ifindex, const struct netlink_route *route)
{
	return own_request(netlink, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, ifindex, route);
}

int netlink_route_append(struct netlink *netlink, int ifindex, const struct netlink_route *route)
{
	return own_request(netlink, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, ifindex, route);
}

int netlink_route_delete(struct netlink *netlink, int ifindex, const struct netlink_route *route)
{
	int r = own_request(netlink, RTM_DELROUTE, 0, ifindex, route);

	return r == -ESRCH ? 0 : r;
}

int netlink_route_delete_foreign(struct netlink *netlink, int ifindex,
				 const struct netlink_route *route)
{
	struct netlink_route any_mtu = *route;
	int r;

	any_mtu.mtu = 0;
	/* RT_SCOPE_NOWHERE: any scope */
	r = route_request(netlink, RTM_DELROUTE, 0, ifindex, &any_mtu, route->protocol,
			  RT_SCOPE_NOWHERE);
	return r == -ESRCH ? 0 : r;
}
