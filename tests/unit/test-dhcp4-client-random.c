/* SPDX-License-Identifier: Apache-2.0 */
/* Random events: invariants that hold whatever happens. */
#include "tests/unit/client-support.h"

#define N_EVENTS 2000000

static uint64_t bits;

static void draw(void)
{
	bits = bits * 6364136223846793005ull + 1442695040888963407ull;
}

static uint32_t part(unsigned int shift, uint32_t n)
{
	return (uint32_t)(bits >> shift) % n;
}

static struct client_config random_config(void)
{
	struct client_config config = {
		.broadcast = part(20, 2),
		.no_rapid_commit = part(21, 2),
		.no_reboot = part(22, 4) == 0,
		.release_at_stop = part(24, 2),
		.defend_always = part(25, 2),
		.conflict = (enum client_conflict)part(26, 3),
		.start_delay_ms = part(30, 20),
		.first_retransmission_ms = 1000 + part(32, 4000),
	};

	config.sender = support_sender();
	if (part(40, 16) == 0)
		config.inform = address("192.0.2.50");
	return config;
}

static void random_message(void)
{
	static const uint8_t types[] = { MESSAGE_OFFER, MESSAGE_ACK, MESSAGE_ACK, MESSAGE_NAK,
					 MESSAGE_FORCERENEW };
	static const char *const servers[] = { "192.0.2.1", "192.0.2.2", "0.0.0.0" };
	static const char *const addresses[] = { "192.0.2.10", "192.0.2.10", "192.0.2.11",
						 "0.0.0.0" };

	reply(types[part(20, 5)]);
	message.server = address(servers[part(23, 3)]);
	message.has_server = message.server.s_addr != INADDR_ANY;
	message.yiaddr = address(addresses[part(26, 4)]);
	message.has_rapid_commit = part(28, 2);
	message.xid ^= part(29, 8) == 0;
	message.lease_s = part(32, 64) == 0 ? CLIENT_INFINITE : part(33, 100000);
	message.t1_s = part(35, 50000);
	message.t2_s = part(37, 100000);
	message.parameters.has_ipv6_only = part(40, 32) == 0;
	message.parameters.ipv6_only_s = part(42, 2000);
}

static void random_arp(void)
{
	static const char *const addresses[] = { "0.0.0.0", "192.0.2.10", "192.0.2.11",
						 "192.0.2.1" };

	arp_of(addresses[part(20, 4)], addresses[part(22, 4)]);
	if (part(24, 4) == 0)
		memcpy(arp.arp.sender_mac, support_mac, 6);
}

static enum client_event_type random_event(void)
{
	static const enum client_event_type rare[] = { CLIENT_LINK_UP, CLIENT_LINK_DOWN,
						       CLIENT_LINK_UP, CLIENT_RENEW,
						       CLIENT_RELEASE, CLIENT_RENEW };
	uint32_t kind = part(48, 64);

	if (kind == 0)
		return rare[part(12, 6)];
	if (kind < 8) {
		random_arp();
		return CLIENT_ARP;
	}
	if (kind < 32) {
		random_message();
		return CLIENT_MESSAGE;
	}
	return CLIENT_TIMEOUT;
}

/* What the host would use, by the actions alone. */
static bool host_has_lease;

static void check(enum client_event_type type, bool had_lease)
{
	const struct client_lease *lease = &client.lease;

	cr_assert(client.state < _CLIENT_STATE_N);
	if (actions.lease == CLIENT_LEASE_LOST)
		host_has_lease = false;
	else if (actions.lease == CLIENT_LEASE_SET)
		host_has_lease = lease->address.s_addr != INADDR_ANY;
	cr_assert_eq(host_has_lease, client.is_in_use && lease->address.s_addr != INADDR_ANY);
	cr_assert(client.has_lease || !client.is_in_use);
	if (client.has_lease) {
		cr_assert(lease->expires_ns > now_ns || client.is_restored);
		cr_assert(client.deadline_ns <= lease->expires_ns);
		cr_assert(lease->t1_ns < lease->t2_ns || lease->t1_ns == CLIENT_NEVER);
		cr_assert(lease->t2_ns < lease->expires_ns || lease->t2_ns == CLIENT_NEVER);
	}
	if (client.is_link_down) {
		cr_assert_not(actions.send);
		cr_assert_not(actions.send_arp);
	}
	if (actions.send) {
		cr_assert(actions.request.secs >= 1);
		cr_assert(actions.source.s_addr == INADDR_ANY || had_lease);
		cr_assert(actions.request.ciaddr.s_addr == INADDR_ANY ||
			  actions.request.ciaddr.s_addr == actions.source.s_addr ||
			  actions.request.type == MESSAGE_INFORM);
	}
	if (actions.discarded != REASON_NONE)
		cr_assert_not(actions.send);
	/* a timer that fires leads on in time */
	if (type == CLIENT_TIMEOUT)
		cr_assert(client.deadline_ns > now_ns || (actions.conflict == CONFLICT_FREE) ||
			  client.config.start_delay_ms < 10);
}

Test(client_random, C4_26_C4_31_sequences)
{
	uint32_t n_sent = 0, n_leases = 0, n_idle = 0, seen = 0;

	for (int i = 0; i < N_EVENTS; i++) {
		enum client_event_type type;
		bool had_lease;

		draw();
		if (i % 20000 == 0) {
			struct client_config drawn = random_config();

			has_saved = part(44, 2);
			saved = (struct client_saved){ .address = address("192.0.2.10"),
						       .server = address("192.0.2.1"),
						       .left_s = part(10, 5000),
						       .is_over = part(14, 2),
						       .is_configured = part(15, 2) };
			was_released = !has_saved && part(17, 4) == 0;
			host_has_lease = has_saved && saved.is_configured;
			start_with(&drawn);
			check(CLIENT_START, false);
			continue;
		}
		had_lease = client.is_in_use;
		type = random_event();
		if (type == CLIENT_TIMEOUT && client.deadline_ns != CLIENT_NEVER) {
			n_idle = client.deadline_ns > now_ns ? 0 : n_idle + 1;
			cr_assert(n_idle < 16, "time does not advance in %s",
				  client_state_name(client.state));
			if (client.deadline_ns > now_ns)
				now_ns = client.deadline_ns;
			if (part(52, 256) == 0)
				now_ns += 1000 * S; /* suspend */
		} else {
			now_ns += part(4, 100000000);
		}
		step(type);
		check(type, had_lease);
		n_sent += actions.send;
		n_leases += actions.lease == CLIENT_LEASE_SET;
		seen |= 1u << client.state;
	}
	cr_assert(n_sent > 100000 && n_leases > 10000, "%u %u", n_sent, n_leases);
	cr_assert_eq(seen, (1u << _CLIENT_STATE_N) - 1, "every state was there: %x", seen);
}

/* However a server answers, DHCP does not flood: messages of an hour. */
Test(client_random, Q21_Q22_C4_31_no_flood)
{
	for (int round = 0; round < 200; round++) {
		struct client_config drawn;
		uint32_t n = 0;

		draw();
		drawn = random_config();
		drawn.conflict = CLIENT_CONFLICT_OFF;
		has_saved = false;
		start_with(&drawn);
		while (now_ns < T0 + 3600 * S && client.deadline_ns != CLIENT_NEVER) {
			draw();
			if (client.deadline_ns > now_ns)
				now_ns = client.deadline_ns;
			step(CLIENT_TIMEOUT);
			n += actions.send;
			if (!actions.send || round % 4 == 0)
				continue;
			random_message();
			message.lease_s = 60;
			message.t1_s = message.t2_s = 0;
			if (message.type == MESSAGE_ACK && round % 4 == 1)
				message.type = MESSAGE_NAK;
			receive();
			n += actions.send;
		}
		cr_assert(n < 2000, "%u messages in an hour", n);
	}
}
