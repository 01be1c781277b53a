/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages by state: the whole product of state, message, and what matches,
 * against a table written down a second time.
 */
#include <criterion/criterion.h>

#include "tests/unit/dhcp4-support.h"
#include "userspace/calf/dhcp4/client/client.h"

#define S 1000000000ull

enum outcome {
	NOTHING,   /* discarded whatever it matches */
	TAKEN,	   /* from any server */
	IF_SERVER, /* if option 54 is the one asked for */
	IF_ANY,	   /* if it has an option 54 at all */
	IF_RAPID,  /* if it has option 80, which we sent */
};

static const struct {
	enum client_state state;
	enum outcome offer, ack, nak;
} table[] = {
	{ CLIENT_INIT, NOTHING, NOTHING, NOTHING },
	{ CLIENT_INIT_REBOOT, NOTHING, NOTHING, NOTHING },
	{ CLIENT_SELECTING, TAKEN, IF_RAPID, NOTHING },
	{ CLIENT_REQUESTING, NOTHING, IF_SERVER, IF_SERVER },
	{ CLIENT_REBOOTING, NOTHING, TAKEN, IF_ANY },
	{ CLIENT_BOUND, NOTHING, NOTHING, NOTHING },
	{ CLIENT_RENEWING, NOTHING, TAKEN, IF_SERVER },
	{ CLIENT_REBINDING, NOTHING, TAKEN, IF_ANY },
	{ CLIENT_INFORMING, NOTHING, TAKEN, NOTHING },
	{ CLIENT_INFORMED, NOTHING, NOTHING, NOTHING },
	{ CLIENT_IPV6_ONLY, NOTHING, NOTHING, NOTHING },
	{ CLIENT_RELEASED, NOTHING, NOTHING, NOTHING },
};

#define N_ROWS (sizeof(table) / sizeof(table[0]))

_Static_assert(N_ROWS == _CLIENT_STATE_N, "every state has a row");

enum server { SERVER_SAME, SERVER_OTHER, SERVER_NONE, _SERVER_N };

/* What fits, and what we said before; a bit each. */
enum {
	XID_FITS = 1,
	CHADDR_FITS = 2,
	CLIENT_ID_FITS = 4,
	IS_RAPID = 8,
	SENT_RAPID = 16,
	IS_ALLOWED = 32,
	_BITS_N = 64,
};

#define ALL_FITS (XID_FITS | CHADDR_FITS | CLIENT_ID_FITS | IS_ALLOWED)
#define XID 0xabcdef01

static struct client client_in(enum client_state state)
{
	struct client_config config = { .start_delay_ms = 10, .first_retransmission_ms = 4000 };
	struct client client;

	config.sender = support_sender();
	client_init(&client, &config);
	client.state = state;
	client.xid = XID;
	client.deadline_ns = client.timer_ns = 2000 * S;
	client.wanted = client.offered = address("192.0.2.10");
	client.offered_server = address("192.0.2.1");
	client.lease.expires_ns = CLIENT_NEVER;
	if (state == CLIENT_BOUND || state == CLIENT_RENEWING || state == CLIENT_REBINDING ||
	    state == CLIENT_REBOOTING) {
		client.has_lease = client.is_in_use = true;
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

static bool is_taken(enum outcome outcome, enum server server, unsigned int bits)
{
	if ((bits & ALL_FITS) != ALL_FITS)
		return false;
	switch (outcome) {
	case TAKEN:
		return true;
	case IF_SERVER:
		return server == SERVER_SAME;
	case IF_ANY:
		return server != SERVER_NONE;
	case IF_RAPID:
		return (bits & IS_RAPID) && (bits & SENT_RAPID);
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

static void check(size_t row, unsigned int type, enum server server, unsigned int bits)
{
	static struct client client, before;
	static struct message message;
	struct client_event event = { .type = CLIENT_MESSAGE,
				      .now_ns = 1600 * S,
				      .random = { 1, 2, 3, 4 },
				      .message = &message };
	static struct client_actions actions;
	bool taken = is_taken(outcome_of(row, type), server, bits);

	client = client_in(table[row].state);
	client.has_sent_rapid_commit = bits & SENT_RAPID;
	message = message_of((uint8_t)type, server);
	message.has_rapid_commit = bits & IS_RAPID;
	if (!(bits & XID_FITS))
		message.xid++;
	if (!(bits & CHADDR_FITS))
		message.chaddr[5]++;
	if (!(bits & CLIENT_ID_FITS)) {
		message.has_client_id = true;
		message.client_id_size = 3;
	}
	if (!(bits & IS_ALLOWED)) {
		client.config.n_denied = 1;
		client.config.denied[0] = message.server;
	}
	before = client;
	client_step(&client, &event, &actions);
	cr_assert_eq(actions.discarded == REASON_NONE, taken,
		     "state %s, type %u, server %d, bits %u", client_state_name(table[row].state),
		     type, server, bits);
	if (taken)
		return;
	/* Discarded means: as if it had never come. */
	cr_assert_eq(memcmp(&client, &before, sizeof(client)), 0);
	cr_assert_not(actions.send);
	cr_assert_not(actions.send_arp);
	cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
}

Test(client_table, V4_03_V4_04_V4_08_V4_24_V4_52_V4_54_C4_28_whole_product)
{
	static const uint8_t types[] = { MESSAGE_OFFER, MESSAGE_ACK, MESSAGE_NAK,
					 MESSAGE_FORCERENEW };

	for (size_t row = 0; row < N_ROWS; row++)
		for (size_t i = 0; i < sizeof(types); i++)
			for (int server = 0; server < _SERVER_N; server++)
				for (unsigned int bits = 0; bits < _BITS_N; bits++)
					check(row, types[i], (enum server)server, bits);
}

/* Every value that option 53 may have, where all else fits. */
Test(client_table, every_type)
{
	for (size_t row = 0; row < N_ROWS; row++)
		for (unsigned int type = 0; type < 256; type++)
			check(row, type, SERVER_SAME, ALL_FITS | IS_RAPID | SENT_RAPID);
}

/* A lease whose server never said who it is (Q17). */
Test(client_table, V4_23_Q17_nak_without_server_ends_only_such_a_lease)
{
	static const enum client_state states[] = { CLIENT_REBOOTING, CLIENT_RENEWING,
						    CLIENT_REBINDING, CLIENT_REQUESTING };

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct client client = client_in(states[i]);
		struct message message = message_of(MESSAGE_NAK, SERVER_NONE);
		struct client_event event = { .type = CLIENT_MESSAGE,
					      .now_ns = 1600 * S,
					      .message = &message };
		struct client_actions actions;

		client.lease.server.s_addr = client.offered_server.s_addr = INADDR_ANY;
		client_step(&client, &event, &actions);
		cr_assert_eq(actions.discarded, REASON_NONE);
		cr_assert_eq(client.state, CLIENT_INIT);
	}
}

/* INIT-REBOOT for an address of which no lease is known. */
Test(client_table, nak_without_server_where_there_is_no_lease)
{
	struct client client = client_in(CLIENT_REBOOTING);
	struct message message = message_of(MESSAGE_NAK, SERVER_NONE);
	struct client_event event = { .type = CLIENT_MESSAGE,
				      .now_ns = 1600 * S,
				      .message = &message };
	struct client_actions actions;

	client.has_lease = client.is_in_use = false;
	client.lease.server.s_addr = INADDR_ANY;
	client_step(&client, &event, &actions);
	cr_assert_eq(actions.discarded, REASON_SERVER);
}

/* FORCERENEW comes with any xid; it is ignored for what it is. */
Test(client_table, V4_64_C4_23_forcerenew_in_every_state)
{
	for (size_t row = 0; row < N_ROWS; row++) {
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
