/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "userspace/priv/netlink/netlink-private.h"

struct address_each {
	int ifindex;
	netlink_address_fn call;
	void *data;
};

static const struct netlink_length lengths[] = {
	{ IFA_LOCAL, sizeof(struct in_addr) },
	{ IFA_ADDRESS, sizeof(struct in_addr) },
	{ IFA_BROADCAST, sizeof(struct in_addr) },
	{ IFA_FLAGS, sizeof(uint32_t) },
	{ IFA_PROTO, sizeof(uint8_t) },
	{ IFA_CACHEINFO, sizeof(struct ifa_cacheinfo) },
};
static const struct netlink_length ipv6_lengths[] = { { IFA_ADDRESS, sizeof(struct in6_addr) } };

int netlink_address_read(struct nlmsghdr *header, int *ifindexp, struct netlink_address *addressp)
{
	struct nlattr *tb[IFA_PROTO + 1];
	const struct ifaddrmsg *info = netlink_header(header, sizeof(*info));
	struct netlink_address address = { .prefix_length = 0 };
	struct ifa_cacheinfo cache = {
		.ifa_valid = NETLINK_FOREVER,
		.ifa_prefered = NETLINK_FOREVER,
	};

	if (!info || netlink_parse(header, sizeof(*info), tb, IFA_PROTO) < 0)
		return -EPROTO;
	if (info->ifa_family != AF_INET)
		return 0;
	if (info->ifa_prefixlen > 32 ||
	    netlink_check_lengths(tb, lengths, sizeof(lengths) / sizeof(lengths[0])))
		return -EPROTO;
	address.address = netlink_get_in_addr(tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS]);
	address.prefix_length = info->ifa_prefixlen;
	address.scope = info->ifa_scope;
	address.broadcast = netlink_get_in_addr(tb[IFA_BROADCAST]);
	address.flags = netlink_get_u32(tb[IFA_FLAGS], info->ifa_flags);
	(void)netlink_get(tb[IFA_PROTO], &address.protocol, sizeof(address.protocol));
	(void)netlink_get(tb[IFA_CACHEINFO], &cache, sizeof(cache));
	address.valid_s = cache.ifa_valid;
	address.preferred_s = cache.ifa_prefered;
	*ifindexp = (int)info->ifa_index;
	*addressp = address;
	return 1;
}

static int parse_address(struct nlmsghdr *header, void *data)
{
	const struct address_each *each = data;
	struct netlink_address address;
	int ifindex, r = 0;

	if (header->nlmsg_type == RTM_NEWADDR)
		r = netlink_address_read(header, &ifindex, &address);
	if (r == 1 && ifindex == each->ifindex)
		each->call(&address, each->data);
	return r < 0 ? r : 0;
}

int netlink_address_each(struct netlink *netlink, int ifindex, netlink_address_fn call, void *data)
{
	struct address_each each = { .ifindex = ifindex, .call = call, .data = data };
	struct ifaddrmsg info = { .ifa_family = AF_INET, .ifa_index = (unsigned int)ifindex };

	if (ifindex <= 0)
		return -ENODEV;
	netlink_begin(netlink, RTM_GETADDR, NLM_F_DUMP, &info, sizeof(info));
	return netlink_run(netlink, parse_address, &each);
}

struct find_ipv6 {
	int ifindex;
	bool is_found;
	struct in6_addr address;
};

int netlink_address_read_ipv6(struct nlmsghdr *header, int *ifindexp, struct in6_addr *addressp)
{
	struct nlattr *tb[IFA_ADDRESS + 1];
	const struct ifaddrmsg *info = netlink_header(header, sizeof(*info));

	if (!info || netlink_parse(header, sizeof(*info), tb, IFA_ADDRESS) < 0)
		return -EPROTO;
	/* a kernel without IPv6 may reply with other families */
	if (info->ifa_family != AF_INET6 || info->ifa_scope >= RT_SCOPE_LINK)
		return 0;
	if (info->ifa_prefixlen > 128 || netlink_check_lengths(tb, ipv6_lengths, 1))
		return -EPROTO;
	*ifindexp = (int)info->ifa_index;
	return netlink_get(tb[IFA_ADDRESS], addressp, sizeof(*addressp));
}

static int parse_ipv6(struct nlmsghdr *header, void *data)
{
	struct find_ipv6 *find = data;
	struct in6_addr address;
	int ifindex, r = netlink_address_read_ipv6(header, &ifindex, &address);

	if (r == 1 && ifindex == find->ifindex) {
		find->address = address;
		find->is_found = true;
	}
	return r < 0 ? r : 0;
}

int netlink_address_find_ipv6(struct netlink *netlink, int ifindex, struct in6_addr *addressp)
{
	struct find_ipv6 find = { .ifindex = ifindex };
	struct ifaddrmsg info = { .ifa_family = AF_INET6, .ifa_index = (unsigned int)ifindex };
	int r;

	if (ifindex <= 0)
		return -ENODEV;
	netlink_begin(netlink, RTM_GETADDR, NLM_F_DUMP, &info, sizeof(info));
	r = netlink_run(netlink, parse_ipv6, &find);
	if (r == -EOPNOTSUPP)
		return 0;
	if (!r && find.is_found)
		*addressp = find.address;
	return r ? r : find.is_found;
}

static int address_request(struct netlink *netlink, int type, int flags, int ifindex,
			   const struct netlink_address *address)
{
	struct ifaddrmsg info = {
		.ifa_family = AF_INET,
		.ifa_prefixlen = address->prefix_length,
		.ifa_scope = RT_SCOPE_UNIVERSE,
		.ifa_index = (unsigned int)ifindex,
	};
	struct ifa_cacheinfo cache = {
		.ifa_valid = address->valid_s,
		.ifa_prefered = address->preferred_s,
	};
	uint32_t without_route = address->flags & IFA_F_NOPREFIXROUTE;
	uint8_t owner = NETLINK_OWNER;

	if (ifindex <= 0)
		return -ENODEV;
	netlink_begin(netlink, type, flags, &info, sizeof(info));
	netlink_put(netlink, IFA_LOCAL, &address->address, sizeof(address->address));
	netlink_put(netlink, IFA_ADDRESS, &address->address, sizeof(address->address));
	if (type == RTM_NEWADDR) {
		if (address->broadcast.s_addr)
			netlink_put(netlink, IFA_BROADCAST, &address->broadcast,
				    sizeof(address->broadcast));
		netlink_put(netlink, IFA_CACHEINFO, &cache, sizeof(cache));
		netlink_put(netlink, IFA_PROTO, &owner, sizeof(owner));
		netlink_put(netlink, IFA_FLAGS, &without_route, sizeof(without_route));
	}
	return netlink_run(netlink, NULL, NULL);
}

int netlink_address_add(struct netlink *netlink, int ifindex, const struct netlink_address *address)
{
	return address_request(netlink, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, address);
}

int netlink_address_replace(struct netlink *netlink, int ifindex,
			    const struct netlink_address *address)
{
	return address_request(netlink, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, ifindex,
			       address);
}

int netlink_address_delete(struct netlink *netlink, int ifindex,
			   const struct netlink_address *address)
{
	int r = address_request(netlink, RTM_DELADDR, 0, ifindex, address);

	return r == -EADDRNOTAVAIL ? 0 : r;
}
