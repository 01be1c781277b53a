/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/handlers/lease.h"

#include <arpa/inet.h>
#include <errno.h>

#include "userspace/common/address.h"
#include "userspace/common/clock.h"
#include "userspace/priv/netlink/netlink.h"

uint32_t lease_left(uint32_t seconds, uint64_t written_ns, uint64_t now_ns)
{
	uint64_t age_ns = now_ns > written_ns ? now_ns - written_ns : 0;
	uint64_t whole_ns = seconds * NS_PER_S;

	if (seconds == VALUE_LIFETIME_INFINITE)
		return NETLINK_FOREVER;
	return age_ns < whole_ns ? (uint32_t)((whole_ns - age_ns) / NS_PER_S) : 0;
}

uint64_t lease_end_ns(const struct wanted *wanted)
{
	const struct kv_value *time = wanted_get(wanted, "/lease/time");
	uint32_t seconds;

	if (!time || value_parse_lifetime(time->text, &seconds) ||
	    seconds == VALUE_LIFETIME_INFINITE)
		return UINT64_MAX;
	return time->boot_ns + seconds * NS_PER_S;
}

bool lease_net_contains(const struct value_ipv4_net *net, struct in_addr address)
{
	return !((ntohl(net->address.s_addr) ^ ntohl(address.s_addr)) &
		 address_netmask(net->prefix_length));
}

struct in_addr lease_net_first(const struct value_ipv4_net *net)
{
	return (struct in_addr){ net->address.s_addr & htonl(address_netmask(net->prefix_length)) };
}

struct in_addr lease_net_broadcast(const struct value_ipv4_net *net)
{
	struct in_addr broadcast = { 0 };

	if (net->prefix_length < 31)
		broadcast.s_addr = net->address.s_addr |
				   htonl(~address_netmask(net->prefix_length));
	return broadcast;
}

int lease_get(struct handler_context *context, const struct wanted *wanted, struct lease *leasep)
{
	const struct kv_value *ip = wanted_get(wanted, "/ip");
	const struct kv_value *time = wanted_get(wanted, "/lease/time");
	struct lease lease = { .left_s = NETLINK_FOREVER };
	uint32_t seconds;

	if (!ip)
		return LEASE_ABSENT;
	if (value_parse_ipv4_net(ip->text, &lease.net) || !lease.net.prefix_length ||
	    !address_is_host(lease.net.address))
		return handler_fail(context, -EBADMSG, "/ip is \"%s\"", ip->text);
	if (time) {
		if (value_parse_lifetime(time->text, &seconds))
			return handler_fail(context, -EBADMSG, "/lease/time is \"%s\"", time->text);
		lease.left_s = lease_left(seconds, time->boot_ns, context->now_ns);
	}
	if (!lease.left_s)
		return LEASE_ABSENT;
	*leasep = lease;
	return 0;
}
