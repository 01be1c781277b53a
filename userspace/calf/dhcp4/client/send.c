/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/dhcp4/client/client-private.h"

#include <stdio.h>

#include "userspace/common/address.h"
#include "userspace/common/backoff.h"
#include "userspace/common/clock.h"

static const struct in_addr broadcast_address = { INADDR_BROADCAST };

/* Return how long to wait after the n-th transmission (RFC 2131 section 4.1).
 * The random shift may exceed the RFC's 64 s, but not the operator's limit. */
static uint64_t retransmission_ns(const struct client *client, uint32_t n_sent, uint32_t random)
{
	const struct client_config *config = &client->config;
	uint64_t rfc_ns = CLIENT_RETRANSMISSION_MAX_MS * NS_PER_MS;
	uint64_t max_ns = config->retransmission_max_ms * NS_PER_MS;
	uint64_t delay_ns, shift_ns, most_ns;

	if (max_ns == 0)
		max_ns = rfc_ns;
	delay_ns = backoff_ns(n_sent, config->first_retransmission_ms * NS_PER_MS, max_ns);
	shift_ns = delay_ns < 4 * NS_PER_S ? delay_ns / 4 : NS_PER_S;
	most_ns = delay_ns + shift_ns;
	if (max_ns < rfc_ns && most_ns > max_ns)
		most_ns = max_ns;
	return jitter(delay_ns - shift_ns, most_ns, random);
}

/* The same for a message that is sent `tries` times: after the last one wait
 * only as long as after the first. */
static uint64_t last_retransmission_ns(const struct client *client, uint32_t tries, uint32_t random)
{
	return retransmission_ns(client, client->n_sent < tries ? client->n_sent : 1, random);
}

/* Return when to retransmit: after half of the time left until `end_ns`, at
 * least a minute, never later than `end_ns`. */
static uint64_t renew_deadline(uint64_t now_ns, uint64_t end_ns, uint32_t random)
{
	uint64_t left_ns = end_ns - now_ns, delay_ns = left_ns / 2;

	if (delay_ns < CLIENT_RENEW_RETRANSMISSION_MIN_S * NS_PER_S || end_ns == CLIENT_NEVER)
		delay_ns = CLIENT_RENEW_RETRANSMISSION_MIN_S * NS_PER_S;
	delay_ns = jitter(delay_ns, delay_ns + delay_ns / 16, random);
	return delay_ns < left_ns ? now_ns + delay_ns : end_ns;
}

/* Return the seconds since the exchange began, at least 1: some servers ignore
 * 0. */
static uint16_t elapsed_s(const struct client *client, uint64_t now_ns)
{
	uint64_t seconds = (now_ns - client->began_ns) / NS_PER_S;

	if (seconds < 1)
		return 1;
	return seconds < UINT16_MAX ? (uint16_t)seconds : UINT16_MAX;
}

/* Set what all our messages have in common; broadcast unless the caller changes
 * it. */
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

/* Count a transmission of a message that is retransmitted with the same xid. */
static void count_sent(struct client *client, uint64_t now_ns)
{
	client->n_sent++;
	client->last_sent_ns = now_ns;
	if (client->n_sent == 1)
		client->first_sent_ns = now_ns;
}

/* Begin a message that is not retransmitted and gets no answer. */
static void begin_notice(struct client *client, const struct client_event *event)
{
	client->xid = event->random[RANDOM_XID];
	client->secs = 1;
}

void client_send_discover(struct client *client, const struct client_event *event,
			  struct client_actions *actions)
{
	client->secs = elapsed_s(client, event->now_ns);
	client->n_sent++;
	send_message(client, MESSAGE_DISCOVER, actions);
	actions->request.requested = client->wanted;
	if (!client->config.no_rapid_commit && client->n_sent <= CLIENT_RAPID_COMMIT_TRIES) {
		actions->request.rapid_commit = true;
		client->last_sent_ns = event->now_ns;
		if (!client->has_sent_rapid_commit)
			client->first_sent_ns = event->now_ns;
		client->has_sent_rapid_commit = true;
	}
	client->timer_ns = event->now_ns +
			   retransmission_ns(client, client->n_sent, event->random[RANDOM_DELAY]);
}

/* The REQUEST of SELECTING has the DISCOVER's secs (section 3.1). */
void client_send_request(struct client *client, const struct client_event *event,
			 struct client_actions *actions)
{
	count_sent(client, event->now_ns);
	send_message(client, MESSAGE_REQUEST, actions);
	actions->request.requested = client->offered;
	actions->request.has_server = true;
	actions->request.server = client->offered_server;
	client->timer_ns = event->now_ns + last_retransmission_ns(client, CLIENT_REQUEST_TRIES,
								  event->random[RANDOM_DELAY]);
}

/* The server of the previous address is unknown, so ask all servers. */
void client_send_reboot(struct client *client, const struct client_event *event,
			struct client_actions *actions)
{
	client->secs = elapsed_s(client, event->now_ns);
	count_sent(client, event->now_ns);
	send_message(client, MESSAGE_REQUEST, actions);
	actions->request.requested = client->wanted;
	client->timer_ns = event->now_ns + last_retransmission_ns(client, CLIENT_REBOOT_TRIES,
								  event->random[RANDOM_DELAY]);
}

/* Return when the renewal is due again if nobody answers it. */
static uint64_t next_renewal_ns(const struct client *client, const struct client_event *event)
{
	const struct client_lease *lease = &client->lease;
	bool rebinding = client->state == CLIENT_REBINDING;

	return renew_deadline(event->now_ns, rebinding ? lease->expires_ns : lease->t2_ns,
			      event->random[RANDOM_DELAY]);
}

/* Return when to send the renewal in the form of INIT-REBOOT. */
static uint64_t broadcast_renewal_ns(const struct client *client, const struct client_event *event)
{
	uint32_t random = event->random[RANDOM_DELAY];

	if (event->type == CLIENT_RENEW)
		return event->now_ns + CLIENT_RENEW_BROADCAST_MS * NS_PER_MS;
	return event->now_ns + retransmission_ns(client, 1, random);
}

/* In RENEWING send to the server; in REBINDING, or if the server's address is
 * unknown, to all. */
void client_send_renewal(struct client *client, const struct client_event *event,
			 struct client_actions *actions)
{
	const struct client_lease *lease = &client->lease;
	bool rebinding = client->state == CLIENT_REBINDING;

	client->xid = event->random[RANDOM_XID];
	client->secs = elapsed_s(client, event->now_ns);
	client->n_sent++;
	client->first_sent_ns = client->last_sent_ns = event->now_ns;
	send_message(client, MESSAGE_REQUEST, actions);
	/* The host has the address, so unicast reaches us. */
	actions->request.broadcast = false;
	actions->request.ciaddr = lease->address;
	actions->source = lease->address;
	if (!rebinding && address_is_host(lease->server))
		actions->destination = lease->server;
	client->must_broadcast = rebinding || event->type == CLIENT_RENEW;
	client->timer_ns = client->must_broadcast ? broadcast_renewal_ns(client, event) :
						    next_renewal_ns(client, event);
}

void client_send_broadcast_renewal(struct client *client, const struct client_event *event,
				   struct client_actions *actions)
{
	client->must_broadcast = false;
	client->secs = elapsed_s(client, event->now_ns);
	client->last_sent_ns = event->now_ns;
	send_message(client, MESSAGE_REQUEST, actions);
	actions->request.broadcast = true;
	actions->request.requested = client->lease.address;
	client->timer_ns = next_renewal_ns(client, event);
}

/* The answer comes by unicast to the host's own address, from which the calf
 * may not send. */
void client_send_inform(struct client *client, const struct client_event *event,
			struct client_actions *actions)
{
	client->secs = elapsed_s(client, event->now_ns);
	count_sent(client, event->now_ns);
	send_message(client, MESSAGE_INFORM, actions);
	actions->request.ciaddr = client->config.inform;
	client->timer_ns = event->now_ns +
			   retransmission_ns(client, client->n_sent, event->random[RANDOM_DELAY]);
}

void client_send_decline(struct client *client, const struct client_event *event,
			 struct client_actions *actions)
{
	begin_notice(client, event);
	send_message(client, MESSAGE_DECLINE, actions);
	actions->request.requested = client->lease.address;
	actions->request.has_server = true;
	actions->request.server = client->lease.server;
	snprintf(actions->request.text, sizeof(actions->request.text), "address is in use");
}

/* Unicast only (table 5): if the server's address is unknown, send nothing. */
void client_send_release(struct client *client, const struct client_event *event,
			 struct client_actions *actions)
{
	const struct client_lease *lease = &client->lease;

	if (!address_is_host(lease->server))
		return;
	begin_notice(client, event);
	send_message(client, MESSAGE_RELEASE, actions);
	actions->request.broadcast = false;
	actions->request.ciaddr = lease->address;
	actions->request.has_server = true;
	actions->request.server = lease->server;
	actions->source = lease->address;
	actions->destination = lease->server;
}
