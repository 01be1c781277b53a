/* SPDX-License-Identifier: Apache-2.0 */
/* REQUESTING: what is sent, how often, and when the lease begins. */
#include "tests/unit/client-support.h"

Test(client_requesting, V4_09_request)
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

Test(client_requesting, V4_10_request_has_the_secs_of_the_discover)
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

Test(client_requesting, Q17_offer_without_server)
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
Test(client_requesting, V4_25_Q22_request_is_never_answered)
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
Test(client_requesting, Q22_no_tight_loop)
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

Test(client_requesting, ack_of_another_server_in_requesting)
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

Test(client_requesting, ack_makes_bound)
{
	to_bound();
	cr_assert_eq(actions.lease, CLIENT_LEASE_SET);
	cr_assert_not(actions.send);
	cr_assert_eq(client.lease.address.s_addr, inet_addr("192.0.2.10"));
	cr_assert_eq(client.lease.server.s_addr, inet_addr("192.0.2.1"));
	cr_assert_eq(client.deadline_ns, client.lease.t1_ns);
}

Test(client_requesting, V4_19_lease_counts_from_the_request)
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
Test(client_requesting, V4_19_lease_counts_from_the_first_request)
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

Test(client_requesting, Q26_short_lease_granted_at_the_last_try)
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

/* It lay in the queue while we were suspended; the timers come after it. */
Test(client_requesting, V4_20_ack_of_a_lease_that_is_over)
{
	to_requesting();
	now_ns += 3600 * S;
	reply(MESSAGE_ACK);
	message.lease_s = 3600;
	receive();
	cr_assert_eq(actions.discarded, REASON_LATE);
	cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
	cr_assert_eq(client.state, CLIENT_REQUESTING);
	message.lease_s = 3601;
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
}
