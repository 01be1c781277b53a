/* SPDX-License-Identifier: Apache-2.0 */
/* DOC: The effect of a message: one table over state and type. */
#include "userspace/calf/dhcp4/client/client-private.h"

#include <string.h>

#include "userspace/common/address.h"
#include "userspace/common/clock.h"

/*
 * The network is IPv6-only and says so before we have an address from it (RFC
 * 8925 section 3.2): do not use IPv4 for as long as it says, at least five
 * minutes. The remaining lease contains only this option, which other programs
 * can read.
 */
static void stop_ipv4(struct client *client, const struct client_event *event,
		      struct client_actions *actions)
{
	uint32_t wait_s = event->message->parameters.ipv6_only_s;

	if (wait_s < CLIENT_IPV6_ONLY_MIN_S)
		wait_s = CLIENT_IPV6_ONLY_MIN_S;
	client_lose(client, actions);
	client->state = CLIENT_IPV6_ONLY;
	client->timer_ns = event->now_ns + wait_s * NS_PER_S;
	client->has_lease = client->is_in_use = true;
	client->lease = (struct client_lease){
		.t1_ns = CLIENT_NEVER,
		.t2_ns = CLIENT_NEVER,
		.expires_ns = CLIENT_NEVER,
		.parameters = { .has_ipv6_only = true,
				.ipv6_only_s = event->message->parameters.ipv6_only_s },
	};
}

/* In SELECTING: accept the first acceptable OFFER. */
static void on_offer(struct client *client, const struct client_event *event,
		     struct client_actions *actions)
{
	if (event->message->parameters.has_ipv6_only) {
		stop_ipv4(client, event, actions);
		return;
	}
	client->offered = event->message->yiaddr;
	client->offered_server = event->message->server;
	client->state = CLIENT_REQUESTING;
	client->n_sent = 0;
	client_send_request(client, event, actions);
}

/* Return the lease that an ACK extends, or NULL: another address is another
 * lease, and the answer to DISCOVER grants a new one. */
static const struct client_lease *extended_lease(const struct client *client,
						 const struct message *ack)
{
	bool is_asked_for = client->state == CLIENT_RENEWING || client->state == CLIENT_REBINDING ||
			    client->state == CLIENT_REBOOTING;

	if (!is_asked_for || !client->has_lease ||
	    client->lease.address.s_addr != ack->yiaddr.s_addr)
		return NULL;
	return &client->lease;
}

static void on_ack(struct client *client, const struct client_event *event,
		   struct client_actions *actions)
{
	const struct message *ack = event->message;
	const struct client_lease *extended = extended_lease(client, ack);
	struct client_lease before = client->lease;
	struct in_addr address = before.address;
	bool is_renewal = client->state == CLIENT_RENEWING || client->state == CLIENT_REBINDING;
	bool is_configured = client->is_in_use && address.s_addr == ack->yiaddr.s_addr;
	const uint32_t *random = &event->random[RANDOM_DELAY];

	if (extended)
		extended = &before;
	client_lease_init(&client->lease, &client->config, ack, extended, client->first_sent_ns,
			  random);
	/* Over if counted from the first transmission: the server answered a
	 * later one. */
	if (client->lease.expires_ns <= event->now_ns)
		client_lease_init(&client->lease, &client->config, ack, extended,
				  client->last_sent_ns, random);
	/* This is not the address in use, and it may have to wait until it is
	 * probed. */
	if (client->is_in_use && !is_configured)
		actions->lease = CLIENT_LEASE_LOST;
	client->state = CLIENT_BOUND;
	client->has_lease = true;
	client->is_restored = false;
	client->n_naks = 0;
	client_ask_for(client, ack->yiaddr, true);
	if (is_renewal && is_configured) {
		client->n_conflicts = 0;
		client->timer_ns = client->lease.t1_ns;
		actions->lease = CLIENT_LEASE_SET;
		return;
	}
	client_conflict_begin(client, event, is_configured, actions);
}

/* Before the network has given us an address; later option 108 does not end
 * IPv4. */
static void on_first_ack(struct client *client, const struct client_event *event,
			 struct client_actions *actions)
{
	if (event->message->parameters.has_ipv6_only)
		stop_ipv4(client, event, actions);
	else
		on_ack(client, event, actions);
}

/* Return whether neither the ACK nor the lease that it extends has a mask. */
static bool is_mask_unknown(const struct client_lease *extended, const struct message *ack)
{
	return ack->parameters.prefix_length == 0 && (!extended || extended->prefix_length == 0);
}

/* An ACK to INIT-REBOOT may leave out what the server assumes to be known. If
 * not even the mask is known, because the host was rebooted, DISCOVER gets
 * everything. */
static void on_reboot_ack(struct client *client, const struct client_event *event,
			  struct client_actions *actions)
{
	const struct message *ack = event->message;
	const struct client_lease *extended = extended_lease(client, ack);

	if (is_mask_unknown(extended, ack) && !ack->parameters.has_ipv6_only)
		client_restart(client, event->now_ns);
	else
		on_first_ack(client, event, actions);
}

/* The answer to DHCPINFORM: parameters without an address, and nothing to
 * renew. */
static void on_informed(struct client *client, const struct client_event *event,
			struct client_actions *actions)
{
	client->state = CLIENT_INFORMED;
	client->timer_ns = CLIENT_NEVER;
	client->has_lease = client->is_in_use = true;
	client->lease = (struct client_lease){
		.server = event->message->server,
		.t1_ns = CLIENT_NEVER,
		.t2_ns = CLIENT_NEVER,
		.expires_ns = CLIENT_NEVER,
		.parameters = event->message->parameters,
	};
	actions->lease = CLIENT_LEASE_SET;
}

static void on_nak(struct client *client, const struct client_event *event,
		   struct client_actions *actions)
{
	uint64_t delay_ns = client_start_delay_ns(client, event);

	if (client->state == CLIENT_REQUESTING) {
		delay_ns = client_growing_delay_ns(CLIENT_NAK_DELAY_S, client->n_naks,
						   event->random[RANDOM_DELAY]);
		client->n_naks++;
	}
	/* The uplink's address was refused, not that of the lease. */
	if (client->state == CLIENT_REBOOTING && client->has_lease &&
	    client->wanted.s_addr != client->lease.address.s_addr) {
		client_ask_for(client, client->lease.address, true);
		client_begin(client, event->now_ns + delay_ns);
		return;
	}
	client_lose(client, actions);
	client->wanted.s_addr = INADDR_ANY;
	client_begin(client, event->now_ns + delay_ns);
}

/* The messages that have an effect, by state, and whether they must come from
 * the server that was asked. All others are discarded. */
struct rule {
	void (*call)(struct client *client, const struct client_event *event,
		     struct client_actions *actions);
	bool same_server;
	bool rapid_commit; /* we sent option 80 and it carries it */
};

static const struct {
	struct rule offer, ack, nak;
} table[_CLIENT_STATE_N] = {
	[CLIENT_SELECTING] = { .offer = { .call = on_offer },
			       .ack = { .call = on_first_ack, .rapid_commit = true } },
	[CLIENT_REQUESTING] = { .ack = { .call = on_ack, .same_server = true },
				.nak = { .call = on_nak, .same_server = true } },
	[CLIENT_REBOOTING] = { .ack = { .call = on_reboot_ack }, .nak = { .call = on_nak } },
	[CLIENT_RENEWING] = { .ack = { .call = on_ack },
			      .nak = { .call = on_nak, .same_server = true } },
	[CLIENT_REBINDING] = { .ack = { .call = on_ack }, .nak = { .call = on_nak } },
	[CLIENT_INFORMING] = { .ack = { .call = on_informed } },
};

/* Return whether the message is from the server that was asked; a missing
 * option 54 counts as 0.0.0.0. */
static bool is_same_server(const struct client *client, const struct message *message)
{
	if (client->state == CLIENT_REQUESTING)
		return message->server.s_addr == client->offered_server.s_addr;
	return client->has_lease && message->server.s_addr == client->lease.server.s_addr;
}

static bool is_listed(struct in_addr server, const struct in_addr *list, uint8_t n)
{
	for (uint8_t i = 0; i < n; i++)
		if (list[i].s_addr == server.s_addr)
			return true;
	return false;
}

static bool is_server_denied(const struct client_config *config, struct in_addr server)
{
	return is_listed(server, config->denied, config->n_denied) ||
	       (config->n_allowed > 0 && !is_listed(server, config->allowed, config->n_allowed));
}

/* If we did not send a client identifier there is none to compare with; chaddr
 * was compared before. */
static bool is_client_id_wrong(const struct message_sender *sender, const struct message *message)
{
	if (!message->has_client_id || sender->client_id_size == 0)
		return false;
	return message->client_id_size != sender->client_id_size ||
	       memcmp(message->client_id, sender->client_id, sender->client_id_size) != 0;
}

/* Return whether yiaddr is the own or the broadcast address of the subnet that
 * the lease would have. If a mask will first be requested, that is unknown. */
static bool is_subnet(const struct client *client, const struct message *message,
		      const struct rule *rule)
{
	const struct client_lease *extended = extended_lease(client, message);

	if (rule->call == on_reboot_ack && is_mask_unknown(extended, message))
		return false;
	return address_is_subnet(message->yiaddr, client_lease_prefix_length(message, extended));
}

/* Check whether yiaddr can be a host's. It may be missing if none was requested
 * (INFORM) or if that is the message (option 108). */
static enum reason validate_address(const struct client *client, const struct message *message,
				    const struct rule *rule)
{
	bool is_first = rule->call == on_offer || rule->call == on_first_ack ||
			rule->call == on_reboot_ack;

	if (rule->call == on_nak || rule->call == on_informed)
		return REASON_NONE;
	if (is_first && message->parameters.has_ipv6_only && message->yiaddr.s_addr == INADDR_ANY)
		return REASON_NONE;
	if (!address_is_host(message->yiaddr))
		return REASON_ADDRESS;
	if (is_subnet(client, message, rule))
		return REASON_SUBNET;
	if (!client_lease_is_address(&client->config, message->yiaddr))
		return REASON_LINK_LOCAL;
	/* Other servers may offer another address until DISCOVER is sent
	 * again. */
	if (client->state == CLIENT_SELECTING && client->n_sent == 1 &&
	    message->yiaddr.s_addr == client->declined.s_addr)
		return REASON_CONFLICT;
	return REASON_NONE;
}

/* An ACK that was queued while the host was suspended may grant an expired
 * lease. */
static bool is_late(const struct client *client, const struct message *message,
		    const struct rule *rule, uint64_t now_ns)
{
	uint32_t time_s =
		client_lease_time_s(&client->config, message, extended_lease(client, message));

	return message->type == MESSAGE_ACK && rule->call != on_informed &&
	       time_s != CLIENT_INFINITE && client->last_sent_ns + time_s * NS_PER_S <= now_ns;
}

/* Find the rule for a message. Returns REASON_NONE with *rulep, or why the
 * message is discarded. */
static enum reason validate_message(const struct client *client, const struct message *message,
				    uint64_t now_ns, const struct rule **rulep)
{
	const struct message_sender *sender = &client->config.sender;
	const struct rule *rule;
	enum reason reason;

	if (memcmp(message->chaddr, sender->mac, sizeof(message->chaddr)) != 0)
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
	if (is_client_id_wrong(sender, message))
		return REASON_CLIENT_ID;
	if (is_server_denied(&client->config, message->server))
		return REASON_DENIED;
	if (!rule->call ||
	    (rule->rapid_commit && !(client->has_sent_rapid_commit && message->has_rapid_commit)))
		return REASON_STATE;
	if (rule->same_server && !is_same_server(client, message))
		return REASON_SERVER;
	/* A NAK must name its server, unless the lease's server never did. */
	if (message->type == MESSAGE_NAK && !message->has_server &&
	    !is_same_server(client, message))
		return REASON_SERVER;
	reason = validate_address(client, message, rule);
	if (reason == REASON_NONE && is_late(client, message, rule, now_ns))
		reason = REASON_LATE;
	if (reason == REASON_NONE)
		*rulep = rule;
	return reason;
}

void client_receive(struct client *client, const struct client_event *event,
		    struct client_actions *actions)
{
	const struct rule *rule = NULL;

	actions->discarded = validate_message(client, event->message, event->now_ns, &rule);
	if (rule && event->message->type == MESSAGE_ACK && event->from_mac)
		memcpy(client->server_mac, event->from_mac, sizeof(client->server_mac));
	if (rule)
		rule->call(client, event, actions);
}
