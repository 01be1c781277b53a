// SPDX-License-Identifier: Apache-2.0
/*
 * DOC: the leased address on the uplink, with the lease's remaining time as
 * its lifetime: the kernel takes it away on time even if no process of ours
 * is left. Ours are known by NETLINK_OWNER; no other is ever changed or
 * removed, not even one that is equal to the leased one, unless the operator
 * wants the address of a former client taken over. A renewal sets the lifetime
 * in place: one request, as long as nobody else has changed the addresses since
 * we looked. After a change of address the old one goes last, in release, when
 * the routes have moved.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "userspace/common/log.h"
#include "userspace/common/value.h"
#include "userspace/priv/handlers/handler.h"
#include "userspace/priv/handlers/lease.h"
#include "userspace/priv/handlers/state.h"
#include "userspace/priv/netlink/netlink.h"

#define OURS_MAX 8
/* The kernel counts whole seconds: a present lifetime this near is equal. */
#define LIFETIME_TOLERANCE_S 1
#define EXPIRY_TOLERANCE_S 1

/* What is on the uplink, as far as it matters. */
struct present {
	const struct lease *lease; /* NULL: none wanted */
	bool is_there;		   /* the leased one, whoever set it */
	struct netlink_address leased;
	struct netlink_address ours[OURS_MAX]; /* not wanted */
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

static bool address_concerns(const char *path)
{
	return !strcmp(path, "/ip") || !strcmp(path, "/lease/time");
}

static void see(const struct netlink_address *address, void *data)
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
	r = netlink_address_each(context->netlink, context->uplink_ifindex, see, present);
	return r ? handler_fail(context, r, "addresses of the uplink") : 0;
}

/*
 * The end of a primary address takes its secondaries along unless this is
 * set: a new address in the old one's subnet would go with it. It stays set.
 */
static void promote_secondaries(struct handler_context *context)
{
	struct address_state *state = &context->state->address;
	char path[128];
	struct netlink_link link;
	int fd, r = netlink_link_get(context->netlink, context->uplink_ifindex, &link);

	if (r)
		return;
	(void)snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/promote_secondaries",
		       link.name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		r = -errno;
	if (fd >= 0)
		(void)close(fd);
	if (r && !state->has_warned) {
		log_warning(
			"%s: %s; a change of address within a subnet may leave none for a moment",
			path, strerror(-r));
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
static void tell_foreign(struct handler_context *context, const struct lease *lease)
{
	struct in_addr *told = &context->state->address.told;
	char text[VALUE_IPV4_NET_SIZE];

	if (told->s_addr == lease->net.address.s_addr)
		return;
	*told = lease->net.address;
	value_format_ipv4_net(&lease->net, text);
	log_warning("%s is on the uplink already, not set by us: left as it is", text);
}

/* The leased address was there: 0 if it is as wanted now, and ours. */
static int adopt_address(struct handler_context *context, const struct present *present)
{
	struct netlink_address address = address_of(present->lease);

	if (present->leased.protocol == NETLINK_OWNER &&
	    is_near(present->leased.valid_s, present->lease->left_s))
		return 0;
	return netlink_address_replace(context->netlink, context->uplink_ifindex, &address);
}

/*
 * The host waits for an address that is new, so it is added before anything is
 * asked; if it was there, the kernel says so, and nothing is changed.
 */
static int set_address(struct handler_context *context, const struct lease *lease)
{
	struct address_state *state = &context->state->address;
	struct netlink_address address = address_of(lease);
	struct present present;
	int r = netlink_address_add(context->netlink, context->uplink_ifindex, &address), error;
	bool was_there = r == -EEXIST;

	if (r && !was_there)
		return fail_address(context, r, lease);
	context->is_leased = !was_there;
	state->must_repeat = !was_there && is_last_set(context, lease);
	error = find_present(context, lease, &present);
	if (error)
		return error;
	state->is_settled = present.n_ours == 0;
	if (was_there && present.is_there) {
		if (present.leased.protocol != NETLINK_OWNER && !context->takeover) {
			tell_foreign(context, lease);
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
	context->is_leased = r == 0;
	return r ? fail_address(context, r, lease) : 0;
}

static int address_apply(struct handler_context *context, const struct wanted *wanted)
{
	struct address_state *state = &context->state->address;
	struct lease lease;
	int r = lease_get(context, wanted, &lease);

	context->is_leased = false;
	state->is_settled = r == 0 && is_known(context, &lease);
	if (state->is_settled)
		return renew(context, &lease);
	state->known.ifindex = 0;
	if (r == LEASE_ABSENT)
		state->last_set.prefix_length = 0;
	if (r)
		return r == LEASE_ABSENT ? 0 : r;
	return set_address(context, &lease);
}

static int address_release(struct handler_context *context, const struct wanted *wanted)
{
	struct address_state *state = &context->state->address;
	struct present present;
	struct lease lease;
	int error = 0, r;
	uint32_t i;

	if (state->must_repeat) {
		state->must_repeat = false;
		return HANDLER_REPEAT;
	}
	if (state->is_settled)
		return 0;
	r = lease_get(context, wanted, &lease);
	/* What cannot be read says nothing about what is there. */
	if (r < 0)
		return r;
	r = find_present(context, r == LEASE_ABSENT ? NULL : &lease, &present);
	if (r)
		return r == -ENODEV ? 0 : r;
	if (!present.n_ours)
		return 0;
	if (present.n_all > 1)
		promote_secondaries(context);
	for (i = 0; i < present.n_ours; i++) {
		r = netlink_address_delete(context->netlink, context->uplink_ifindex,
					   &present.ours[i]);
		if (r)
			error = handler_first(error, handler_fail(context, r, "old address"));
	}
	if (error || !present.lease)
		return error;
	/* Where promote_secondaries cannot be set, the old one may have taken
	 * the new one along, and its routes. */
	r = find_present(context, &lease, &present);
	return !r && !present.is_there ? HANDLER_REPEAT : r;
}

static int address_check(struct handler_context *context, const struct wanted *wanted)
{
	char text[VALUE_IPV4_NET_SIZE];
	struct present present;
	struct lease lease;
	int r = lease_get(context, wanted, &lease);

	/* The kernel takes it away on time, and its second ends before ours. */
	if (r || lease.left_s <= EXPIRY_TOLERANCE_S || !is_last_set(context, &lease))
		return r < 0 ? r : 0;
	r = find_present(context, &lease, &present);
	if (r)
		return r;
	value_format_ipv4_net(&lease.net, text);
	if (!present.is_there)
		return handler_drift(context, "%s was removed", text);
	if (present.leased.protocol != NETLINK_OWNER)
		return handler_drift(context, "%s was changed, and is another owner's now", text);
	return 0;
}

const struct handler handler_address = {
	.name = "address",
	.concerns = address_concerns,
	.apply = address_apply,
	.release = address_release,
	.check = address_check,
};
