/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <linux/netconf.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "userspace/priv/netlink/netlink-private.h"

/* The master of a port takes all frames that arrive there. A VRF only chooses the
 * routing table. */
static void read_kinds(struct nlattr *const *tb, struct netlink_link *link)
{
	struct nlattr *info[IFLA_INFO_MAX + 1] = { NULL };
	char kind[sizeof("bridge") + 1];

	link->master = (int)netlink_get_u32(tb[IFLA_MASTER], 0);
	if (tb[IFLA_LINKINFO] && netlink_parse_nested(tb[IFLA_LINKINFO], info, IFLA_INFO_MAX) < 0)
		return;
	netlink_get_text(info[IFLA_INFO_KIND], kind, sizeof(kind));
	link->is_tun = !strcmp(kind, "tun");
	if (!link->master)
		return;
	netlink_get_text(info[IFLA_INFO_SLAVE_KIND], kind, sizeof(kind));
	link->is_port = strcmp(kind, "vrf") != 0;
	link->is_bridge_port = !strcmp(kind, "bridge");
}

/* The link has IPv6 settings, and IPv6 is not disabled in them. */
static bool has_ipv6(struct nlattr *families)
{
	struct nlattr *family[AF_INET6 + 1], *inet6[IFLA_INET6_MAX + 1];

	if (!families || netlink_parse_nested(families, family, AF_INET6) < 0 ||
	    !family[AF_INET6] || netlink_parse_nested(family[AF_INET6], inet6, IFLA_INET6_MAX) < 0)
		return false;
	return !netlink_get_u32_at(inet6[IFLA_INET6_CONF], DEVCONF_DISABLE_IPV6, 1);
}

static const struct netlink_length lengths[] = {
	{ IFLA_MASTER, sizeof(uint32_t) },
	{ IFLA_MTU, sizeof(uint32_t) },
	{ IFLA_MIN_MTU, sizeof(uint32_t) },
	{ IFLA_MAX_MTU, sizeof(uint32_t) },
};

int netlink_link_read(struct nlmsghdr *header, struct netlink_link *linkp)
{
	struct nlattr *tb[IFLA_MAX + 1];
	struct netlink_link link = { 0 };
	const struct ifinfomsg *info = netlink_header(header, sizeof(*info));

	if (!info || netlink_parse(header, sizeof(*info), tb, IFLA_MAX) < 0)
		return -EPROTO;
	if (info->ifi_family != AF_UNSPEC) /* a bridge's port, IPv6's view */
		return 0;
	if (netlink_check_lengths(tb, lengths, sizeof(lengths) / sizeof(lengths[0])))
		return -EPROTO;
	link.ifindex = info->ifi_index;
	link.flags = info->ifi_flags;
	link.type = info->ifi_type;
	link.has_ipv6 = has_ipv6(tb[IFLA_AF_SPEC]);
	netlink_get_text(tb[IFLA_IFNAME], link.name, sizeof(link.name));
	link.mtu = netlink_get_u32(tb[IFLA_MTU], 0);
	link.min_mtu = netlink_get_u32(tb[IFLA_MIN_MTU], 0);
	link.max_mtu = netlink_get_u32(tb[IFLA_MAX_MTU], 0);
	(void)netlink_get(tb[IFLA_ADDRESS], link.mac, sizeof(link.mac));
	netlink_get_text(tb[IFLA_IFALIAS], link.alias, sizeof(link.alias));
	read_kinds(tb, &link);
	*linkp = link;
	return 1;
}

static int parse_link(struct nlmsghdr *header, void *data)
{
	int r = header->nlmsg_type == RTM_NEWLINK ? netlink_link_read(header, data) : 0;

	return r < 0 ? r : 0;
}

static int link_get(struct netlink *netlink, int ifindex, const char *name,
		    struct netlink_link *linkp)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC, .ifi_index = ifindex };
	struct netlink_link link = { 0 };
	int r;

	netlink_begin(netlink, RTM_GETLINK, 0, &info, sizeof(info));
	/* Both find alternative names, too, but only one takes those that are long. */
	if (name)
		netlink_put(netlink, strlen(name) < IFNAMSIZ ? IFLA_IFNAME : IFLA_ALT_IFNAME, name,
			    strlen(name) + 1);
	r = netlink_run(netlink, parse_link, &link);
	if (r)
		return r;
	if (!link.ifindex)
		return -ENODEV;
	*linkp = link;
	return 0;
}

int netlink_link_get(struct netlink *netlink, int ifindex, struct netlink_link *linkp)
{
	return ifindex > 0 ? link_get(netlink, ifindex, NULL, linkp) : -ENODEV;
}

int netlink_link_get_by_name(struct netlink *netlink, const char *name, struct netlink_link *linkp)
{
	if (!*name || strlen(name) >= NETLINK_NAME_SIZE)
		return -ENODEV;
	return link_get(netlink, 0, name, linkp);
}

static int link_set_flags(struct netlink *netlink, int ifindex, unsigned int flags,
			  unsigned int mask)
{
	struct ifinfomsg info = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = ifindex,
		.ifi_flags = flags,
		.ifi_change = mask,
	};

	if (ifindex <= 0)
		return -ENODEV;
	netlink_begin(netlink, RTM_NEWLINK, 0, &info, sizeof(info));
	return netlink_run(netlink, NULL, NULL);
}

struct link_caller {
	netlink_link_fn call;
	void *data;
};

static int call_with_link(struct nlmsghdr *header, void *data)
{
	const struct link_caller *caller = data;
	struct netlink_link link;
	int r = header->nlmsg_type == RTM_NEWLINK ? netlink_link_read(header, &link) : 0;

	if (r == 1)
		caller->call(&link, caller->data);
	return r < 0 ? r : 0;
}

int netlink_link_each(struct netlink *netlink, netlink_link_fn call, void *data)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC };
	struct link_caller caller = { .call = call, .data = data };

	netlink_begin(netlink, RTM_GETLINK, NLM_F_DUMP, &info, sizeof(info));
	return netlink_run(netlink, call_with_link, &caller);
}

int netlink_link_set_up(struct netlink *netlink, int ifindex, bool up)
{
	return link_set_flags(netlink, ifindex, up ? IFF_UP : 0, IFF_UP);
}

int netlink_link_set_mtu(struct netlink *netlink, int ifindex, uint32_t mtu)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC, .ifi_index = ifindex };

	if (ifindex <= 0)
		return -ENODEV;
	netlink_begin(netlink, RTM_NEWLINK, 0, &info, sizeof(info));
	netlink_put(netlink, IFLA_MTU, &mtu, sizeof(mtu));
	return netlink_run(netlink, NULL, NULL);
}

struct ipv4_setting {
	size_t i;
	uint32_t value;
};

static int parse_ipv4_setting(struct nlmsghdr *header, void *data)
{
	struct nlattr *tb[IFLA_MAX + 1], *family[AF_INET + 1], *inet[IFLA_INET_MAX + 1];
	struct ipv4_setting *setting = data;

	if (header->nlmsg_type != RTM_NEWLINK)
		return 0;
	if (netlink_parse(header, sizeof(struct ifinfomsg), tb, IFLA_MAX) < 0)
		return -EPROTO;
	if (tb[IFLA_AF_SPEC] && !netlink_parse_nested(tb[IFLA_AF_SPEC], family, AF_INET) &&
	    family[AF_INET] && !netlink_parse_nested(family[AF_INET], inet, IFLA_INET_MAX))
		setting->value = netlink_get_u32_at(inet[IFLA_INET_CONF], setting->i, 0);
	return 0;
}

static int change_ipv4(struct netlink *netlink, const struct ifinfomsg *info, int setting,
		       uint32_t value)
{
	struct nlattr *spec, *inet, *settings;

	netlink_begin(netlink, RTM_NEWLINK, 0, info, sizeof(*info));
	spec = netlink_nest_begin(netlink, IFLA_AF_SPEC);
	inet = netlink_nest_begin(netlink, AF_INET);
	settings = netlink_nest_begin(netlink, IFLA_INET_CONF);
	netlink_put(netlink, setting, &value, sizeof(value));
	netlink_nest_end(netlink, settings);
	netlink_nest_end(netlink, inet);
	netlink_nest_end(netlink, spec);
	return netlink_run(netlink, NULL, NULL);
}

/* Setting what is set already would be an event to everybody who listens. */
int netlink_link_set_ipv4(struct netlink *netlink, int ifindex, int setting, uint32_t value)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC, .ifi_index = ifindex };
	struct ipv4_setting present = { .i = (size_t)setting - 1 };
	int r;

	if (ifindex <= 0)
		return -ENODEV;
	netlink_begin(netlink, RTM_GETLINK, 0, &info, sizeof(info));
	r = netlink_run(netlink, parse_ipv4_setting, &present);
	return r || present.value == value ? r : change_ipv4(netlink, &info, setting, value);
}

static int parse_rp_filter(struct nlmsghdr *header, void *data)
{
	struct nlattr *tb[NETCONFA_MAX + 1];
	uint32_t *mode = data;

	if (header->nlmsg_type != RTM_NEWNETCONF)
		return 0;
	if (netlink_parse(header, sizeof(struct netconfmsg), tb, NETCONFA_MAX) < 0 ||
	    !netlink_get(tb[NETCONFA_RP_FILTER], mode, sizeof(*mode)))
		return -EPROTO;
	return 0;
}

static int read_rp_filter(struct netlink *netlink, int32_t ifindex, uint32_t *modep)
{
	struct netconfmsg conf = { .ncm_family = AF_INET };

	netlink_begin(netlink, RTM_GETNETCONF, 0, &conf, sizeof(conf));
	netlink_put(netlink, NETCONFA_IFINDEX, &ifindex, sizeof(ifindex));
	return netlink_run(netlink, parse_rp_filter, modep);
}

int netlink_link_get_rp_filter(struct netlink *netlink, int ifindex, uint32_t *modep)
{
	uint32_t all = 0, link = 0;
	int r;

	if (ifindex <= 0)
		return -ENODEV;
	r = read_rp_filter(netlink, NETCONFA_IFINDEX_ALL, &all);
	if (!r)
		r = read_rp_filter(netlink, ifindex, &link);
	if (!r)
		*modep = link > all ? link : all;
	return r;
}

int netlink_link_set_quiet(struct netlink *netlink, int ifindex)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC, .ifi_index = ifindex };
	uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
	struct nlattr *spec, *inet6;
	int r;

	if (ifindex <= 0)
		return -ENODEV;
	netlink_begin(netlink, RTM_NEWLINK, 0, &info, sizeof(info));
	spec = netlink_nest_begin(netlink, IFLA_AF_SPEC);
	inet6 = netlink_nest_begin(netlink, AF_INET6);
	netlink_put(netlink, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof(mode));
	netlink_nest_end(netlink, inet6);
	netlink_nest_end(netlink, spec);
	r = netlink_run(netlink, NULL, NULL);
	/* Ignore: no IPv6 in this kernel, or none on this link. */
	if (r && r != -EAFNOSUPPORT && r != -EOPNOTSUPP)
		return r;
	return link_set_flags(netlink, ifindex, IFF_NOARP, IFF_NOARP);
}

int netlink_link_delete(struct netlink *netlink, int ifindex)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC, .ifi_index = ifindex };

	if (ifindex <= 0)
		return -ENODEV;
	netlink_begin(netlink, RTM_DELLINK, 0, &info, sizeof(info));
	return netlink_run(netlink, NULL, NULL);
}

int netlink_link_set_alias(struct netlink *netlink, int ifindex, const char *alias)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC, .ifi_index = ifindex };

	if (ifindex <= 0)
		return -ENODEV;
	netlink_begin(netlink, RTM_NEWLINK, 0, &info, sizeof(info));
	netlink_put(netlink, IFLA_IFALIAS, alias, strlen(alias) + 1);
	return netlink_run(netlink, NULL, NULL);
}

int netlink_link_set_noqueue(struct netlink *netlink, int ifindex)
{
	const struct tcmsg info = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = ifindex,
		.tcm_parent = TC_H_ROOT,
	};
	static const char kind[] = "noqueue";

	if (ifindex <= 0)
		return -ENODEV;
	netlink_begin(netlink, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, &info, sizeof(info));
	netlink_put(netlink, TCA_KIND, kind, sizeof(kind));
	return netlink_run(netlink, NULL, NULL);
}
