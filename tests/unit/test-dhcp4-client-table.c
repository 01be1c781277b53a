/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages by state: the whole product of state, message, and what matches,
 * against a table written down a second time.
 */
#include <criterion/criterion.h>

#include "tests/unit/dhcp4-support.h"
#include "userspace/calf/dhcp4/client.h"

#define S 1000000000ull

enum outcome {
	NOTHING,   /* discarded whatever it matches */
	TAKEN,	   /* whoever sent it */
	IF_SERVER, /* if option 54 is the one asked for */
	IF_ANY,	   /* if it has an option 54 at all */
};

static const struct {
	enum client_state state;
	enum outcome offer, ack, nak;
} table[] = {
	{ CLIENT_INIT, NOTHING, NOTHING, NOTHING },
	{ CLIENT_SELECTING, TAKEN, NOTHING, NOTHING },
	{ CLIENT_REQUESTING, NOTHING, IF_SERVER, IF_SERVER },
	{ CLIENT_BOUND, NOTHING, NOTHING, NOTHING },
	{ CLIENT_RENEWING, NOTHING, TAKEN, IF_SERVER },
	{ CLIENT_REBINDING, NOTHING, TAKEN, IF_ANY },
};

enum server { SERVER_SAME, SERVER_OTHER, SERVER_NONE, _SERVER_N };

#define XID 0xabcdef01

static struct client client_in(enum client_state state)
{
	struct client_config config = { .start_delay_ms = 10, .first_retransmission_ms = 4000 };
	struct client client;

	config.sender = support_sender();
	client_init(&client, &config);
	client.state = state;
	client.xid = XID;
	client.deadline_ns = 2000 * S;
	client.offered = address("192.0.2.10");
	client.offered_server = address("192.0.2.1");
	if (state >= CLIENT_BOUND) {
		client.lease.address = address("192.0.2.10");
		client.lease.server = address("192.0.2.1");
		client.lease.t1_ns = 1500 * S;
		client.lease.t2_ns = 2500 * S;
		client.lease.expires_ns = 3000 * S;
	}
	return client;
}

static struct message message_of(uint8_t type, enum server server)
{
	struct message message = { .type = type, .xid = XID, .lease_s = 3600 };

	memcpy(message.chaddr, support_mac, 6);
	message.yiaddr = address("192.0.2.10");
	message.has_server = server != SERVER_NONE;
	if (server != SERVER_NONE)
		message.server = address(server == SERVER_SAME ? "192.0.2.1" : "192.0.2.2");
	return message;
}

static bool is_taken(enum outcome outcome, enum server server)
{
	switch (outcome) {
	case TAKEN:
		return true;
	case IF_SERVER:
		return server == SERVER_SAME;
	case IF_ANY:
		return server != SERVER_NONE;
	default:
		return false;
	}
}

static enum outcome outcome_of(size_t row, unsigned int type)
{
	switch (type) {
	case MESSAGE_OFFER:
		return table[row].offer;
	case MESSAGE_ACK:
		return table[row].ack;
	case MESSAGE_NAK:
		return table[row].nak;
	default:
		return NOTHING;
	}
}

static void check(size_t row, unsigned int type, enum server server, bool xid, bool chaddr,
		  bool client_id)
{
	struct client client = client_in(table[row].state), before = client;
	struct message message = message_of((uint8_t)type, server);
	struct client_event event = { .type = CLIENT_MESSAGE,
				      .now_ns = 1600 * S,
				      .random = { 1, 2, 3 },
				      .message = &message };
	struct client_actions actions;
	bool taken = xid && chaddr && client_id && is_taken(outcome_of(row, type), server);

	if (!xid)
		message.xid++;
	if (!chaddr)
		message.chaddr[5]++;
	if (!client_id) {
		message.has_client_id = true;
		message.client_id_size = 3;
	}
	client_step(&client, &event, &actions);
	cr_assert_eq(actions.discarded == REASON_NONE, taken,
		     "state %s, type %u, server %d, xid %d, chaddr %d, client id %d",
		     client_state_name(table[row].state), type, server, xid, chaddr, client_id);
	if (taken)
		return;
	/* Discarded means: as if it had never come. */
	cr_assert_eq(memcmp(&client, &before, sizeof(client)), 0);
	cr_assert_not(actions.send);
	cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
}

Test(client_table, V4_03_V4_04_V4_08_V4_24_C4_28_whole_product)
{
	for (size_t row = 0; row < sizeof(table) / sizeof(table[0]); row++)
		for (unsigned int type = 0; type < 256; type++)
			for (int server = 0; server < _SERVER_N; server++)
				for (unsigned int bits = 0; bits < 8; bits++)
					check(row, type, (enum server)server, bits & 1, bits & 2,
					      bits & 4);
}

/* FORCERENEW comes with any xid; it is ignored for what it is. */
Test(client_table, V4_64_C4_23_forcerenew_in_every_state)
{
	for (size_t row = 0; row < sizeof(table) / sizeof(table[0]); row++) {
		for (uint32_t xid = XID; xid <= XID + 1; xid++) {
			struct client client = client_in(table[row].state);
			struct message message = message_of(MESSAGE_FORCERENEW, SERVER_SAME);
			struct client_event event = { .type = CLIENT_MESSAGE,
						      .now_ns = 1600 * S,
						      .message = &message };
			struct client_actions actions;

			message.xid = xid;
			client_step(&client, &event, &actions);
			cr_assert_eq(actions.discarded, REASON_FORCERENEW);
		}
	}
}

Test(client_table, types_that_no_server_sends)
{
	static const uint8_t types[] = { 0, 1, 3, 4, 7, 8, 10, 255 };

	for (size_t i = 0; i < sizeof(types); i++) {
		struct client client = client_in(CLIENT_SELECTING);
		struct message message = message_of(types[i], SERVER_SAME);
		struct client_event event = { .type = CLIENT_MESSAGE, .message = &message };
		struct client_actions actions;

		client_step(&client, &event, &actions);
		cr_assert_eq(actions.discarded, REASON_TYPE);
	}
}

/* Random messages and times: invariants that hold whatever happens. */
Test(client_table, C4_26_random_sequences, .timeout = 60)
{
	struct client client = client_in(CLIENT_INIT);
	uint64_t now_ns = 1000 * S, state = 5;
	bool has_lease = false;

	for (int round = 0; round < 1000000; round++) {
		struct message message;
		struct client_event event = { .now_ns = now_ns, .message = &message };
		struct client_actions actions;

		state = state * 6364136223846793005ull + 1442695040888963407ull;
		event.random[0] = (uint32_t)(state >> 32);
		event.random[1] = (uint32_t)(state >> 16);
		event.random[2] = (uint32_t)state;
		if (state >> 62 == 0) {
			event.type = CLIENT_TIMEOUT;
			if (client.deadline_ns != CLIENT_NEVER && client.deadline_ns > now_ns)
				event.now_ns = now_ns = client.deadline_ns;
		} else {
			static const uint8_t types[] = { 2, 5, 6, 9 };

			event.type = CLIENT_MESSAGE;
			message = message_of(types[state >> 40 & 3],
					     (enum server)((state >> 44) % _SERVER_N));
			message.xid = state >> 50 & 3 ? client.xid : XID;
			message.lease_s = (uint32_t)(state >> 20) % 100000;
			message.t1_s = (uint32_t)(state >> 24) % 50000;
			message.t2_s = (uint32_t)(state >> 28) % 100000;
			now_ns += (state >> 30) % S;
			event.now_ns = now_ns;
		}
		client_step(&client, &event, &actions);
		cr_assert(client.state < _CLIENT_STATE_N);
		if (actions.lease == CLIENT_LEASE_SET)
			has_lease = true;
		if (actions.lease == CLIENT_LEASE_LOST) {
			cr_assert(has_lease);
			has_lease = false;
		}
		cr_assert_eq(has_lease, client.state >= CLIENT_BOUND);
		if (has_lease) {
			cr_assert(client.lease.t1_ns < client.lease.t2_ns);
			cr_assert(client.lease.t2_ns < client.lease.expires_ns);
			cr_assert(client.deadline_ns <= client.lease.expires_ns);
		} else if (actions.send) {
			cr_assert_eq(actions.source.s_addr, INADDR_ANY);
			cr_assert_eq(actions.request.ciaddr.s_addr, INADDR_ANY);
		}
		if (actions.send)
			cr_assert(client.deadline_ns > now_ns);
	}
}
