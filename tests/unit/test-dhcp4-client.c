/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine in virtual time: what is sent, when, and what follows. */
#include <criterion/criterion.h>

#include "tests/unit/dhcp4-support.h"
#include "userspace/calf/dhcp4/client.h"

#define MS 1000000ull
#define S 1000000000ull
#define T0 (5000 * S)

static struct client client;
static struct client_actions actions;
static struct message message;
static uint64_t now_ns;
static uint64_t random_state = 1;

static void step(enum client_event_type type)
{
	struct client_event event = { .type = type, .now_ns = now_ns, .message = &message };

	for (size_t i = 0; i < 3; i++) {
		random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
		event.random[i] = (uint32_t)(random_state >> 32);
	}
	client_step(&client, &event, &actions);
}

static struct client_config config(void)
{
	struct client_config config = { .start_delay_ms = CLIENT_START_DELAY_MS,
					.first_retransmission_ms = CLIENT_FIRST_RETRANSMISSION_MS };

	config.sender = support_sender();
	return config;
}

static void start_with(const struct client_config *config_p)
{
	now_ns = T0;
	client_init(&client, config_p);
	step(CLIENT_START);
}

static void start(void)
{
	struct client_config defaults = config();

	start_with(&defaults);
}

/* Run to the deadline. */
static void timeout(void)
{
	cr_assert_neq(client.deadline_ns, CLIENT_NEVER);
	cr_assert(client.deadline_ns >= now_ns);
	now_ns = client.deadline_ns;
	step(CLIENT_TIMEOUT);
}

/* A good reply of 192.0.2.1 to what was sent last. */
static void reply(uint8_t type)
{
	memset(&message, 0, sizeof(message));
	message.type = type;
	message.xid = client.xid;
	message.yiaddr = address("192.0.2.10");
	memcpy(message.chaddr, support_mac, 6);
	message.has_server = true;
	message.server = address("192.0.2.1");
	message.lease_s = 3600;
	message.parameters.prefix_length = 24;
}

static void receive(void)
{
	step(CLIENT_MESSAGE);
}

static void to_selecting(void)
{
	start();
	timeout();
	cr_assert_eq(client.state, CLIENT_SELECTING);
}

static void to_requesting(void)
{
	to_selecting();
	reply(MESSAGE_OFFER);
	receive();
	cr_assert_eq(client.state, CLIENT_REQUESTING);
}

static void to_bound_for(uint32_t lease_s)
{
	to_requesting();
	reply(MESSAGE_ACK);
	message.lease_s = lease_s;
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
}

static void to_bound(void)
{
	to_bound_for(3600);
}

static void to_renewing(void)
{
	to_bound();
	timeout();
	cr_assert_eq(client.state, CLIENT_RENEWING);
}

static void to_rebinding(void)
{
	to_renewing();
	while (client.state == CLIENT_RENEWING)
		timeout();
	cr_assert_eq(client.state, CLIENT_REBINDING);
}

static void assert_broadcast(in_addr_t source)
{
	cr_assert(actions.send);
	cr_assert_eq(actions.destination.s_addr, INADDR_BROADCAST);
	cr_assert_eq(actions.source.s_addr, source);
}

static void assert_discarded(enum reason reason)
{
	cr_assert_eq(actions.discarded, reason, "%s", reason_text(actions.discarded));
	cr_assert_not(actions.send);
	cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
}

/* INIT, SELECTING */

Test(client, V4_06_start_delay)
{
	for (int i = 0; i < 1000; i++) {
		start();
		cr_assert(client.deadline_ns >= T0 + MS && client.deadline_ns <= T0 + 10 * MS);
	}
	cr_assert_eq(client.state, CLIENT_INIT);
}

Test(client, V4_06_start_delay_of_the_rfc)
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

Test(client, timeout_before_the_deadline_does_nothing)
{
	struct client before;

	start();
	before = client;
	step(CLIENT_TIMEOUT);
	cr_assert_not(actions.send);
	cr_assert_eq(memcmp(&before, &client, sizeof(client)), 0);
}

Test(client, V4_05_discover)
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
Test(client, V4_07_backoff)
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

Test(client, V4_07_backoff_is_randomised)
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

Test(client, V4_07_first_retransmission_is_an_option)
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

/* All of the xid is the caller's randomness, new at every start and renewal. */
Test(client, V4_03_C4_30_xid_is_random)
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

Test(client, V4_03_other_xid)
{
	to_selecting();
	reply(MESSAGE_OFFER);
	message.xid ^= 1;
	receive();
	assert_discarded(REASON_XID);
}

Test(client, V4_04_other_chaddr)
{
	for (size_t i = 0; i < 6; i++) {
		to_selecting();
		reply(MESSAGE_OFFER);
		message.chaddr[i] ^= 0x10;
		receive();
		assert_discarded(REASON_CHADDR);
	}
}

Test(client, Q01_secs_is_at_least_1)
{
	to_selecting();
	cr_assert_eq(actions.request.secs, 1);
	timeout();
	cr_assert(actions.request.secs >= 3 && actions.request.secs <= 5);
}

Test(client, secs_does_not_wrap)
{
	to_selecting();
	now_ns += 100000 * S;
	step(CLIENT_TIMEOUT);
	cr_assert_eq(actions.request.secs, UINT16_MAX);
}

Test(client, first_acceptable_offer_is_taken)
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

Test(client, Q29_Q30_addresses_that_are_none)
{
	static const char *const bad[] = { "0.0.0.0",	"255.255.255.255", "0.1.2.3",
					   "127.0.0.1", "224.0.0.1",	   "239.255.255.255",
					   "240.0.0.1", "169.254.0.1",	   "169.254.255.254" };
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

Test(client, Q14_broadcast_flag_is_an_option)
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

/* REQUESTING */

Test(client, V4_09_request)
{
	to_requesting();
	assert_broadcast(INADDR_ANY);
	cr_assert_eq(actions.request.type, MESSAGE_REQUEST);
	cr_assert_eq(actions.request.ciaddr.s_addr, INADDR_ANY);
	cr_assert_eq(actions.request.requested.s_addr, inet_addr("192.0.2.10"));
	cr_assert(actions.request.has_server);
	cr_assert_eq(actions.request.server.s_addr, inet_addr("192.0.2.1"));
	cr_assert_eq(actions.request.xid, message.xid);
}

Test(client, V4_10_request_has_the_secs_of_the_discover)
{
	uint16_t secs;

	to_selecting();
	timeout();
	timeout();
	secs = actions.request.secs;
	now_ns += 3 * S;
	reply(MESSAGE_OFFER);
	receive();
	cr_assert_eq(actions.request.secs, secs);
	timeout();
	cr_assert_eq(actions.request.secs, secs);
}

Test(client, Q17_offer_without_server)
{
	to_selecting();
	reply(MESSAGE_OFFER);
	message.has_server = false;
	message.server.s_addr = INADDR_ANY;
	receive();
	cr_assert(actions.request.has_server);
	cr_assert_eq(actions.request.server.s_addr, INADDR_ANY);
	reply(MESSAGE_ACK);
	message.has_server = false;
	message.server.s_addr = INADDR_ANY;
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
}

/* Five times in about a minute, then from the start. */
Test(client, V4_25_Q22_request_is_never_answered)
{
	static const uint64_t delays[] = { 4, 8, 16, 32, 4 };

	to_requesting();
	for (size_t i = 0; i < 5; i++) {
		uint64_t delay = client.deadline_ns - now_ns;

		cr_assert_eq(client.state, CLIENT_REQUESTING);
		cr_assert(actions.send);
		cr_assert_eq(actions.request.type, MESSAGE_REQUEST);
		cr_assert(delay >= (delays[i] - 1) * S && delay <= (delays[i] + 1) * S);
		timeout();
	}
	cr_assert_eq(client.state, CLIENT_INIT);
	cr_assert_not(actions.send);
	cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
	timeout();
	cr_assert_eq(client.state, CLIENT_SELECTING);
	cr_assert_eq(actions.request.type, MESSAGE_DISCOVER);
}

/* The server takes all DISCOVERs and no REQUEST: no tight loop. */
Test(client, Q22_no_tight_loop)
{
	uint32_t n = 0;

	start();
	while (now_ns < T0 + 3600 * S) {
		timeout();
		n += actions.send;
		if (client.state == CLIENT_SELECTING) {
			reply(MESSAGE_OFFER);
			receive();
			n += actions.send;
		}
	}
	cr_assert(n < 400, "%u messages in an hour", n);
}

Test(client, ack_of_another_server_in_requesting)
{
	to_requesting();
	reply(MESSAGE_ACK);
	message.server = address("192.0.2.2");
	receive();
	assert_discarded(REASON_SERVER);
	reply(MESSAGE_ACK);
	message.has_server = false;
	message.server.s_addr = INADDR_ANY;
	receive();
	assert_discarded(REASON_SERVER);
}

Test(client, ack_makes_bound)
{
	to_bound();
	cr_assert_eq(actions.lease, CLIENT_LEASE_SET);
	cr_assert_not(actions.send);
	cr_assert_eq(client.lease.address.s_addr, inet_addr("192.0.2.10"));
	cr_assert_eq(client.lease.server.s_addr, inet_addr("192.0.2.1"));
	cr_assert_eq(client.deadline_ns, client.lease.t1_ns);
}

Test(client, V4_19_lease_counts_from_the_request)
{
	uint64_t sent_ns;

	to_requesting();
	sent_ns = now_ns;
	now_ns += 2500 * MS;
	reply(MESSAGE_ACK);
	receive();
	cr_assert_eq(client.lease.expires_ns, sent_ns + 3600 * S);
}

/* Which of several REQUESTs was answered is not known: the first counts. */
Test(client, V4_19_lease_counts_from_the_first_request)
{
	uint64_t sent_ns;

	to_requesting();
	sent_ns = now_ns;
	timeout();
	timeout();
	reply(MESSAGE_ACK);
	receive();
	cr_assert_eq(client.lease.expires_ns, sent_ns + 3600 * S);
}

Test(client, Q26_short_lease_granted_at_the_last_try)
{
	uint64_t sent_ns;

	to_requesting();
	for (int i = 0; i < 4; i++)
		timeout();
	sent_ns = now_ns;
	now_ns += S;
	reply(MESSAGE_ACK);
	message.lease_s = 30;
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
	cr_assert_eq(client.lease.expires_ns, sent_ns + 30 * S);
}

/* NAK */

Test(client, V4_23_Q21_nak_in_requesting)
{
	uint64_t delay = 1;

	to_requesting();
	for (int i = 0; i < 14; i++) {
		uint64_t least = delay * S < 300 * S ? delay * S : 300 * S;
		uint64_t most = 2 * delay * S < 300 * S ? 2 * delay * S : 300 * S;

		reply(MESSAGE_NAK);
		receive();
		cr_assert_eq(actions.discarded, REASON_NONE);
		cr_assert_eq(client.state, CLIENT_INIT);
		cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
		cr_assert(client.deadline_ns - now_ns >= least, "NAK %d", i);
		cr_assert(client.deadline_ns - now_ns <= most, "NAK %d", i);
		timeout();
		reply(MESSAGE_OFFER);
		receive();
		cr_assert_eq(client.state, CLIENT_REQUESTING);
		delay *= 2;
	}
	/* a lease ends it */
	reply(MESSAGE_ACK);
	receive();
	cr_assert_eq(client.n_naks, 0);
}

Test(client, V4_23_nak_in_renewing_and_rebinding)
{
	to_renewing();
	reply(MESSAGE_NAK);
	receive();
	cr_assert_eq(client.state, CLIENT_INIT);
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST);
	cr_assert(client.deadline_ns - now_ns <= 10 * MS);
	timeout();
	cr_assert_eq(actions.request.type, MESSAGE_DISCOVER);
	cr_assert_eq(actions.source.s_addr, INADDR_ANY);
	to_rebinding();
	reply(MESSAGE_NAK);
	message.server = address("192.0.2.2");
	receive();
	cr_assert_eq(client.state, CLIENT_INIT);
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST);
}

Test(client, V4_24_Q20_nak_in_selecting_and_bound)
{
	to_selecting();
	reply(MESSAGE_NAK);
	receive();
	assert_discarded(REASON_STATE);
	to_bound();
	reply(MESSAGE_NAK);
	receive();
	assert_discarded(REASON_STATE);
	cr_assert_eq(client.state, CLIENT_BOUND);
}

Test(client, Q19_C4_28_nak_of_another_server)
{
	to_requesting();
	reply(MESSAGE_NAK);
	message.server = address("192.0.2.66");
	receive();
	assert_discarded(REASON_SERVER);
	to_renewing();
	reply(MESSAGE_NAK);
	message.server = address("192.0.2.66");
	receive();
	assert_discarded(REASON_SERVER);
	cr_assert_eq(client.state, CLIENT_RENEWING);
}

Test(client, Q17_C4_28_nak_without_server)
{
	to_rebinding();
	reply(MESSAGE_NAK);
	message.has_server = false;
	message.server.s_addr = INADDR_ANY;
	receive();
	assert_discarded(REASON_SERVER);
	/* but a lease of such a server it ends */
	client.lease.server.s_addr = INADDR_ANY;
	receive();
	cr_assert_eq(client.state, CLIENT_INIT);
}

/* BOUND, RENEWING, REBINDING */

Test(client, V4_15_renewal_is_unicast)
{
	to_renewing();
	cr_assert(actions.send);
	cr_assert_eq(actions.request.type, MESSAGE_REQUEST);
	cr_assert_eq(actions.destination.s_addr, inet_addr("192.0.2.1"));
	cr_assert_eq(actions.source.s_addr, inet_addr("192.0.2.10"));
	cr_assert_eq(actions.request.ciaddr.s_addr, inet_addr("192.0.2.10"));
	cr_assert_eq(actions.request.requested.s_addr, INADDR_ANY);
	cr_assert_not(actions.request.has_server);
	cr_assert_eq(actions.request.secs, 1);
}

Test(client, V4_15_Q17_renewal_without_server_is_broadcast)
{
	static const char *const servers[] = { "0.0.0.0", "255.255.255.255", "224.0.0.1",
					       "127.0.0.1" };

	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		to_selecting();
		reply(MESSAGE_OFFER);
		message.server = address(servers[i]);
		receive();
		reply(MESSAGE_ACK);
		message.server = address(servers[i]);
		receive();
		timeout();
		cr_assert_eq(client.state, CLIENT_RENEWING);
		assert_broadcast(inet_addr("192.0.2.10"));
		cr_assert_eq(actions.request.ciaddr.s_addr, inet_addr("192.0.2.10"));
		cr_assert_not(actions.request.has_server);
	}
}

/* Also where the unicast of RENEWING came to nothing. */
Test(client, V4_16_Q12_Q13_rebinding_is_broadcast)
{
	to_rebinding();
	assert_broadcast(inet_addr("192.0.2.10"));
	cr_assert_eq(actions.request.ciaddr.s_addr, inet_addr("192.0.2.10"));
	cr_assert_eq(actions.request.requested.s_addr, INADDR_ANY);
	cr_assert_not(actions.request.has_server);
	cr_assert_eq(now_ns, client.lease.t2_ns);
}

Test(client, V4_18_retransmissions_of_renewals)
{
	uint32_t n_renewals = 0, n_rebinds = 0;

	to_bound_for(86400);
	while (client.state != CLIENT_INIT) {
		uint64_t end_ns, delay_ns, half_ns;
		uint32_t xid = client.xid;

		timeout();
		if (client.state == CLIENT_INIT)
			break;
		cr_assert(actions.send);
		cr_assert_neq(client.xid, xid, "each renewal has its own xid");
		n_renewals += client.state == CLIENT_RENEWING;
		n_rebinds += client.state == CLIENT_REBINDING;
		end_ns = client.state == CLIENT_RENEWING ? client.lease.t2_ns :
							   client.lease.expires_ns;
		delay_ns = client.deadline_ns - now_ns;
		half_ns = (end_ns - now_ns) / 2;
		cr_assert(client.deadline_ns <= end_ns);
		if (client.deadline_ns < end_ns) {
			cr_assert(delay_ns >= 60 * S);
			cr_assert(delay_ns >= half_ns &&
				  delay_ns <= half_ns + half_ns / 16 + 60 * S);
		}
	}
	cr_assert(n_renewals >= 7 && n_renewals <= 12, "%u", n_renewals);
	cr_assert(n_rebinds >= 6 && n_rebinds <= 10, "%u", n_rebinds);
	cr_assert_eq(now_ns, client.lease.expires_ns);
}

Test(client, V4_20_expiry)
{
	to_rebinding();
	while (client.state == CLIENT_REBINDING)
		timeout();
	cr_assert_eq(now_ns, client.lease.expires_ns);
	cr_assert_eq(client.state, CLIENT_INIT);
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST);
	cr_assert_not(actions.send);
	timeout();
	assert_broadcast(INADDR_ANY);
	cr_assert_eq(actions.request.type, MESSAGE_DISCOVER);
	cr_assert_eq(actions.request.ciaddr.s_addr, INADDR_ANY);
}

/* A suspend: the timer comes late, and the clock says how late. */
Test(client, V4_20_expiry_seen_late)
{
	to_bound();
	now_ns = client.lease.expires_ns + 86400 * S;
	step(CLIENT_TIMEOUT);
	cr_assert_eq(client.state, CLIENT_INIT);
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST);
	to_bound();
	now_ns = client.lease.t2_ns + S;
	step(CLIENT_TIMEOUT);
	cr_assert_eq(client.state, CLIENT_REBINDING);
	assert_broadcast(inet_addr("192.0.2.10"));
}

Test(client, V4_21_V4_22_lease_after_expiry)
{
	to_rebinding();
	while (client.state != CLIENT_SELECTING)
		timeout();
	reply(MESSAGE_OFFER);
	message.yiaddr = address("192.0.2.99");
	receive();
	reply(MESSAGE_ACK);
	message.yiaddr = address("192.0.2.99");
	receive();
	cr_assert_eq(actions.lease, CLIENT_LEASE_SET);
	cr_assert_eq(client.lease.address.s_addr, inet_addr("192.0.2.99"));
}

Test(client, V4_19_renewal_counts_from_its_request)
{
	uint64_t sent_ns;

	to_renewing();
	timeout();
	sent_ns = now_ns;
	cr_assert_eq(client.state, CLIENT_RENEWING);
	now_ns += 3 * S;
	reply(MESSAGE_ACK);
	message.lease_s = 7200;
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
	cr_assert_eq(actions.lease, CLIENT_LEASE_SET);
	cr_assert_eq(client.lease.expires_ns, sent_ns + 7200 * S);
}

Test(client, renewal_answered_for_an_earlier_request)
{
	uint32_t xid;

	to_renewing();
	xid = client.xid;
	timeout();
	reply(MESSAGE_ACK);
	message.xid = xid;
	receive();
	assert_discarded(REASON_XID);
}

Test(client, Q17_renewal_answered_without_server)
{
	to_renewing();
	reply(MESSAGE_ACK);
	message.has_server = false;
	message.server.s_addr = INADDR_ANY;
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
	cr_assert_eq(client.lease.server.s_addr, inet_addr("192.0.2.1"));
}

Test(client, rebinding_is_answered_by_another_server)
{
	to_rebinding();
	reply(MESSAGE_ACK);
	message.server = address("192.0.2.2");
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
	cr_assert_eq(client.lease.server.s_addr, inet_addr("192.0.2.2"));
	timeout();
	cr_assert_eq(actions.destination.s_addr, inet_addr("192.0.2.2"));
}

Test(client, V4_34_infinite_lease)
{
	to_bound_for(CLIENT_INFINITE);
	cr_assert_eq(client.deadline_ns, CLIENT_NEVER);
	now_ns += 1000000000 * S;
	step(CLIENT_TIMEOUT);
	cr_assert_eq(client.state, CLIENT_BOUND);
	cr_assert_not(actions.send);
}

Test(client, V4_08_ack_in_selecting)
{
	to_selecting();
	reply(MESSAGE_ACK);
	receive();
	assert_discarded(REASON_STATE);
}

Test(client, V4_52_Q46_client_identifier)
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

Test(client, Q10_no_rapid_commit_is_asked_for)
{
	static uint8_t bytes[MESSAGE_SIZE_MAX];
	size_t size;

	to_selecting();
	size = message_build(&client.config.sender, &actions.request, bytes, sizeof(bytes));
	cr_assert_not(request_has(bytes, size, 80));
}

Test(client, names_of_states)
{
	for (int state = 0; state < _CLIENT_STATE_N; state++)
		cr_assert_str_neq(client_state_name((enum client_state)state), "?");
	cr_assert_str_eq(client_state_name(_CLIENT_STATE_N), "?");
}

/* Months of renewals: nothing drifts, nothing leaks from one to the next. */
Test(client, months_of_renewals)
{
	uint32_t n = 0;

	to_bound_for(3600);
	while (now_ns < T0 + 180 * 86400 * S) {
		timeout();
		cr_assert_eq(client.state, CLIENT_RENEWING);
		now_ns += 5 * MS;
		reply(MESSAGE_ACK);
		receive();
		cr_assert_eq(actions.lease, CLIENT_LEASE_SET);
		n++;
	}
	cr_assert(n > 180 * 24 * 2 * 95 / 100 && n < 180 * 24 * 2 * 105 / 100, "%u", n);
}
