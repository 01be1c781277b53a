/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/handlers/lease.h"

#include <arpa/inet.h>
#include <errno.h>

#include "userspace/common/address.h"
#include "userspace/common/clock.h"
#include "userspace/priv/handlers/connected.h"
#include "userspace/priv/netlink/netlink.h"

#define COMMIT_TOLERANCE_S 5

uint32_t lease_left(uint32_t seconds, uint64_t written_ns, uint64_t now_ns)
{
	uint64_t age_ns = now_ns > written_ns ? now_ns - written_ns : 0;
	uint64_t whole_ns = seconds * NS_PER_S;

	if (seconds == VALUE_LIFETIME_INFINITE)
		return NETLINK_FOREVER;
	return age_ns < whole_ns ? (uint32_t)((whole_ns - age_ns) / NS_PER_S) : 0;
}

uint64_t lease_end_ns(const struct handler_context *context, const struct wanted *wanted)
{
	const struct kv_value *time = wanted_get(wanted, "/lease/time");
	const struct kv_value *ip = wanted_get(wanted, "/ip");
	uint64_t end_ns = UINT64_MAX, witnessed_ns;
	struct value_ipv4_net net;
	uint32_t seconds;

	if (time && !value_parse_lifetime(time->text, &seconds) &&
	    seconds != VALUE_LIFETIME_INFINITE)
		end_ns = time->boot_ns + seconds * NS_PER_S;
	if (context->witness.is_in_force && !(time && context->options->witness_warns) && ip &&
	    !value_parse_ipv4_net(ip->text, &net) &&
	    !witness_judge(&context->witness, &net, context->options->fallback_lease_s,
			   &witnessed_ns) &&
	    witnessed_ns < end_ns)
		end_ns = witnessed_ns;
	return end_ns;
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

static void on_address(const struct netlink_address *address, void *data)
{
	struct lease *lease = data;

	if (address->protocol == NETLINK_OWNER && address->valid_s > lease->left_s)
		*lease = (struct lease){ .net = { address->address, address->prefix_length },
					 .left_s = address->valid_s,
					 .is_kept = true };
}

/* Get the lease that the host has: the address of ours that is on the uplink. */
static int find_present(struct handler_context *context, struct lease *leasep)
{
	struct lease lease = { .left_s = 0 };
	int r = netlink_address_each(context->netlink, context->uplink_ifindex, on_address, &lease);

	if (r)
		return handler_fail(context, r, "cannot read the addresses of the uplink");
	*leasep = lease;
	return 0;
}

/* Change the lease to what the witness allows. If the operator only wants to be told, a
 * lease without a time still has that of the ACK, because it has no other. */
static int apply_witness(struct handler_context *context, const struct wanted *wanted,
			 struct lease *lease)
{
	const struct kv_value *ip = wanted_get(wanted, "/ip");
	const struct kv_value *time = wanted_get(wanted, "/lease/time");
	bool warns = context->options->witness_warns;
	uint32_t allowed_s = NETLINK_FOREVER;
	uint64_t end_ns;
	const char *why = witness_judge(&context->witness, &lease->net,
					context->options->fallback_lease_s, &end_ns);

	if (!why && end_ns <= context->now_ns && (time || !warns))
		why = "its lease is over";
	if (why)
		return handler_refuse_unwitnessed(context, "/ip", "%s: %s", ip->text, why) ?
			       find_present(context, lease) :
			       0;
	if (end_ns <= context->now_ns)
		allowed_s = 0;
	else if (end_ns != UINT64_MAX)
		allowed_s = (uint32_t)((end_ns - context->now_ns) / NS_PER_S);
	if (lease->left_s <= allowed_s)
		return 0;
	/* The calf counts from its request, in whole seconds, and its commit takes time. */
	if (time && lease->left_s - allowed_s > COMMIT_TOLERANCE_S)
		(void)handler_refuse_unwitnessed(context, "/lease/time",
						 "%s: longer than the server allows", time->text);
	if (!time || !warns)
		lease->left_s = allowed_s;
	return 0;
}

int lease_get_whole(struct handler_context *context, const struct wanted *wanted,
		    struct lease *leasep)
{
	const struct kv_value *ip = wanted_get(wanted, "/ip");
	const struct kv_value *time = wanted_get(wanted, "/lease/time");
	struct lease lease = { .left_s = NETLINK_FOREVER };
	uint32_t seconds;
	int r = 0;

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
	if (lease.left_s && context->witness.is_in_force)
		r = apply_witness(context, wanted, &lease);
	if (r)
		return r;
	if (!lease.left_s)
		return LEASE_ABSENT;
	*leasep = lease;
	return 0;
}

/* Returns true if the address handler has judged the subnet of this address. */
static bool is_judged(const struct handler_context *context, const struct lease *lease)
{
	const struct value_ipv4_net *allowed = &context->allowed_subnet;

	return allowed->prefix_length && allowed->address.s_addr == lease->net.address.s_addr;
}

void lease_narrow(const struct handler_context *context, struct lease *lease)
{
	if (!connected_is_free(context->options, &lease->net))
		lease->net.prefix_length =
			is_judged(context, lease) ? context->allowed_subnet.prefix_length : 32;
}

int lease_get(struct handler_context *context, const struct wanted *wanted, struct lease *leasep)
{
	int r = lease_get_whole(context, wanted, leasep);

	if (r)
		return r;
	if (!connected_is_free(context->options, &leasep->net) && !is_judged(context, leasep))
		return handler_fail_plainly(context, -EAGAIN,
					    "it is not known whether the subnet may be connected");
	lease_narrow(context, leasep);
	return 0;
}
