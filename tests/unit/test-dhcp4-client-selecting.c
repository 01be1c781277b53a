/* SPDX-License-Identifier: Apache-2.0 */
/* INIT and SELECTING: when DISCOVER is sent, which OFFER is taken. */
#include "tests/unit/client-support.h"

Test(client_selecting, V4_06_start_delay)
{
	for (int i = 0; i < 1000; i++) {
		start();
		cr_assert(client.deadline_ns >= T0 + MS / 5 && client.deadline_ns <= T0 + 2 * MS);
	}
	cr_assert_eq(client.state, CLIENT_INIT);
}

Test(client_selecting, V4_06_start_delay_of_the_rfc)
{
	struct client_config rfc = config();

	rfc.start_delay_ms = 10000;
	for (int i = 0; i < 1000; i++) {
		start_with(&rfc);
		cr_assert(client.deadline_ns >= T0 + S && client.deadline_ns <= T0 + 10 * S);
	}
	rfc.start_delay_ms = 0;
	start_with(&rfc);
	cr_assert_eq(client.deadline_ns, T0);
}

Test(client_selecting, timeout_before_the_deadline_does_nothing)
{
	struct client before;

	start();
	before = client;
	step(CLIENT_TIMEOUT);
	cr_assert_not(actions.send);
	cr_assert_eq(memcmp(&before, &client, sizeof(client)), 0);
}

Test(client_selecting, V4_05_discover)
{
	to_selecting();
	assert_broadcast(INADDR_ANY);
	cr_assert_eq(actions.request.type, MESSAGE_DISCOVER);
	cr_assert_eq(actions.request.ciaddr.s_addr, INADDR_ANY);
	cr_assert_not(actions.request.has_server);
	cr_assert_eq(actions.request.requested.s_addr, INADDR_ANY);
	cr_assert_not(actions.request.broadcast);
	cr_assert_eq(memcmp(client.config.sender.mac, support_mac, 6), 0);
}

/* 4 +-1, 8 +-1, ... 64 +-1, and so on for ever. */
Test(client_selecting, V4_07_backoff)
{
	static const uint64_t delays[] = { 4, 8, 16, 32, 64, 64, 64, 64 };

	for (int round = 0; round < 200; round++) {
		uint32_t xid;

		to_selecting();
		xid = client.xid;
		for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
			uint64_t delay = client.deadline_ns - now_ns;

			cr_assert(delay >= (delays[i] - 1) * S && delay <= (delays[i] + 1) * S);
			timeout();
			assert_broadcast(INADDR_ANY);
			cr_assert_eq(actions.request.type, MESSAGE_DISCOVER);
			cr_assert_eq(actions.request.xid, xid);
		}
	}
}

Test(client_selecting, V4_07_backoff_is_randomised)
{
	uint64_t lowest = UINT64_MAX, highest = 0;

	for (int i = 0; i < 1000; i++) {
		to_selecting();
		if (client.deadline_ns - now_ns < lowest)
			lowest = client.deadline_ns - now_ns;
		if (client.deadline_ns - now_ns > highest)
			highest = client.deadline_ns - now_ns;
	}
	cr_assert(lowest < 3100 * MS && highest > 4900 * MS);
}

Test(client_selecting, V4_07_first_retransmission_is_an_option)
{
	struct client_config fast = config();

	fast.first_retransmission_ms = 1000;
	for (int i = 0; i < 100; i++) {
		start_with(&fast);
		timeout();
		cr_assert(client.deadline_ns - now_ns >= 750 * MS);
		cr_assert(client.deadline_ns - now_ns <= 1250 * MS);
		for (int j = 0; j < 10; j++)
			timeout();
		cr_assert(client.deadline_ns - now_ns >= 63 * S);
		cr_assert(client.deadline_ns - now_ns <= 65 * S);
	}
}

static const uint32_t limits_ms[] = { 5000, 8000, 20000, 63999, 64000 };

#define N_LIMITS (sizeof(limits_ms) / sizeof(limits_ms[0]))

/* Nobody answers for 31 s: the next DISCOVER comes within the limit. */
Test(client_selecting, U28_server_that_is_silent_for_31_seconds)
{
	for (size_t i = 0; i < 100 * N_LIMITS; i++) {
		struct client_config limited = config();
		uint64_t limit_ns = limits_ms[i % N_LIMITS] * MS;

		limited.first_retransmission_ms = i % 2 ? 1000 : 4000;
		limited.retransmission_max_ms = limits_ms[i % N_LIMITS];
		start_with(&limited);
		timeout();
		cr_assert_eq(client.state, CLIENT_SELECTING);
		wait_until(T0 + 31 * S);
		timeout();
		cr_assert_eq(actions.request.type, MESSAGE_DISCOVER);
		cr_assert(now_ns - (T0 + 31 * S) <= limit_ns, "%u ms", limits_ms[i % N_LIMITS]);
		reply(MESSAGE_OFFER);
		receive();
		reply(MESSAGE_ACK);
		receive();
		cr_assert_eq(client.state, CLIENT_BOUND);
		cr_assert(now_ns <= T0 + 31 * S + limit_ns);
	}
}

/* Each interval in a whole day, for DISCOVER and INFORM; there is some shift, so
 * that hosts do not ask at the same time. */
Test(client_selecting, U28_limit_is_never_exceeded)
{
	for (size_t i = 0; i < 2 * N_LIMITS; i++) {
		struct client_config limited = config();
		uint64_t limit_ns = limits_ms[i / 2] * MS, lowest_ns = UINT64_MAX, highest_ns = 0;

		if (limits_ms[i / 2] == CLIENT_RETRANSMISSION_MAX_MS)
			limit_ns += S; /* RFC 2131 */
		limited.retransmission_max_ms = limits_ms[i / 2];
		if (i % 2)
			limited.inform = address("192.0.2.50");
		start_with(&limited);
		timeout();
		while (now_ns < T0 + 86400 * S) {
			uint64_t delay_ns = client.deadline_ns - now_ns;

			cr_assert(delay_ns <= limit_ns, "%u ms", limits_ms[i / 2]);
			timeout();
			cr_assert(actions.send);
			if (now_ns < T0 + 600 * S)
				continue;
			lowest_ns = delay_ns < lowest_ns ? delay_ns : lowest_ns;
			highest_ns = delay_ns > highest_ns ? delay_ns : highest_ns;
		}
		cr_assert(lowest_ns >= limits_ms[i / 2] * MS - S);
		cr_assert(highest_ns - lowest_ns > 9 * S / 10);
	}
}

/* A REQUEST without an answer ends sooner, and DISCOVER goes on. */
Test(client_selecting, U28_request_that_is_not_answered)
{
	struct client_config limited = config();
	uint64_t began_ns;

	limited.retransmission_max_ms = 5000;
	configured = &limited;
	to_requesting();
	began_ns = now_ns;
	while (client.state == CLIENT_REQUESTING)
		timeout();
	cr_assert_eq(client.state, CLIENT_INIT);
	cr_assert(now_ns - began_ns <= CLIENT_REQUEST_TRIES * 5 * S);
	cr_assert(now_ns - began_ns >= CLIENT_REQUEST_TRIES * 3 * S, "no tight loop");
}

/* All of the xid is the caller's randomness, new at every start and renewal. */
Test(client_selecting, V4_03_C4_30_xid_is_random)
{
	struct client_event event = { .type = CLIENT_TIMEOUT };

	for (uint32_t bit = 0; bit < 32; bit++) {
		start();
		event.now_ns = client.deadline_ns;
		event.random[0] = 1u << bit;
		client_step(&client, &event, &actions);
		cr_assert_eq(actions.request.xid, 1u << bit);
		to_bound();
		event.now_ns = client.deadline_ns;
		client_step(&client, &event, &actions);
		cr_assert_eq(actions.request.xid, 1u << bit);
	}
}

Test(client_selecting, V4_03_other_xid)
{
	to_selecting();
	reply(MESSAGE_OFFER);
	message.xid ^= 1;
	receive();
	assert_discarded(REASON_XID);
}

Test(client_selecting, V4_04_other_chaddr)
{
	for (size_t i = 0; i < 6; i++) {
		to_selecting();
		reply(MESSAGE_OFFER);
		message.chaddr[i] ^= 0x10;
		receive();
		assert_discarded(REASON_CHADDR);
	}
}

Test(client_selecting, Q01_secs_is_at_least_1)
{
	to_selecting();
	cr_assert_eq(actions.request.secs, 1);
	timeout();
	cr_assert(actions.request.secs >= 3 && actions.request.secs <= 5);
}

Test(client_selecting, secs_does_not_wrap)
{
	to_selecting();
	now_ns += 100000 * S;
	step(CLIENT_TIMEOUT);
	cr_assert_eq(actions.request.secs, UINT16_MAX);
}

Test(client_selecting, first_acceptable_offer_is_taken)
{
	to_selecting();
	reply(MESSAGE_OFFER);
	message.yiaddr = address("0.0.0.0");
	receive();
	assert_discarded(REASON_ADDRESS);
	reply(MESSAGE_OFFER);
	receive();
	cr_assert_eq(client.state, CLIENT_REQUESTING);
	reply(MESSAGE_OFFER);
	message.server = address("192.0.2.2");
	receive();
	assert_discarded(REASON_STATE);
}

Test(client_selecting, Q29_addresses_that_are_none)
{
	static const char *const bad[] = { "0.0.0.0",	"255.255.255.255", "0.1.2.3",  "127.0.0.1",
					   "224.0.0.1", "239.255.255.255", "240.0.0.1" };
	static const char *const good[] = { "1.0.0.1", "169.253.0.1", "169.255.0.1",
					    "223.255.255.254", "10.0.0.1" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		to_selecting();
		reply(MESSAGE_OFFER);
		message.yiaddr = address(bad[i]);
		receive();
		assert_discarded(REASON_ADDRESS);
		to_requesting();
		reply(MESSAGE_ACK);
		message.yiaddr = address(bad[i]);
		receive();
		assert_discarded(REASON_ADDRESS);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		to_selecting();
		reply(MESSAGE_OFFER);
		message.yiaddr = address(good[i]);
		receive();
		cr_assert_eq(client.state, CLIENT_REQUESTING, "%s", good[i]);
	}
}

/* What a server may say of the subnet, and whether a host can have the address. */
static const struct {
	const char *address;
	uint8_t prefix_length; /* 0: not given */
	bool is_host;
} subnets[] = {
	{ "10.77.0.0", 24, false },	  { "10.77.0.255", 24, false },
	{ "10.77.0.1", 24, true },	  { "10.77.0.254", 24, true },
	{ "10.77.0.255", 23, true },	  { "10.77.1.0", 23, true },
	{ "10.77.1.255", 23, false },	  { "10.77.0.127", 25, false },
	{ "10.77.0.128", 25, false },	  { "10.77.0.4", 30, false },
	{ "10.77.0.7", 30, false },	  { "10.77.0.5", 30, true },
	{ "10.77.0.4", 31, true },	  { "10.77.0.5", 31, true },
	{ "10.77.0.0", 32, true },	  { "10.77.0.255", 32, true },
	{ "10.77.0.255", 0, true },	  { "10.255.255.255", 0, false },
	{ "10.0.0.0", 0, false },	  { "172.16.255.255", 0, false },
	{ "192.0.2.255", 0, false },	  { "192.0.2.0", 0, false },
	{ "223.255.255.255", 24, false }, { "128.0.0.0", 1, false },
};

/* Option 1 decides; without it the class does. */
Test(client_selecting, U52_offers_of_the_subnets_own_addresses)
{
	for (size_t i = 0; i < sizeof(subnets) / sizeof(subnets[0]); i++) {
		to_selecting();
		reply(MESSAGE_OFFER);
		message.yiaddr = address(subnets[i].address);
		message.parameters.prefix_length = subnets[i].prefix_length;
		receive();
		if (!subnets[i].is_host)
			assert_discarded(REASON_SUBNET);
		cr_assert_eq(client.state,
			     subnets[i].is_host ? CLIENT_REQUESTING : CLIENT_SELECTING, "%s/%u",
			     subnets[i].address, subnets[i].prefix_length);
	}
}

/* The ACK says another mask than the OFFER, or rapid commit needs no OFFER. */
Test(client_selecting, U52_acks_of_the_subnets_own_addresses)
{
	for (size_t i = 0; i < 2 * sizeof(subnets) / sizeof(subnets[0]); i++) {
		bool is_rapid = i % 2;

		if (is_rapid)
			to_selecting();
		else
			to_requesting();
		reply(MESSAGE_ACK);
		message.has_rapid_commit = is_rapid;
		message.yiaddr = address(subnets[i / 2].address);
		message.parameters.prefix_length = subnets[i / 2].prefix_length;
		receive();
		if (!subnets[i / 2].is_host)
			assert_discarded(REASON_SUBNET);
		cr_assert_eq(client.state == CLIENT_BOUND, subnets[i / 2].is_host, "%s/%u",
			     subnets[i / 2].address, subnets[i / 2].prefix_length);
	}
}

Test(client_selecting, Q14_broadcast_flag_is_an_option)
{
	struct client_config flagged = config();

	flagged.broadcast = true;
	start_with(&flagged);
	timeout();
	cr_assert(actions.request.broadcast);
	reply(MESSAGE_OFFER);
	receive();
	cr_assert(actions.request.broadcast);
	reply(MESSAGE_ACK);
	receive();
	timeout();
	cr_assert_not(actions.request.broadcast, "with an address unicast can be received");
}

Test(client_selecting, V4_08_ack_in_selecting)
{
	to_selecting();
	reply(MESSAGE_ACK);
	receive();
	assert_discarded(REASON_STATE);
}

Test(client_selecting, V4_52_Q46_client_identifier)
{
	static const uint8_t ours[] = { 1, 2, 0, 0, 0, 0x77, 2 };

	for (int row = 0; row < 5; row++) {
		to_selecting();
		reply(MESSAGE_OFFER);
		message.has_client_id = true;
		message.client_id_size = sizeof(ours);
		memcpy(message.client_id, ours, sizeof(ours));
		if (row == 1)
			message.client_id[6] ^= 1;
		if (row == 2)
			message.client_id_size--;
		if (row == 3)
			message.client_id_size++;
		if (row == 4)
			message.client_id_size = 0;
		receive();
		if (row == 0)
			cr_assert_eq(client.state, CLIENT_REQUESTING);
		else
			assert_discarded(REASON_CLIENT_ID);
	}
}

Test(client_selecting, names_of_states)
{
	for (int state = 0; state < _CLIENT_STATE_N; state++)
		cr_assert_str_neq(client_state_name((enum client_state)state), "?");
	cr_assert_str_eq(client_state_name(_CLIENT_STATE_N), "?");
}

Test(client_selecting, Q30_link_local_address_is_an_option)
{
	static const char *const rows[] = { "169.254.0.1", "169.254.255.254" };
	struct client_config allowed = config();

	allowed.accept_link_local = true;
	for (size_t i = 0; i < 2; i++) {
		to_selecting();
		reply(MESSAGE_OFFER);
		message.yiaddr = address(rows[i]);
		receive();
		assert_discarded(REASON_LINK_LOCAL);
		to_requesting();
		reply(MESSAGE_ACK);
		message.yiaddr = address(rows[i]);
		receive();
		assert_discarded(REASON_LINK_LOCAL);
		start_with(&allowed);
		timeout();
		reply(MESSAGE_OFFER);
		message.yiaddr = address(rows[i]);
		receive();
		cr_assert_eq(client.state, CLIENT_REQUESTING);
	}
}

/* "No address, and do not make one up" (RFC 2563): there is nothing to request,
 * so DISCOVER continues. */
Test(client_selecting, Q29_no_address_with_auto_configure)
{
	to_selecting();
	reply(MESSAGE_OFFER);
	message.yiaddr.s_addr = INADDR_ANY;
	message.has_auto_configure = true;
	receive();
	assert_discarded(REASON_ADDRESS);
	timeout();
	cr_assert_eq(actions.request.type, MESSAGE_DISCOVER);
}

/* What the operator says of servers comes before the state. */
Test(client_selecting, servers_that_are_not_wanted)
{
	static const struct {
		const char *allowed, *denied, *server;
		bool taken;
	} rows[] = {
		{ NULL, NULL, "192.0.2.1", true },
		{ NULL, "192.0.2.1", "192.0.2.1", false },
		{ NULL, "192.0.2.2", "192.0.2.1", true },
		{ "192.0.2.1", NULL, "192.0.2.1", true },
		{ "192.0.2.2", NULL, "192.0.2.1", false },
		{ "192.0.2.1", "192.0.2.1", "192.0.2.1", false },
		{ "192.0.2.1", NULL, "0.0.0.0", false }, /* does not say who it is */
		{ NULL, "0.0.0.0", "0.0.0.0", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct client_config lists = config();

		if (rows[i].allowed) {
			lists.n_allowed = 2;
			lists.allowed[0] = address("198.51.100.1");
			lists.allowed[1] = address(rows[i].allowed);
		}
		if (rows[i].denied) {
			lists.n_denied = 2;
			lists.denied[0] = address("198.51.100.2");
			lists.denied[1] = address(rows[i].denied);
		}
		start_with(&lists);
		timeout();
		reply(MESSAGE_OFFER);
		message.server = address(rows[i].server);
		receive();
		if (rows[i].taken)
			cr_assert_eq(client.state, CLIENT_REQUESTING, "row %zu", i);
		else
			assert_discarded(REASON_DENIED);
	}
}

/* Nothing to compare with: chaddr says that it is for us. */
Test(client_selecting, Q46_identifier_where_we_sent_none)
{
	struct client_config none = config();

	none.sender.client_id_size = 0;
	start_with(&none);
	timeout();
	reply(MESSAGE_OFFER);
	message.has_client_id = true;
	message.client_id_size = 3;
	receive();
	cr_assert_eq(client.state, CLIENT_REQUESTING);
}

/* One of the longest that may be: every octet counts. */
Test(client_selecting, V4_52_C4_29_longest_identifier)
{
	struct client_config longest = config();

	longest.sender.client_id_size = MESSAGE_CLIENT_ID_MAX;
	memset(longest.sender.client_id, 0x5a, MESSAGE_CLIENT_ID_MAX);
	for (size_t at = 0; at <= MESSAGE_CLIENT_ID_MAX; at++) {
		start_with(&longest);
		timeout();
		reply(MESSAGE_OFFER);
		message.has_client_id = true;
		message.client_id_size = MESSAGE_CLIENT_ID_MAX;
		memset(message.client_id, 0x5a, MESSAGE_CLIENT_ID_MAX);
		if (at < MESSAGE_CLIENT_ID_MAX)
			message.client_id[at] ^= 1;
		receive();
		if (at < MESSAGE_CLIENT_ID_MAX)
			assert_discarded(REASON_CLIENT_ID);
		else
			cr_assert_eq(client.state, CLIENT_REQUESTING);
	}
}
