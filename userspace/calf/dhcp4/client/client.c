/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: One function per event; one table for messages (receive.c). An event
 * sends at most one message and one ARP packet. Decisions that RFC 2131 leaves
 * open:
 *
 *  - The first acceptable OFFER is accepted.
 *  - The start is delayed by 0.2..2 ms, not by 1..10 s: hosts that boot at the
 *    same time do not start DHCP at exactly the same time. start_delay_ms =
 *    10000 gives the RFC's range.
 *  - DISCOVER and REQUEST are retransmitted after 4, 8, 16, 32, 64 s, each +-1 s
 *    (section 4.1); below 4 s the shift is a quarter. The operator may set a
 *    lower limit, for servers that are reachable late. A REQUEST is sent five
 *    times, about 60 s in all (section 3.1), and then DISCOVER follows.
 *  - The first two DISCOVERs ask for rapid commit; later ones do not, because
 *    some servers do not answer messages with option 80.
 *  - INIT-REBOOT is tried twice; then DISCOVER has the address as a hint. The
 *    lease is kept meanwhile, until it expires, is refused by a NAK, or is
 *    replaced by another (section 3.2 (4)).
 *  - A retransmitted REQUEST has the xid of the first, so its lease starts at
 *    the first transmission. In RENEWING and REBINDING each REQUEST has its own
 *    xid, so the ACK shows which one was answered.
 *  - The ACK to a renewal is sent to the address of the lease (section 4.1). If
 *    the host has lost that, or its route or ARP, neither RENEWING nor REBINDING
 *    can succeed. Therefore REBINDING, and a renewal that the operator requests,
 *    is sent once more in the form of INIT-REBOOT if there is no answer: all of
 *    that way is broadcast. It has the same xid, because it asks for the same.
 *  - A NAK in RENEWING, REBINDING or REBOOTING restarts at once, because there
 *    can be only one per lease. In REQUESTING the client waits for 1..2 s,
 *    doubled each time up to 5 minutes, until there is a lease. After a
 *    conflict it waits in the same way, but from 10..20 s on (conflict.c).
 *  - While the link is down nothing is sent. When it comes up it may be
 *    connected to another network: INIT-REBOOT asks whether the lease is still
 *    valid.
 *  - After a suspend several deadlines may have passed: the end of the lease is
 *    handled first, then what is due at this time, once.
 */
#include "userspace/calf/dhcp4/client/client-private.h"

#include <string.h>

#include "userspace/common/backoff.h"
#include "userspace/common/clock.h"

#define DELAY_MAX_NS (CLIENT_DELAY_MAX_S * NS_PER_S)

const char *client_state_name(enum client_state state)
{
	static const char *const names[_CLIENT_STATE_N] = {
		[CLIENT_INIT] = "INIT",
		[CLIENT_SELECTING] = "SELECTING",
		[CLIENT_REQUESTING] = "REQUESTING",
		[CLIENT_BOUND] = "BOUND",
		[CLIENT_RENEWING] = "RENEWING",
		[CLIENT_REBINDING] = "REBINDING",
		[CLIENT_INIT_REBOOT] = "INIT-REBOOT",
		[CLIENT_REBOOTING] = "REBOOTING",
		[CLIENT_INFORMING] = "INFORMING",
		[CLIENT_INFORMED] = "INFORMED",
		[CLIENT_IPV6_ONLY] = "IPV6-ONLY",
		[CLIENT_RELEASED] = "RELEASED",
	};

	return (unsigned int)state < _CLIENT_STATE_N ? names[state] : "?";
}

void client_init(struct client *client, const struct client_config *config)
{
	*client = (struct client){
		.config = *config,
		.deadline_ns = CLIENT_NEVER,
		.timer_ns = CLIENT_NEVER,
		.conflict = CONFLICT_NULL,
	};
}

uint64_t client_start_delay_ns(const struct client *client, const struct client_event *event)
{
	uint64_t most_ns = client->config.start_delay_ms * NS_PER_MS;

	return jitter(most_ns / 10, most_ns, event->random[RANDOM_DELAY]);
}

uint64_t client_growing_delay_ns(uint32_t first_s, uint32_t n_before, uint32_t random)
{
	uint64_t most_ns = backoff_ns(n_before + 1, 2 * NS_PER_S * first_s, DELAY_MAX_NS);

	return jitter(most_ns / 2, most_ns, random);
}

/* Begin in `state` at `at_ns`, or when the link comes up. */
static void begin(struct client *client, enum client_state state, uint64_t at_ns)
{
	client->state = state;
	client->n_sent = 0;
	client->timer_ns = client->is_link_down ? CLIENT_NEVER : at_ns;
}

void client_restart(struct client *client, uint64_t at_ns)
{
	begin(client, CLIENT_INIT, at_ns);
}

void client_begin(struct client *client, uint64_t at_ns)
{
	enum client_state state = CLIENT_INIT;

	if (client->config.inform.s_addr != INADDR_ANY)
		state = CLIENT_INFORMING;
	else if (client->may_reboot)
		state = CLIENT_INIT_REBOOT;
	begin(client, state, at_ns);
}

void client_lose(struct client *client, struct client_actions *actions)
{
	if (client->has_lease)
		actions->lease = CLIENT_LEASE_LOST;
	client->has_lease = client->is_in_use = client->is_restored = false;
	client->may_reboot = false;
	conflict_stop(&client->conflict);
}

void client_ask_for(struct client *client, struct in_addr address, bool may_reboot)
{
	if (client->config.no_reboot)
		return;
	client->wanted = address;
	client->may_reboot = may_reboot;
}

/* Restore the lease of a previous run as far as it is known. If the wall clock
 * is wrong, the kernel still removes the address in time. */
static void restore(struct client *client, const struct client_event *event)
{
	const struct client_saved *saved = event->saved;
	struct client_lease *lease = &client->lease;

	client->has_lease = client->is_restored = true;
	client->is_in_use = saved->is_configured;
	*lease = (struct client_lease){
		.address = saved->address,
		.prefix_length = saved->prefix_length,
		.server = saved->server,
		/* otherwise how long it lasted is unknown */
		.time_s = saved->left_s == CLIENT_INFINITE ? CLIENT_INFINITE : 0,
		.start_ns = event->now_ns,
		.t1_ns = CLIENT_NEVER,
		.t2_ns = CLIENT_NEVER,
		.expires_ns = CLIENT_NEVER,
		.is_continued = true,
	};
	if (saved->left_s != CLIENT_INFINITE)
		lease->expires_ns = event->now_ns + saved->left_s * NS_PER_S;
}

static void on_start(struct client *client, const struct client_event *event,
		     struct client_actions *actions)
{
	const struct client_config *config = &client->config;
	const struct client_saved *saved = event->saved;

	if (event->is_released) {
		client->state = CLIENT_RELEASED;
		return;
	}
	if (saved)
		restore(client, event);
	if (config->inform.s_addr != INADDR_ANY) {
		client_lose(client, actions);
	} else if (config->requested.s_addr != INADDR_ANY) {
		client_ask_for(client, config->requested, true);
	} else if (saved) {
		client_ask_for(client, saved->address, !saved->is_over);
	}
	client_begin(client, event->now_ns + client_start_delay_ns(client, event));
}

/* At T1 and T2, on request, and again until the lease is renewed or expires. */
static void renew(struct client *client, const struct client_event *event,
		  struct client_actions *actions)
{
	enum client_state state = CLIENT_RENEWING;

	if (event->now_ns >= client->lease.t2_ns)
		state = CLIENT_REBINDING;
	if (client->state == CLIENT_BOUND)
		client->began_ns = event->now_ns;
	if (client->must_broadcast && event->type == CLIENT_TIMEOUT && client->state == state) {
		client_send_broadcast_renewal(client, event, actions);
		return;
	}
	if (client->state != state)
		client->n_sent = 0;
	client->state = state;
	client_send_renewal(client, event, actions);
}

/* Begin a new exchange, with a new xid, in `state`. */
static void begin_exchange(struct client *client, const struct client_event *event,
			   enum client_state state)
{
	client->state = state;
	client->xid = event->random[RANDOM_XID];
	client->began_ns = event->now_ns;
	client->n_sent = 0;
	client->has_sent_rapid_commit = false;
}

static void on_timer(struct client *client, const struct client_event *event,
		     struct client_actions *actions)
{
	uint64_t at_ns = event->now_ns + client_start_delay_ns(client, event);

	switch (client->state) {
	case CLIENT_INIT:
		begin_exchange(client, event, CLIENT_SELECTING);
		client_send_discover(client, event, actions);
		break;
	case CLIENT_SELECTING:
		client_send_discover(client, event, actions);
		break;
	case CLIENT_REQUESTING:
		if (client->n_sent < CLIENT_REQUEST_TRIES)
			client_send_request(client, event, actions);
		else
			client_restart(client, at_ns);
		break;
	case CLIENT_INIT_REBOOT:
		begin_exchange(client, event, CLIENT_REBOOTING);
		client_send_reboot(client, event, actions);
		break;
	case CLIENT_REBOOTING:
		if (client->n_sent < CLIENT_REBOOT_TRIES)
			client_send_reboot(client, event, actions);
		else
			client_restart(client, at_ns);
		break;
	case CLIENT_INFORMING:
		if (client->n_sent == 0)
			begin_exchange(client, event, CLIENT_INFORMING);
		client_send_inform(client, event, actions);
		break;
	case CLIENT_IPV6_ONLY:
		client_lose(client, actions);
		client_restart(client, at_ns);
		break;
	default:
		renew(client, event, actions);
		break;
	}
}

/* The address is no longer used (section 4.4.5), but we may request it
 * again. */
static void check_expiry(struct client *client, const struct client_event *event,
			 struct client_actions *actions)
{
	if (!client->has_lease || event->now_ns < client->lease.expires_ns)
		return;
	client_lose(client, actions);
	if (client->state == CLIENT_BOUND || client->state == CLIENT_RENEWING ||
	    client->state == CLIENT_REBINDING)
		client_restart(client, event->now_ns + client_start_delay_ns(client, event));
	else if (client->state == CLIENT_INIT_REBOOT)
		client->state = CLIENT_INIT;
}

static void on_link_up(struct client *client, const struct client_event *event)
{
	if (!client->is_link_down)
		return;
	client->is_link_down = false;
	client->n_naks = client->n_conflicts = 0;
	memset(client->claims, 0, sizeof(client->claims));
	if (client->state != CLIENT_RELEASED)
		client_begin(client, event->now_ns + client_start_delay_ns(client, event));
}

static void on_link_down(struct client *client)
{
	client->is_link_down = true;
	conflict_stop(&client->conflict);
	if (client->state == CLIENT_IPV6_ONLY)
		client->timer_ns = CLIENT_NEVER;
	else if (client->state != CLIENT_RELEASED)
		client_begin(client, CLIENT_NEVER);
}

/* The operator wants a lease now: do not wait any longer. */
static void on_renew(struct client *client, const struct client_event *event,
		     struct client_actions *actions)
{
	switch (client->state) {
	case CLIENT_IPV6_ONLY:
		client_lose(client, actions);
		client_restart(client, event->now_ns);
		break;
	case CLIENT_INIT:
	case CLIENT_INIT_REBOOT:
	case CLIENT_INFORMING:
	case CLIENT_INFORMED:
	case CLIENT_RELEASED:
	case CLIENT_SELECTING:
		client_begin(client, event->now_ns);
		break;
	case CLIENT_BOUND:
	case CLIENT_RENEWING:
	case CLIENT_REBINDING:
		if (client->is_in_use)
			renew(client, event, actions);
		break;
	default: /* a REQUEST is already waiting for its answer */
		break;
	}
}

static void on_release(struct client *client, const struct client_event *event,
		       struct client_actions *actions)
{
	if (client->is_in_use && client->lease.address.s_addr != INADDR_ANY &&
	    !client->is_link_down)
		client_send_release(client, event, actions);
	client_lose(client, actions);
	client->state = CLIENT_RELEASED;
	client->timer_ns = CLIENT_NEVER;
}

/* After a restart of the instance the operator wants a lease, so a stop does
 * not keep the released state. */
static void on_stop(struct client *client, const struct client_event *event,
		    struct client_actions *actions)
{
	if (client->config.release_at_stop)
		on_release(client, event, actions);
	if (client->state == CLIENT_RELEASED)
		client->state = CLIENT_INIT;
}

static void set_deadline(struct client *client)
{
	client->deadline_ns = client->timer_ns;
	if (client->conflict.deadline_ns < client->deadline_ns)
		client->deadline_ns = client->conflict.deadline_ns;
	if (client->has_lease && client->lease.expires_ns < client->deadline_ns)
		client->deadline_ns = client->lease.expires_ns;
}

void client_step(struct client *client, const struct client_event *event,
		 struct client_actions *actions)
{
	*actions = (struct client_actions){ 0 };
	check_expiry(client, event, actions);
	switch (event->type) {
	case CLIENT_START:
		on_start(client, event, actions);
		break;
	case CLIENT_TIMEOUT:
		if (event->now_ns >= client->timer_ns)
			on_timer(client, event, actions);
		if (event->now_ns >= client->conflict.deadline_ns)
			client_conflict_timeout(client, event, actions);
		break;
	case CLIENT_MESSAGE:
		client_receive(client, event, actions);
		break;
	case CLIENT_ARP:
		client_conflict_receive(client, event, actions);
		break;
	case CLIENT_LINK_UP:
		on_link_up(client, event);
		break;
	case CLIENT_LINK_DOWN:
		on_link_down(client);
		break;
	case CLIENT_RENEW:
		on_renew(client, event, actions);
		break;
	case CLIENT_RELEASE:
		on_release(client, event, actions);
		break;
	case CLIENT_STOP:
		on_stop(client, event, actions);
		break;
	}
	set_deadline(client);
}
