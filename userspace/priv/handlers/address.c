/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the leased address on the uplink. Its lifetime is the remaining time of the
 * lease, so that the kernel removes it on time even if calfpen no longer runs.
 * Addresses set by calfpen carry NETLINK_OWNER; no other address is ever changed
 * or removed, not even one that equals the leased one, unless the operator wants
 * to take over the address of another client (former.h removes what else it left).
 * A renewal sets the lifetime in place: one request, as long as no other program has
 * changed the addresses since they were read. After a change of address the old one is
 * deleted last, in release, when the routes use the new one.
 *
 * The route to the subnet is the route handler's, because the mask may come from an
 * attacker: the address is set with IFA_F_NOPREFIXROUTE, and with the prefix length 32 if
 * the subnet would hide a route of another owner (connected.h). So that the host is not
 * without that route for a moment, a new address is followed by it at once.
 */
#include <errno.h>
#include <linux/ip.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "userspace/common/log.h"
#include "userspace/common/value.h"
#include "userspace/priv/handlers/connected.h"
#include "userspace/priv/handlers/handler.h"
#include "userspace/priv/handlers/lease.h"
#include "userspace/priv/handlers/link.h"
#include "userspace/priv/handlers/state.h"
#include "userspace/priv/netlink/netlink.h"

#define OURS_MAX 8
/* The kernel counts whole seconds: lifetimes that differ by this much are equal. */
#define LIFETIME_TOLERANCE_S 1
#define EXPIRY_TOLERANCE_S 1

/* The present addresses of the uplink, as far as they matter. */
struct present {
	const struct lease *lease; /* NULL: none wanted */
	bool is_there;		   /* the leased address, whatever set it */
	struct netlink_address leased;
	struct netlink_address ours[OURS_MAX]; /* set by calfpen, no longer wanted */
	uint32_t n_ours;
	uint32_t n_all;
};

static bool is_known(const struct handler_context *context, const struct lease *lease)
{
	const struct address_known *known = &context->state->address.known;

	return context->n_address_changes && known->ifindex == context->uplink_ifindex &&
	       known->n_address_changes == context->n_address_changes &&
	       known->net.address.s_addr == lease->net.address.s_addr &&
	       known->net.prefix_length == lease->net.prefix_length;
}

static const struct handler_family address_families[] = {
	{ "/ip", FAMILY_TYPE(VALUE_IPV4_NET), 0 },
	{ "/lease/time", FAMILY_TYPE(VALUE_LIFETIME), 0 },
};

static void on_address(const struct netlink_address *address, void *data)
{
	struct present *present = data;
	const struct lease *lease = present->lease;

	present->n_all++;
	if (lease && address->address.s_addr == lease->net.address.s_addr &&
	    address->prefix_length == lease->net.prefix_length) {
		present->is_there = true;
		present->leased = *address;
	} else if (address->protocol == NETLINK_OWNER && present->n_ours < OURS_MAX) {
		present->ours[present->n_ours++] = *address;
	}
}

static int find_present(struct handler_context *context, const struct lease *lease,
			struct present *present)
{
	int r;

	*present = (struct present){ .lease = lease };
	r = netlink_address_each(context->netlink, context->uplink_ifindex, on_address, present);
	return r ? handler_fail(context, r, "cannot read the addresses of the uplink") : 0;
}

/*
 * When a primary address is deleted, the kernel deletes its secondaries, too,
 * unless this is set: a new address in the old one's subnet would be deleted with
 * the old one. It stays set.
 */
static void promote_secondaries(struct handler_context *context)
{
	struct address_state *state = &context->state->address;
	int r = netlink_link_set_ipv4(context->netlink, context->uplink_ifindex,
				      IPV4_DEVCONF_PROMOTE_SECONDARIES, 1);

	if (r && r != -ENODEV && !state->has_warned) {
		log_warning("cannot set promote_secondaries: %s; a change of address within a "
			    "subnet may leave the uplink without one for a moment",
			    strerror(-r));
		state->has_warned = true;
	}
}

static bool is_near(uint32_t present_s, uint32_t wanted_s)
{
	uint32_t apart = present_s > wanted_s ? present_s - wanted_s : wanted_s - present_s;

	if (present_s == NETLINK_FOREVER || wanted_s == NETLINK_FOREVER)
		return present_s == wanted_s;
	return apart <= LIFETIME_TOLERANCE_S;
}

static struct netlink_address address_of(const struct lease *lease)
{
	return (struct netlink_address){
		.address = lease->net.address,
		.prefix_length = lease->net.prefix_length,
		.flags = IFA_F_NOPREFIXROUTE,
		.broadcast = lease_net_broadcast(&lease->net),
		.valid_s = lease->left_s,
		.preferred_s = lease->left_s,
	};
}

static int fail_address(struct handler_context *context, int error, const struct lease *lease)
{
	char text[VALUE_IPV4_NET_SIZE];

	value_format_ipv4_net(&lease->net, text);
	return handler_fail(context, error, "address %s", text);
}

static bool is_last_set(const struct handler_context *context, const struct lease *lease)
{
	const struct value_ipv4_net *last_set = &context->state->address.last_set;

	return last_set->address.s_addr == lease->net.address.s_addr &&
	       last_set->prefix_length == lease->net.prefix_length;
}

/* Leave the address of another program alone; log each of them once. */
static void log_foreign(struct handler_context *context, const struct lease *lease)
{
	struct in_addr *logged = &context->state->address.logged;
	char text[VALUE_IPV4_NET_SIZE];

	if (logged->s_addr == lease->net.address.s_addr)
		return;
	*logged = lease->net.address;
	value_format_ipv4_net(&lease->net, text);
	log_warning("%s is already on the uplink, set by another program; leaving it unchanged",
		    text);
}

/* Adopt a leased address that was present. Returns 0 if it is as wanted and carries
 * our mark, or a negative errno. */
static int adopt_address(struct handler_context *context, const struct present *present)
{
	struct netlink_address address = address_of(present->lease);

	if (present->leased.protocol == NETLINK_OWNER &&
	    is_near(present->leased.valid_s, present->lease->left_s))
		return 0;
	return netlink_address_replace(context->netlink, context->uplink_ifindex, &address);
}

/* Add the route to the subnet of an address that was just added. The route handler adds it
 * if this fails, and reports why. */
static void connect_subnet(struct handler_context *context, const struct wanted *wanted,
			   const struct lease *lease)
{
	struct netlink_route route;

	if (context->is_carrier_lost || !connected_route(context, &lease->net, &route))
		return;
	route.mtu = link_route_mtu(context, wanted);
	(void)netlink_route_add(context->netlink, context->uplink_ifindex, &route);
}

/* Note whether the kernel has a route to the subnet of our address. */
static void note_kernels_route(struct handler_context *context, const struct present *present)
{
	context->state->address.has_kernels_route =
		present->is_there && present->lease->net.prefix_length < 32 &&
		!(present->leased.flags & IFA_F_NOPREFIXROUTE) &&
		(present->leased.protocol == NETLINK_OWNER || context->takeover);
}

/*
 * The host waits for a new address, so add it before reading the present ones; if
 * it exists already, the kernel returns -EEXIST and changes nothing.
 */
static int set_address(struct handler_context *context, const struct wanted *wanted,
		       const struct lease *lease)
{
	struct address_state *state = &context->state->address;
	struct netlink_address address = address_of(lease);
	struct present present;
	int r = netlink_address_add(context->netlink, context->uplink_ifindex, &address), error;
	bool was_there = r == -EEXIST;

	state->must_repeat |= !was_there && is_last_set(context, lease);
	if (r && !was_there)
		return fail_address(context, r, lease);
	context->is_leased = !was_there;
	if (!was_there)
		connect_subnet(context, wanted, lease);
	error = find_present(context, lease, &present);
	if (error)
		return error;
	note_kernels_route(context, &present);
	state->is_settled = present.n_ours == 0;
	if (was_there && present.is_there) {
		if (present.leased.protocol != NETLINK_OWNER && !context->takeover) {
			log_foreign(context, lease);
			context->is_leased = true;
			return 0;
		}
		r = adopt_address(context, &present);
	} else if (present.n_all > 1) {
		promote_secondaries(context);
	}
	if (r)
		return fail_address(context, r, lease);
	context->is_leased = true;
	state->last_set = lease->net;
	if (!present.n_ours)
		state->known =
			(struct address_known){ .ifindex = context->uplink_ifindex,
						.n_address_changes = context->n_address_changes,
						.net = lease->net };
	return 0;
}

static int renew(struct handler_context *context, const struct lease *lease)
{
	struct netlink_address address = address_of(lease);
	int r = netlink_address_replace(context->netlink, context->uplink_ifindex, &address);

	if (r)
		context->state->address.known.ifindex = 0;
	context->is_leased = !r;
	return r ? fail_address(context, r, lease) : 0;
}

static void report_subnet(struct handler_context *context, const struct value_ipv4_net *subnet,
			  const struct netlink_route *hidden, const char *outcome)
{
	char text[VALUE_IPV4_NET_SIZE], route[ROUTE_TEXT_SIZE];

	value_format_ipv4_net(subnet, text);
	route_format(hidden, route);
	handler_refuse(context, "/ip", "%s: its subnet would hide the route to %s table %u; %s",
		       text, route, hidden->table, outcome);
}

struct refused {
	const struct lease *lease; /* the whole one */
	bool is_foreign;	   /* another program has set it */
	bool is_set;		   /* with /32, by calfpen */
};

static void on_refused_address(const struct netlink_address *address, void *data)
{
	struct refused *refused = data;
	const struct value_ipv4_net *net = &refused->lease->net;

	if (address->address.s_addr != net->address.s_addr)
		return;
	if (address->protocol == NETLINK_OWNER)
		refused->is_set |= address->prefix_length == 32;
	else
		refused->is_foreign |= address->prefix_length == net->prefix_length;
}

/* Find out whether another program has set the refused lease, so that it is not ours to set.
 * Returns 0 or a negative errno. */
static int find_foreign(struct handler_context *context, const struct lease *lease,
			bool *is_foreignp)
{
	struct refused refused = { .lease = lease };
	int r = 0;

	if (!context->takeover)
		r = netlink_address_each(context->netlink, context->uplink_ifindex,
					 on_refused_address, &refused);
	*is_foreignp = refused.is_foreign && !refused.is_set;
	return r ? handler_fail(context, r, "cannot read the addresses of the uplink") : 0;
}

/* Let the address of another program be the leased one. */
static int leave_foreign(struct handler_context *context, const struct lease *whole)
{
	struct address_state *state = &context->state->address;

	log_foreign(context, whole);
	state->last_set.prefix_length = 0;
	state->has_kernels_route = false;
	context->is_leased = true;
	return 0;
}

/* Decide whether the subnet of the lease may be connected; if not, shorten lease->net to the
 * address, and say whether another program has set it. Returns 0 or a negative errno. */
static int judge_subnet(struct handler_context *context, const struct wanted *wanted,
			struct lease *lease, bool *is_foreignp)
{
	const struct value_ipv4_net earlier = context->allowed_subnet;
	struct netlink_route hidden;
	int r;

	/* What a former client left is judged as if the subnet were connected. */
	context->allowed_subnet = lease->net;
	*is_foreignp = false;
	r = connected_judge(context, wanted, &lease->net, &hidden);
	if (r == CONNECTED_HIDES)
		r = handler_first(find_foreign(context, lease, is_foreignp), r);
	if (r < 0) {
		context->allowed_subnet = earlier;
		return r;
	}
	context->is_subnet_judged = !connected_is_free(context->options, &lease->net);
	context->is_subnet_refused = r == CONNECTED_HIDES;
	if (!context->is_subnet_refused)
		return 0;
	report_subnet(context, &lease->net, &hidden,
		      *is_foreignp ? "left as another program has set it" : "set with /32");
	context->allowed_subnet.prefix_length = lease->net.prefix_length = 32;
	return 0;
}

/* The lease is what is there, with its own lifetime. */
static int keep_address(struct handler_context *context, const struct lease *lease)
{
	struct present present;
	int r = find_present(context, lease, &present);

	if (!r)
		note_kernels_route(context, &present);
	return r;
}

static void forget_lease(struct handler_context *context)
{
	struct address_state *state = &context->state->address;

	state->last_set.prefix_length = 0;
	state->has_kernels_route = false;
	context->allowed_subnet.prefix_length = 0;
	context->is_subnet_refused = context->is_subnet_judged = false;
}

static int apply_lease(struct handler_context *context, const struct wanted *wanted)
{
	struct address_state *state = &context->state->address;
	bool was_refused = context->is_subnet_refused, is_foreign;
	struct lease lease, whole;
	int r = lease_get_whole(context, wanted, &lease);

	context->is_leased = false;
	state->is_settled = false;
	if (!r && !lease.is_kept)
		r = former_begin(context, wanted);
	/* The decision about its subnet is checked after each change of a route. */
	state->is_settled = !r && !lease.is_kept && !was_refused && is_known(context, &lease);
	if (state->is_settled)
		return renew(context, &lease);
	state->known.ifindex = 0;
	if (r == LEASE_ABSENT)
		forget_lease(context);
	if (r)
		return r == LEASE_ABSENT ? 0 : r;
	whole = lease;
	r = judge_subnet(context, wanted, &lease, &is_foreign);
	if (r)
		return r;
	state->must_repeat = state->has_failed || context->is_subnet_refused != was_refused;
	if (lease.is_kept && !context->is_subnet_refused)
		return keep_address(context, &lease);
	r = is_foreign ? leave_foreign(context, &whole) : set_address(context, wanted, &lease);
	context->is_leased &= !lease.is_kept;
	return r;
}

static int address_apply(struct handler_context *context, const struct wanted *wanted)
{
	int r = apply_lease(context, wanted);

	context->state->address.has_failed = r < 0;
	if (r < 0)
		context->state->address.must_repeat = false; /* by the next apply */
	return r;
}

static int address_release(struct handler_context *context, const struct wanted *wanted)
{
	struct address_state *state = &context->state->address;
	struct present present;
	struct lease lease;
	int error = 0, r;

	if (state->must_repeat) {
		state->must_repeat = false;
		return HANDLER_REPEAT;
	}
	if (state->is_settled || state->has_failed)
		return 0;
	r = lease_get(context, wanted, &lease);
	/* A malformed value does not mean that the present addresses are unwanted. */
	if (r < 0)
		return r;
	r = find_present(context, r == LEASE_ABSENT ? NULL : &lease, &present);
	if (r)
		return r == -ENODEV ? 0 : r;
	if (!present.n_ours)
		return 0;
	if (present.n_all > 1)
		promote_secondaries(context);
	for (uint32_t i = 0; i < present.n_ours; i++) {
		r = netlink_address_delete(context->netlink, context->uplink_ifindex,
					   &present.ours[i]);
		if (r)
			error = handler_first(error, handler_fail(context, r,
								  "cannot delete the old address"));
	}
	if (error || !present.lease)
		return error;
	/* If promote_secondaries cannot be set, the kernel may have deleted the new
	 * address and its routes with the old one; if it is set, the kernel may have added
	 * a route to the subnet of the new one. */
	r = find_present(context, &lease, &present);
	return !r && (!present.is_there || state->has_kernels_route) ? HANDLER_REPEAT : r;
}

/* The routes of other programs may have changed the decision, both ways. */
static int check_subnet(struct handler_context *context, const struct wanted *wanted)
{
	struct netlink_route hidden;
	struct lease lease;
	int r = lease_get_whole(context, wanted, &lease);

	if (r)
		return r < 0 ? r : 0;
	r = connected_judge(context, wanted, &lease.net, &hidden);
	if (r < 0 || (r == CONNECTED_HIDES) == context->is_subnet_refused)
		return r < 0 ? r : 0;
	context->state->address.known.ifindex = 0;
	return HANDLER_APPLY;
}

static int address_check(struct handler_context *context, const struct wanted *wanted)
{
	char text[VALUE_IPV4_NET_SIZE];
	struct present present;
	struct lease lease;
	int r = lease_get(context, wanted, &lease);

	if (!r && context->is_subnet_judged)
		r = check_subnet(context, wanted);
	if (r < 0 || r == HANDLER_APPLY)
		return r;
	/* A kept address is not repaired, so it cannot drift. The kernel removes the leased one
	 * on time, up to a second earlier than we compute. */
	if (r || lease.is_kept || lease.left_s <= EXPIRY_TOLERANCE_S ||
	    !is_last_set(context, &lease))
		return 0;
	r = find_present(context, &lease, &present);
	if (r)
		return r;
	value_format_ipv4_net(&lease.net, text);
	if (!present.is_there)
		return handler_drift(context, "%s was removed", text);
	if (present.leased.protocol != NETLINK_OWNER) {
		(void)handler_drift(context, "%s was changed and now belongs to another program",
				    text);
		return context->takeover ? HANDLER_DRIFT : HANDLER_TAKEN;
	}
	return 0;
}

const struct handler handler_address = {
	.name = "address",
	.effect = "the address of the uplink",
	.families = address_families,
	.n_families = sizeof(address_families) / sizeof(address_families[0]),
	.apply = address_apply,
	.release = address_release,
	.check = address_check,
	.repairs_drift = true,
};
