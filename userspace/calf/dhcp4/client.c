/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: One function per event, one table for messages. An event sends one
 * message at most. Decisions that RFC 2131 leaves open:
 *
 *  - The first acceptable OFFER is taken.
 *  - The start is delayed by 1..10 ms, not by 1..10 s: hosts that boot together
 *    are spread by their boot; start_delay_ms = 10000 gives the RFC's range.
 *  - DISCOVER and REQUEST are sent again after 4, 8, 16, 32, 64 s, each +-1 s
 *    (section 4.1); below 4 s the shift is a quarter. A REQUEST is sent five
 *    times, about 60 s in all (section 3.1), and then DISCOVER follows.
 *  - A retransmitted REQUEST in SELECTING has the xid of its OFFER, so its
 *    lease counts from the first one sent. In RENEWING and REBINDING each one
 *    has its own xid: the ACK tells which was answered.
 *  - A NAK in RENEWING or REBINDING starts anew at once: T1 bounds how often
 *    that can happen. In REQUESTING after 1..2 s, doubling up to 5 minutes,
 *    until a lease is there.
 */
#include "userspace/calf/dhcp4/client.h"

#include <string.h>

#define NS_PER_S 1000000000ull
#define NS_PER_MS 1000000ull
#define NAK_DELAY_MAX_NS (CLIENT_NAK_DELAY_MAX_S * NS_PER_S)

/* event->random[] by use */
enum { RANDOM_XID, RANDOM_DELAY, RANDOM_LEASE };

static const struct in_addr broadcast_address = { INADDR_BROADCAST };

const char *client_state_name(enum client_state state)
{
	static const char *const names[_CLIENT_STATE_N] = {
		[CLIENT_INIT] = "INIT",
		[CLIENT_SELECTING] = "SELECTING",
		[CLIENT_REQUESTING] = "REQUESTING",
		[CLIENT_BOUND] = "BOUND",
		[CLIENT_RENEWING] = "RENEWING",
		[CLIENT_REBINDING] = "REBINDING",
	};

	return (unsigned int)state < _CLIENT_STATE_N ? names[state] : "?";
}

void client_init(struct client *client, const struct client_config *config)
{
	*client = (struct client){ .config = *config, .deadline_ns = CLIENT_NEVER };
}

/* Evenly from `from` up to just below `to`. */
static uint64_t spread(uint64_t from, uint64_t to, uint32_t random)
{
	uint64_t width = to - from, part = random >> 8;

	/* width * part / 2^24 without overflow */
	return from + (width >> 24) * part + ((width & 0xffffff) * part >> 24);
}

/* How long to wait after the n-th transmission (RFC 2131 section 4.1). */
static uint64_t backoff_ns(const struct client *client, uint32_t n_sent, uint32_t random)
{
	uint64_t delay_ms = client->config.first_retransmission_ms;
	uint64_t shift_ms;

	while (--n_sent > 0 && delay_ms < CLIENT_RETRANSMISSION_MAX_MS)
		delay_ms *= 2;
	if (delay_ms > CLIENT_RETRANSMISSION_MAX_MS)
		delay_ms = CLIENT_RETRANSMISSION_MAX_MS;
	shift_ms = delay_ms < 4000 ? delay_ms / 4 : 1000;
	return spread((delay_ms - shift_ms) * NS_PER_MS, (delay_ms + shift_ms) * NS_PER_MS, random);
}

/* Half of what is left until `end_ns`, at least a minute, never beyond it. */
static uint64_t renew_deadline(uint64_t now_ns, uint64_t end_ns, uint32_t random)
{
	uint64_t left_ns = end_ns - now_ns, delay_ns = left_ns / 2;

	if (delay_ns < CLIENT_RENEW_RETRANSMISSION_MIN_S * NS_PER_S)
		delay_ns = CLIENT_RENEW_RETRANSMISSION_MIN_S * NS_PER_S;
	delay_ns = spread(delay_ns, delay_ns + delay_ns / 16, random);
	return delay_ns < left_ns ? now_ns + delay_ns : end_ns;
}

/* Seconds since it began, at least 1: some servers ignore 0. */
static uint16_t elapsed_s(const struct client *client, uint64_t now_ns)
{
	uint64_t seconds = (now_ns - client->began_ns) / NS_PER_S;

	if (seconds < 1)
		return 1;
	return seconds < UINT16_MAX ? (uint16_t)seconds : UINT16_MAX;
}

/* What all our messages have in common, broadcast unless changed. */
static void send_message(const struct client *client, enum message_type type,
			 struct client_actions *actions)
{
	actions->send = true;
	actions->request.type = type;
	actions->request.xid = client->xid;
	actions->request.secs = client->secs;
	actions->request.broadcast = client->config.broadcast;
	actions->destination = broadcast_address;
}

static void send_discover(struct client *client, const struct client_event *event,
			  struct client_actions *actions)
{
	client->secs = elapsed_s(client, event->now_ns);
	client->n_sent++;
	send_message(client, MESSAGE_DISCOVER, actions);
	client->deadline_ns =
		event->now_ns + backoff_ns(client, client->n_sent, event->random[RANDOM_DELAY]);
}

/* The REQUEST of SELECTING has the DISCOVER's secs (section 3.1). */
static void send_request(struct client *client, const struct client_event *event,
			 struct client_actions *actions)
{
	uint32_t n_backoff;

	client->n_sent++;
	client->last_sent_ns = event->now_ns;
	if (client->n_sent == 1)
		client->first_sent_ns = event->now_ns;
	send_message(client, MESSAGE_REQUEST, actions);
	actions->request.requested = client->offered;
	actions->request.has_server = true;
	actions->request.server = client->offered_server;
	n_backoff = client->n_sent < CLIENT_REQUEST_TRIES ? client->n_sent : 1;
	client->deadline_ns =
		event->now_ns + backoff_ns(client, n_backoff, event->random[RANDOM_DELAY]);
}

/* RENEWING: to the server; REBINDING, or a server without address: to all. */
static void send_renewal(struct client *client, const struct client_event *event,
			 struct client_actions *actions)
{
	const struct client_lease *lease = &client->lease;
	bool rebinding = client->state == CLIENT_REBINDING;

	client->xid = event->random[RANDOM_XID];
	client->secs = elapsed_s(client, event->now_ns);
	client->n_sent++;
	client->first_sent_ns = client->last_sent_ns = event->now_ns;
	send_message(client, MESSAGE_REQUEST, actions);
	/* Configured as we are, unicast reaches us. */
	actions->request.broadcast = false;
	actions->request.ciaddr = lease->address;
	actions->source = lease->address;
	if (!rebinding && message_is_host_address(lease->server))
		actions->destination = lease->server;
	client->deadline_ns = renew_deadline(event->now_ns,
					     rebinding ? lease->expires_ns : lease->t2_ns,
					     event->random[RANDOM_DELAY]);
}

/* Begin anew after a while, without the lease if there was one. */
static void restart(struct client *client, uint64_t at_ns, struct client_actions *actions)
{
	if (client->state >= CLIENT_BOUND)
		actions->lease = CLIENT_LEASE_LOST;
	client->state = CLIENT_INIT;
	client->deadline_ns = at_ns;
}

static uint64_t start_delay_ns(const struct client *client, const struct client_event *event)
{
	uint64_t most_ns = client->config.start_delay_ms * NS_PER_MS;

	return spread(most_ns / 10, most_ns, event->random[RANDOM_DELAY]);
}

static void on_lease_timeout(struct client *client, const struct client_event *event,
			     struct client_actions *actions)
{
	const struct client_lease *lease = &client->lease;
	enum client_state state = CLIENT_RENEWING;

	if (event->now_ns >= lease->expires_ns) {
		restart(client, event->now_ns + start_delay_ns(client, event), actions);
		return;
	}
	if (event->now_ns >= lease->t2_ns)
		state = CLIENT_REBINDING;
	if (client->state == CLIENT_BOUND)
		client->began_ns = event->now_ns;
	if (client->state != state)
		client->n_sent = 0;
	client->state = state;
	send_renewal(client, event, actions);
}

static void on_timeout(struct client *client, const struct client_event *event,
		       struct client_actions *actions)
{
	if (event->now_ns < client->deadline_ns)
		return;
	switch (client->state) {
	case CLIENT_INIT:
		client->state = CLIENT_SELECTING;
		client->xid = event->random[RANDOM_XID];
		client->began_ns = event->now_ns;
		client->n_sent = 0;
		send_discover(client, event, actions);
		break;
	case CLIENT_SELECTING:
		send_discover(client, event, actions);
		break;
	case CLIENT_REQUESTING:
		if (client->n_sent < CLIENT_REQUEST_TRIES)
			send_request(client, event, actions);
		else
			restart(client, event->now_ns + start_delay_ns(client, event), actions);
		break;
	default:
		on_lease_timeout(client, event, actions);
		break;
	}
}

static void on_offer(struct client *client, const struct client_event *event,
		     struct client_actions *actions)
{
	client->offered = event->message->yiaddr;
	client->offered_server = event->message->server;
	client->state = CLIENT_REQUESTING;
	client->n_sent = 0;
	send_request(client, event, actions);
}

static void on_ack(struct client *client, const struct client_event *event,
		   struct client_actions *actions)
{
	const struct message *ack = event->message;
	struct in_addr server = client->lease.server;
	bool keep_server = client->state == CLIENT_RENEWING && !ack->has_server;
	const uint32_t *random = &event->random[RANDOM_DELAY];

	client_lease_init(&client->lease, ack, client->first_sent_ns, random);
	/* Over before it began: answered at the end of all tries. */
	if (client->lease.expires_ns <= event->now_ns)
		client_lease_init(&client->lease, ack, client->last_sent_ns, random);
	if (keep_server)
		client->lease.server = server;
	client->state = CLIENT_BOUND;
	client->deadline_ns = client->lease.t1_ns;
	client->n_naks = 0;
	actions->lease = CLIENT_LEASE_SET;
}

static void on_nak(struct client *client, const struct client_event *event,
		   struct client_actions *actions)
{
	uint64_t delay_ns = NS_PER_S;

	if (client->state != CLIENT_REQUESTING) {
		restart(client, event->now_ns + start_delay_ns(client, event), actions);
		return;
	}
	for (uint32_t i = 0; i < client->n_naks && delay_ns < NAK_DELAY_MAX_NS; i++)
		delay_ns *= 2;
	client->n_naks++;
	delay_ns = spread(delay_ns, 2 * delay_ns, event->random[RANDOM_DELAY]);
	if (delay_ns > NAK_DELAY_MAX_NS)
		delay_ns = NAK_DELAY_MAX_NS;
	restart(client, event->now_ns + delay_ns, actions);
}

/* Messages by state: which one does something, and whether it must come from
 * the server that was asked. All others are discarded. */
struct rule {
	void (*call)(struct client *client, const struct client_event *event,
		     struct client_actions *actions);
	bool same_server;
};

static const struct {
	struct rule offer, ack, nak;
} table[_CLIENT_STATE_N] = {
	[CLIENT_SELECTING] = { .offer = { on_offer, false } },
	[CLIENT_REQUESTING] = { .ack = { on_ack, true }, .nak = { on_nak, true } },
	[CLIENT_RENEWING] = { .ack = { on_ack, false }, .nak = { on_nak, true } },
	[CLIENT_REBINDING] = { .ack = { on_ack, false }, .nak = { on_nak, false } },
};

/* True if the message is from the server that was asked; a missing option 54
 * counts as 0.0.0.0. */
static bool is_same_server(const struct client *client, const struct message *message)
{
	const struct in_addr *asked = client->state == CLIENT_REQUESTING ? &client->offered_server :
									   &client->lease.server;

	return message->server.s_addr == asked->s_addr;
}

static bool is_client_id_wrong(const struct client *client, const struct message *message)
{
	const struct message_sender *sender = &client->config.sender;

	if (!message->has_client_id)
		return false;
	return message->client_id_size != sender->client_id_size ||
	       memcmp(message->client_id, sender->client_id, sender->client_id_size) != 0;
}

/* Find what to do with a message: REASON_NONE with *rulep, or why not. */
static enum reason judge(const struct client *client, const struct message *message,
			 const struct rule **rulep)
{
	const struct rule *rule;

	if (memcmp(message->chaddr, client->config.sender.mac, sizeof(message->chaddr)) != 0)
		return REASON_CHADDR;
	switch (message->type) {
	case MESSAGE_OFFER:
		rule = &table[client->state].offer;
		break;
	case MESSAGE_ACK:
		rule = &table[client->state].ack;
		break;
	case MESSAGE_NAK:
		rule = &table[client->state].nak;
		break;
	case MESSAGE_FORCERENEW: /* its xid is the server's */
		return REASON_FORCERENEW;
	default:
		return REASON_TYPE;
	}
	if (message->xid != client->xid)
		return REASON_XID;
	if (is_client_id_wrong(client, message))
		return REASON_CLIENT_ID;
	if (!rule->call)
		return REASON_STATE;
	if (rule->same_server && !is_same_server(client, message))
		return REASON_SERVER;
	/* A NAK must say whose it is, unless the lease's server never did. */
	if (message->type == MESSAGE_NAK && !message->has_server &&
	    !is_same_server(client, message))
		return REASON_SERVER;
	if (message->type != MESSAGE_NAK && !client_lease_is_address(message->yiaddr))
		return REASON_ADDRESS;
	*rulep = rule;
	return REASON_NONE;
}

void client_step(struct client *client, const struct client_event *event,
		 struct client_actions *actions)
{
	const struct rule *rule = NULL;

	*actions = (struct client_actions){ 0 };
	switch (event->type) {
	case CLIENT_START:
		client->state = CLIENT_INIT;
		client->deadline_ns = event->now_ns + start_delay_ns(client, event);
		break;
	case CLIENT_TIMEOUT:
		on_timeout(client, event, actions);
		break;
	case CLIENT_MESSAGE:
		actions->discarded = judge(client, event->message, &rule);
		if (rule)
			rule->call(client, event, actions);
		break;
	}
}
