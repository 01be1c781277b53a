/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Address conflict detection of a lease. RFC 2131 wants the address to be
 * probed after the ACK (section 3.1 (5)), RFC 5227 before it is used. That
 * takes four to seven seconds at every start, so by default the address is used
 * at once and probed meanwhile, and a conflict ends the use.
 *
 * A router with proxy ARP answers for every address, which says nothing about
 * ours. It is recognised by its MAC: it sent the ACK, as server, relay or
 * router, and therefore knows whose address it is (unless that is its own); or
 * it has claimed two other addresses before. Two are not enough, because a host
 * may have two static addresses in the server's range.
 *
 * A server does not use a declined address for a while. Whoever claims every
 * address, with any MACs, must not make us exhaust its range: what is above the
 * limit is given up without DECLINE, so the server keeps that address for us. An
 * address that was declined before costs the server nothing.
 */
#include "userspace/calf/dhcp4/client/client-private.h"

#include <string.h>

#include "userspace/common/clock.h"

#define DECLINE_INTERVAL_NS (CLIENT_DECLINE_INTERVAL_S * NS_PER_S)

static void use_address(struct client *client, struct client_actions *actions)
{
	client->is_in_use = true;
	client->timer_ns = client->lease.t1_ns;
	actions->lease = CLIENT_LEASE_SET;
}

void client_conflict_begin(struct client *client, const struct client_event *event,
			   bool is_configured, struct client_actions *actions)
{
	bool wait = client->config.conflict == CLIENT_CONFLICT_WAIT && !is_configured;
	struct conflict_config config = {
		.defend_always = client->config.defend_always,
		.watch_probes = wait,
	};

	client->is_in_use = false;
	client->timer_ns = CLIENT_NEVER;
	if (client->config.conflict != CLIENT_CONFLICT_OFF) {
		memcpy(config.mac, client->config.sender.mac, sizeof(config.mac));
		conflict_start(&client->conflict, &config, client->lease.address, event->now_ns,
			       event->random[RANDOM_CONFLICT]);
	}
	if (!wait)
		use_address(client, actions);
}

static bool is_claim_of(const struct client_claim *claim, const uint8_t mac[6])
{
	return claim->n > 0 && !memcmp(claim->mac, mac, sizeof(claim->mac));
}

/* Return whether the sender answers for every address. */
static bool is_proxy(const struct client *client, const uint8_t mac[6])
{
	const struct client_lease *lease = &client->lease;
	uint32_t n_others = 0;

	if (!memcmp(client->server_mac, mac, sizeof(client->server_mac)) &&
	    lease->address.s_addr != lease->server.s_addr && !lease->parameters.is_router)
		return true;
	for (uint32_t i = 0; i < CLIENT_CLAIMS_MAX; i++)
		n_others += is_claim_of(&client->claims[i], mac) &&
			    client->claims[i].address.s_addr != lease->address.s_addr;
	return n_others >= CLIENT_PROXY_ADDRESSES - 1;
}

/* Count a claim of the lease's address, and return it. */
static struct client_claim *add_claim(struct client *client, const uint8_t mac[6])
{
	struct in_addr address = client->lease.address;
	struct client_claim *claim;

	for (uint32_t i = 0; i < CLIENT_CLAIMS_MAX; i++) {
		claim = &client->claims[i];
		if (is_claim_of(claim, mac) && claim->address.s_addr == address.s_addr) {
			claim->n++;
			return claim;
		}
	}
	claim = &client->claims[client->n_claims++ % CLIENT_CLAIMS_MAX];
	*claim = (struct client_claim){ .address = address, .n = 1 };
	memcpy(claim->mac, mac, sizeof(claim->mac));
	return claim;
}

static bool was_declined(const struct client *client, struct in_addr address)
{
	for (uint32_t i = 0; i < CLIENT_CLAIMS_MAX; i++)
		if (client->claims[i].is_declined &&
		    client->claims[i].address.s_addr == address.s_addr)
			return true;
	return false;
}

/* Count a DECLINE of another address. Returns false if that is above the limit. */
static bool take_decline(struct client *client, uint64_t now_ns)
{
	uint64_t from_ns = client->declines_ns > now_ns ? client->declines_ns : now_ns;

	if (from_ns - now_ns > (CLIENT_DECLINES_MAX - 1) * DECLINE_INTERVAL_NS)
		return false;
	client->declines_ns = from_ns + DECLINE_INTERVAL_NS;
	return true;
}

/*
 * Another host uses the address: decline it, and start again after a delay that
 * grows with each conflict, because a host that answers every probe must not
 * make us exhaust the server's addresses (RFC 5227 section 2.1.1).
 */
static void decline(struct client *client, const struct client_event *event,
		    struct client_actions *actions)
{
	struct client_claim *claim = add_claim(client, event->arp->arp.sender_mac);

	if (was_declined(client, claim->address) || take_decline(client, event->now_ns)) {
		client_send_decline(client, event, actions);
		claim->is_declined = true;
	}
	actions->is_insisted = claim->n == CLIENT_INSISTED_CLAIMS;
	client->declined = client->lease.address;
	client_lose(client, actions);
	client->wanted.s_addr = INADDR_ANY;
	client_restart(client, event->now_ns + client_growing_delay_ns(
						       CLIENT_DECLINE_DELAY_S, client->n_conflicts,
						       event->random[RANDOM_DELAY]));
	if (client->n_conflicts < UINT32_MAX)
		client->n_conflicts++;
}

static void carry_out(struct client *client, const struct client_event *event,
		      const struct conflict_actions *conflict, struct client_actions *actions)
{
	actions->send_arp = conflict->send;
	actions->arp = conflict->frame;
	actions->conflict = conflict->result;
	if (conflict->result == CONFLICT_LOST)
		decline(client, event, actions);
	if (conflict->result != CONFLICT_FREE)
		return;
	client->declined.s_addr = INADDR_ANY;
	if (!client->is_in_use)
		use_address(client, actions);
}

void client_conflict_timeout(struct client *client, const struct client_event *event,
			     struct client_actions *actions)
{
	struct conflict_actions conflict;

	conflict_timeout(&client->conflict, event->now_ns, event->random[RANDOM_CONFLICT],
			 &conflict);
	carry_out(client, event, &conflict, actions);
}

void client_conflict_receive(struct client *client, const struct client_event *event,
			     struct client_actions *actions)
{
	struct conflict_actions conflict;

	if (conflict_is_claimed(&client->conflict, event->arp)) {
		if (event->is_hosts_arp)
			actions->discarded = REASON_ARP_HOST;
		else if (is_proxy(client, event->arp->arp.sender_mac))
			actions->discarded = REASON_ARP_PROXY;
		if (actions->discarded != REASON_NONE)
			return;
	}
	conflict_receive(&client->conflict, event->arp, event->now_ns, &conflict);
	if (conflict.result == CONFLICT_NOTHING)
		actions->discarded = REASON_ARP;
	carry_out(client, event, &conflict, actions);
}
