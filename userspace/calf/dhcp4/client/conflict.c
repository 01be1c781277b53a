/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Address conflict detection of a lease. RFC 2131 wants the address to be
 * probed after the ACK (section 3.1 (5)), RFC 5227 before it is used. That
 * takes four to seven seconds at every start, so by default the address is used
 * at once and probed meanwhile, and a conflict ends the use.
 */
#include "userspace/calf/dhcp4/client/client-private.h"

#include <string.h>

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

/*
 * Another host uses the address: decline it, and start again after a delay that
 * grows with each conflict, because a host that answers every probe must not
 * make us exhaust the server's addresses (RFC 5227 section 2.1.1).
 */
static void decline(struct client *client, const struct client_event *event,
		    struct client_actions *actions)
{
	client_send_decline(client, event, actions);
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

	if (event->is_hosts_arp && conflict_is_claimed(&client->conflict, event->arp)) {
		actions->discarded = REASON_ARP_HOST;
		return;
	}
	conflict_receive(&client->conflict, event->arp, event->now_ns, &conflict);
	if (conflict.result == CONFLICT_NOTHING)
		actions->discarded = REASON_ARP;
	carry_out(client, event, &conflict, actions);
}
