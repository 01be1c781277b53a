// SPDX-License-Identifier: Apache-2.0
/*
 * DOC: rtnetlink requests by libnl's core: messages, attributes and the
 * socket. Its route objects are not used, they know no IFA_PROTO and no
 * dump filters. Replies are taken by sequence number, errors are the
 * kernel's own. No policy here: what is ours is for the callers to say.
 */
#include "userspace/priv/netlink.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#define RECEIVE_SIZE 32768 /* the kernel's largest part of a dump */
#define DUMPS_MAX 5	   /* a dump that was interrupted is asked for again */

typedef int (*netlink_parse_fn)(struct nlmsghdr *header, void *data);

struct netlink {
	struct nl_sock *sock;
	struct nl_cb *cb;
	/* of the request under way */
	uint32_t sequence;
	bool done;
	bool interrupted;
	int error;
	netlink_parse_fn parse;
	void *data;
};

static int errno_from_nl(int code)
{
	switch (code < 0 ? -code : code) {
	case NLE_SUCCESS:
		return 0;
	case NLE_NOMEM:
	case NLE_MSGSIZE:
		return -ENOBUFS;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_AGAIN:
	case NLE_INTR:
		return -EAGAIN;
	case NLE_MSG_TRUNC:
	case NLE_MSG_OVERFLOW:
		return -EMSGSIZE;
	case NLE_AF_NOSUPPORT:
	case NLE_PROTO_MISMATCH:
		return -EAFNOSUPPORT;
	default:
		return -EIO;
	}
}

static int on_valid(struct nl_msg *msg, void *data)
{
	struct netlink *netlink = data;

	if (netlink->parse && !netlink->error)
		netlink->error = netlink->parse(nlmsg_hdr(msg), netlink->data);
	return NL_OK;
}

/* An acknowledgement, or the end of a dump, which carries its error. */
static int on_done(struct nl_msg *msg, void *data)
{
	struct netlink *netlink = data;
	struct nlmsghdr *header = nlmsg_hdr(msg);
	int error = 0;

	if (header->nlmsg_type == NLMSG_DONE && nlmsg_datalen(header) >= (int)sizeof(error))
		memcpy(&error, nlmsg_data(header), sizeof(error));
	if (error < 0 && !netlink->error)
		netlink->error = error;
	netlink->done = true;
	return NL_STOP;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *reply, void *data)
{
	struct netlink *netlink = data;

	(void)from;
	netlink->error = reply->error;
	netlink->done = true;
	return NL_STOP;
}

static int on_interrupted(struct nl_msg *msg, void *data)
{
	struct netlink *netlink = data;

	(void)msg;
	netlink->interrupted = true;
	return NL_OK;
}

/* The rest of an exchange that failed half-way is not ours to read. */
static int on_sequence(struct nl_msg *msg, void *data)
{
	const struct netlink *netlink = data;

	return nlmsg_hdr(msg)->nlmsg_seq == netlink->sequence ? NL_OK : NL_SKIP;
}

int netlink_new(struct netlink **netlinkp)
{
	struct netlink *netlink = calloc(1, sizeof(*netlink));
	int one = 1, r = -ENOMEM;

	if (!netlink)
		return -ENOMEM;
	netlink->sock = nl_socket_alloc();
	netlink->cb = nl_cb_alloc(NL_CB_DEFAULT);
	if (!netlink->sock || !netlink->cb)
		goto fail;
	r = errno_from_nl(nl_connect(netlink->sock, NETLINK_ROUTE));
	if (r)
		goto fail;
	/* Without strict checking the kernel does not filter dumps [4.20]. */
	if (setsockopt(nl_socket_get_fd(netlink->sock), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one,
		       sizeof(one)) < 0) {
		r = -errno;
		goto fail;
	}
	nl_socket_disable_msg_peek(netlink->sock);
	nl_socket_set_msg_buf_size(netlink->sock, RECEIVE_SIZE);
	nl_cb_set(netlink->cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_sequence, netlink);
	nl_cb_set(netlink->cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, netlink);
	nl_cb_set(netlink->cb, NL_CB_ACK, NL_CB_CUSTOM, on_done, netlink);
	nl_cb_set(netlink->cb, NL_CB_FINISH, NL_CB_CUSTOM, on_done, netlink);
	nl_cb_set(netlink->cb, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_interrupted, netlink);
	nl_cb_err(netlink->cb, NL_CB_CUSTOM, on_error, netlink);
	*netlinkp = netlink;
	return 0;
fail:
	netlink_free(netlink);
	return r;
}

struct netlink *netlink_free(struct netlink *netlink)
{
	if (!netlink)
		return NULL;
	nl_cb_put(netlink->cb);
	nl_socket_free(netlink->sock);
	free(netlink);
	return NULL;
}

/* A message of the type with its fixed header, which is copied; NULL if there
 * is no memory. */
static struct nl_msg *message_new(int type, int flags, const void *header, size_t size)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (msg && nlmsg_append(msg, (void *)(uintptr_t)header, size, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

static int put(struct nl_msg *msg, int type, const void *data, size_t size)
{
	return msg ? nla_put(msg, type, (int)size, data) : -NLE_NOMEM;
}

/* Send and read until the end of the answer: 0 or negative errno. */
static int exchange(struct netlink *netlink, struct nl_msg *msg)
{
	int r;

	netlink->done = false;
	netlink->interrupted = false;
	netlink->error = 0;
	nlmsg_hdr(msg)->nlmsg_seq = NL_AUTO_SEQ;
	r = nl_send_auto(netlink->sock, msg);
	netlink->sequence = nlmsg_hdr(msg)->nlmsg_seq;
	while (r >= 0 && !netlink->done)
		r = nl_recvmsgs(netlink->sock, netlink->cb);
	if (!netlink->done && r < 0)
		return errno_from_nl(r);
	return netlink->error;
}

/* Run a request, which is freed; `bad` if putting it together failed. */
static int request(struct netlink *netlink, struct nl_msg *msg, int bad, netlink_parse_fn parse,
		   void *data)
{
	int r = -ENOMEM;

	netlink->parse = parse;
	netlink->data = data;
	if (msg && !bad)
		r = exchange(netlink, msg);
	nlmsg_free(msg);
	netlink->parse = NULL;
	return r;
}

/* links */

static int parse_link(struct nlmsghdr *header, void *data)
{
	struct nlattr *tb[IFLA_MAX + 1];
	struct netlink_link *link = data;
	const struct ifinfomsg *info = nlmsg_data(header);

	if (header->nlmsg_type != RTM_NEWLINK)
		return 0;
	if (nlmsg_parse(header, sizeof(*info), tb, IFLA_MAX, NULL) < 0)
		return -EPROTO;
	memset(link, 0, sizeof(*link));
	link->ifindex = info->ifi_index;
	link->flags = info->ifi_flags;
	link->type = info->ifi_type;
	if (tb[IFLA_IFNAME])
		nla_strlcpy(link->name, tb[IFLA_IFNAME], sizeof(link->name));
	if (tb[IFLA_MTU])
		link->mtu = nla_get_u32(tb[IFLA_MTU]);
	if (tb[IFLA_MIN_MTU])
		link->min_mtu = nla_get_u32(tb[IFLA_MIN_MTU]);
	if (tb[IFLA_MAX_MTU])
		link->max_mtu = nla_get_u32(tb[IFLA_MAX_MTU]);
	if (tb[IFLA_ADDRESS] && nla_len(tb[IFLA_ADDRESS]) == (int)sizeof(link->mac))
		memcpy(link->mac, nla_data(tb[IFLA_ADDRESS]), sizeof(link->mac));
	return 0;
}

static int link_get(struct netlink *netlink, int ifindex, const char *name,
		    struct netlink_link *linkp)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC, .ifi_index = ifindex };
	struct nl_msg *msg = message_new(RTM_GETLINK, 0, &info, sizeof(info));
	struct netlink_link link = { 0 };
	int bad = name ? put(msg, IFLA_IFNAME, name, strlen(name) + 1) : 0;
	int r = request(netlink, msg, bad, parse_link, &link);

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
	if (!*name || strlen(name) >= IFNAMSIZ)
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

	return request(netlink, message_new(RTM_NEWLINK, 0, &info, sizeof(info)), 0, NULL, NULL);
}

int netlink_link_set_up(struct netlink *netlink, int ifindex, bool up)
{
	return link_set_flags(netlink, ifindex, up ? IFF_UP : 0, IFF_UP);
}

int netlink_link_set_mtu(struct netlink *netlink, int ifindex, uint32_t mtu)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC, .ifi_index = ifindex };
	struct nl_msg *msg = message_new(RTM_NEWLINK, 0, &info, sizeof(info));

	return request(netlink, msg, put(msg, IFLA_MTU, &mtu, sizeof(mtu)), NULL, NULL);
}

static int put_addrgenmode_none(struct nl_msg *msg)
{
	uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
	struct nlattr *spec, *inet6;

	if (!msg)
		return -NLE_NOMEM;
	spec = nla_nest_start(msg, IFLA_AF_SPEC);
	inet6 = spec ? nla_nest_start(msg, AF_INET6) : NULL;
	if (!inet6 || nla_put(msg, IFLA_INET6_ADDR_GEN_MODE, sizeof(mode), &mode) < 0)
		return -NLE_NOMEM;
	nla_nest_end(msg, inet6);
	nla_nest_end(msg, spec);
	return 0;
}

int netlink_link_set_quiet(struct netlink *netlink, int ifindex)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC, .ifi_index = ifindex };
	struct nl_msg *msg = message_new(RTM_NEWLINK, 0, &info, sizeof(info));
	int r = request(netlink, msg, put_addrgenmode_none(msg), NULL, NULL);

	/* No IPv6 in this kernel, or none on this link. */
	if (r && r != -EAFNOSUPPORT && r != -EOPNOTSUPP)
		return r;
	return link_set_flags(netlink, ifindex, IFF_NOARP, IFF_NOARP);
}

/* dumps */

/* Ask again if the table changed meanwhile: `call` may then see an entry
 * twice, which our callers bear, but none is left out. */
static int dump(struct netlink *netlink, struct nl_msg *msg, int bad, netlink_parse_fn parse,
		void *data)
{
	int i, r = -ENOMEM;

	netlink->parse = parse;
	netlink->data = data;
	for (i = 0; msg && !bad && i < DUMPS_MAX; i++) {
		r = exchange(netlink, msg);
		if (r || !netlink->interrupted)
			break;
		r = -EAGAIN;
	}
	nlmsg_free(msg);
	netlink->parse = NULL;
	return r;
}

/* addresses */

struct address_each {
	int ifindex;
	netlink_address_fn call;
	void *data;
};

static struct in_addr get_in_addr(const struct nlattr *attribute)
{
	struct in_addr address = { 0 };

	if (attribute && nla_len(attribute) == (int)sizeof(address))
		memcpy(&address, nla_data(attribute), sizeof(address));
	return address;
}

static int parse_address(struct nlmsghdr *header, void *data)
{
	struct nlattr *tb[IFA_PROTO + 1];
	const struct address_each *each = data;
	const struct ifaddrmsg *info = nlmsg_data(header);
	struct netlink_address address = {
		.valid_s = NETLINK_FOREVER,
		.preferred_s = NETLINK_FOREVER,
	};

	if (header->nlmsg_type != RTM_NEWADDR)
		return 0;
	if (nlmsg_parse(header, sizeof(*info), tb, IFA_PROTO, NULL) < 0)
		return -EPROTO;
	if (info->ifa_family != AF_INET || info->ifa_index != (unsigned int)each->ifindex)
		return 0;
	address.address = get_in_addr(tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS]);
	address.prefix_length = info->ifa_prefixlen;
	address.broadcast = get_in_addr(tb[IFA_BROADCAST]);
	address.flags = tb[IFA_FLAGS] ? nla_get_u32(tb[IFA_FLAGS]) : info->ifa_flags;
	if (tb[IFA_PROTO])
		address.protocol = nla_get_u8(tb[IFA_PROTO]);
	if (tb[IFA_CACHEINFO] &&
	    nla_len(tb[IFA_CACHEINFO]) >= (int)sizeof(struct ifa_cacheinfo)) {
		const struct ifa_cacheinfo *cache = nla_data(tb[IFA_CACHEINFO]);

		address.valid_s = cache->ifa_valid;
		address.preferred_s = cache->ifa_prefered;
	}
	each->call(&address, each->data);
	return 0;
}

int netlink_address_each(struct netlink *netlink, int ifindex, netlink_address_fn call, void *data)
{
	struct address_each each = { .ifindex = ifindex, .call = call, .data = data };
	struct ifaddrmsg info = { .ifa_family = AF_INET, .ifa_index = (unsigned int)ifindex };
	struct nl_msg *msg = message_new(RTM_GETADDR, NLM_F_DUMP, &info, sizeof(info));

	return dump(netlink, msg, 0, parse_address, &each);
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
	uint8_t owner = NETLINK_OWNER;
	struct nl_msg *msg = message_new(type, flags, &info, sizeof(info));
	int bad = put(msg, IFA_LOCAL, &address->address, sizeof(address->address));

	if (!bad)
		bad = put(msg, IFA_ADDRESS, &address->address, sizeof(address->address));
	if (!bad && type == RTM_NEWADDR) {
		if (address->broadcast.s_addr)
			bad = put(msg, IFA_BROADCAST, &address->broadcast,
				  sizeof(address->broadcast));
		if (!bad)
			bad = put(msg, IFA_CACHEINFO, &cache, sizeof(cache));
		if (!bad)
			bad = put(msg, IFA_PROTO, &owner, sizeof(owner));
	}
	return request(netlink, msg, bad, NULL, NULL);
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

/* routes */

struct route_each {
	int ifindex;
	uint32_t table;
	netlink_route_fn call;
	void *data;
};

static uint32_t get_u32(struct nlattr *attribute, uint32_t otherwise)
{
	return attribute && nla_len(attribute) == (int)sizeof(uint32_t) ? nla_get_u32(attribute)
									: otherwise;
}

static int parse_route(struct nlmsghdr *header, void *data)
{
	struct nlattr *tb[RTA_MAX + 1];
	const struct route_each *each = data;
	const struct rtmsg *info = nlmsg_data(header);
	struct netlink_route route = { 0 };

	if (header->nlmsg_type != RTM_NEWROUTE)
		return 0;
	if (nlmsg_parse(header, sizeof(*info), tb, RTA_MAX, NULL) < 0)
		return -EPROTO;
	route.table = get_u32(tb[RTA_TABLE], info->rtm_table);
	if (info->rtm_family != AF_INET || info->rtm_type != RTN_UNICAST ||
	    info->rtm_protocol != NETLINK_OWNER || route.table != each->table ||
	    (info->rtm_flags & RTM_F_CLONED) || info->rtm_tos || tb[RTA_MULTIPATH] ||
	    get_u32(tb[RTA_OIF], 0) != (uint32_t)each->ifindex)
		return 0;
	route.destination = get_in_addr(tb[RTA_DST]);
	route.prefix_length = info->rtm_dst_len;
	route.gateway = get_in_addr(tb[RTA_GATEWAY]);
	route.source = get_in_addr(tb[RTA_PREFSRC]);
	route.metric = get_u32(tb[RTA_PRIORITY], 0);
	each->call(&route, each->data);
	return 0;
}

static unsigned char short_table(uint32_t table)
{
	return table < 256 ? (unsigned char)table : RT_TABLE_COMPAT;
}

int netlink_route_each(struct netlink *netlink, int ifindex, uint32_t table, netlink_route_fn call,
		       void *data)
{
	struct route_each each = {
		.ifindex = ifindex, .table = table, .call = call, .data = data
	};
	struct rtmsg info = {
		.rtm_family = AF_INET,
		.rtm_table = short_table(table),
		.rtm_protocol = NETLINK_OWNER,
		.rtm_type = RTN_UNICAST,
	};
	uint32_t oif = (uint32_t)ifindex;
	struct nl_msg *msg = message_new(RTM_GETROUTE, NLM_F_DUMP, &info, sizeof(info));
	int bad = put(msg, RTA_OIF, &oif, sizeof(oif));
	int r;

	if (!bad)
		bad = put(msg, RTA_TABLE, &table, sizeof(table));
	r = dump(netlink, msg, bad, parse_route, &each);
	/* The kernel's word for a table that nobody has put a route into yet. */
	return r == -ENOENT ? 0 : r;
}

static int route_request(struct netlink *netlink, int type, int flags, int ifindex,
			 const struct netlink_route *route)
{
	bool onlink = !route->gateway.s_addr;
	struct rtmsg info = {
		.rtm_family = AF_INET,
		.rtm_dst_len = route->prefix_length,
		.rtm_table = short_table(route->table),
		.rtm_protocol = NETLINK_OWNER,
		.rtm_scope = onlink ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
	};
	uint32_t oif = (uint32_t)ifindex;
	struct nl_msg *msg = message_new(type, flags, &info, sizeof(info));
	int bad = put(msg, RTA_OIF, &oif, sizeof(oif));

	if (!bad)
		bad = put(msg, RTA_TABLE, &route->table, sizeof(route->table));
	if (!bad)
		bad = put(msg, RTA_PRIORITY, &route->metric, sizeof(route->metric));
	if (!bad && route->prefix_length)
		bad = put(msg, RTA_DST, &route->destination, sizeof(route->destination));
	if (!bad && !onlink)
		bad = put(msg, RTA_GATEWAY, &route->gateway, sizeof(route->gateway));
	if (!bad && route->source.s_addr)
		bad = put(msg, RTA_PREFSRC, &route->source, sizeof(route->source));
	return request(netlink, msg, bad, NULL, NULL);
}

int netlink_route_add(struct netlink *netlink, int ifindex, const struct netlink_route *route)
{
	return route_request(netlink, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, ifindex, route);
}

int netlink_route_append(struct netlink *netlink, int ifindex, const struct netlink_route *route)
{
	return route_request(netlink, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, ifindex, route);
}

int netlink_route_delete(struct netlink *netlink, int ifindex, const struct netlink_route *route)
{
	int r = route_request(netlink, RTM_DELROUTE, 0, ifindex, route);

	return r == -ESRCH ? 0 : r;
}
