/* SPDX-License-Identifier: Apache-2.0 */
/* Rapid commit (RFC 4039): one round trip where the server can. */
#include "tests/unit/client-support.h"

Test(client_rapid, V4_53_only_in_discover)
{
	to_selecting();
	cr_assert(actions.request.rapid_commit);
	reply(MESSAGE_OFFER);
	receive();
	cr_assert_eq(actions.request.type, MESSAGE_REQUEST);
	cr_assert_not(actions.request.rapid_commit);
	reply(MESSAGE_ACK);
	receive();
	timeout();
	cr_assert_not(actions.request.rapid_commit);
	to_rebooting();
	cr_assert_not(actions.request.rapid_commit);
}

Test(client_rapid, V4_54_ack_makes_bound)
{
	uint64_t sent_ns;

	to_selecting();
	sent_ns = now_ns;
	now_ns += 30 * MS;
	reply(MESSAGE_ACK);
	message.has_rapid_commit = true;
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
	cr_assert_eq(actions.lease, CLIENT_LEASE_SET);
	cr_assert_not(actions.send);
	cr_assert_eq(client.lease.expires_ns, sent_ns + 3600 * S, "V4-19: from the DISCOVER");
	cr_assert_eq(client.lease.server.s_addr, inet_addr("192.0.2.1"));
}

Test(client_rapid, V4_08_V4_54_ack_without_option_80)
{
	to_selecting();
	reply(MESSAGE_ACK);
	receive();
	assert_discarded(REASON_STATE);
}

Test(client_rapid, V4_54_ack_that_nobody_asked_for)
{
	struct client_config without = config();

	without.no_rapid_commit = true;
	start_with(&without);
	timeout();
	cr_assert_not(actions.request.rapid_commit);
	reply(MESSAGE_ACK);
	message.has_rapid_commit = true;
	receive();
	assert_discarded(REASON_STATE);
}

/* Nor one to what was asked in an exchange before. */
Test(client_rapid, V4_54_what_was_sent_counts_for_its_xid)
{
	to_requesting();
	while (client.state == CLIENT_REQUESTING)
		timeout();
	cr_assert(client.has_sent_rapid_commit);
	client.config.no_rapid_commit = true;
	timeout();
	cr_assert_eq(client.state, CLIENT_SELECTING);
	reply(MESSAGE_ACK);
	message.has_rapid_commit = true;
	receive();
	assert_discarded(REASON_STATE);
}

/* Google Fiber's echo of option 80 in an OFFER binds nothing. */
Test(client_rapid, V4_55_Q24_offer_leads_to_four_messages)
{
	for (int with = 0; with < 2; with++) {
		to_selecting();
		reply(MESSAGE_OFFER);
		message.has_rapid_commit = with;
		receive();
		cr_assert_eq(client.state, CLIENT_REQUESTING);
		cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
		cr_assert_eq(actions.request.type, MESSAGE_REQUEST);
	}
}

/* An ISP's server that option 80 makes silent. */
Test(client_rapid, Q10_dropped_after_two_discovers)
{
	to_selecting();
	cr_assert(actions.request.rapid_commit);
	timeout();
	cr_assert(actions.request.rapid_commit);
	for (int i = 0; i < 5; i++) {
		timeout();
		cr_assert_eq(actions.request.type, MESSAGE_DISCOVER);
		cr_assert_not(actions.request.rapid_commit);
	}
}

/* The answer to the second comes when the third has left. */
Test(client_rapid, V4_19_late_ack_counts_from_the_first_discover)
{
	uint64_t first_ns;

	to_selecting();
	first_ns = now_ns;
	timeout();
	timeout();
	reply(MESSAGE_ACK);
	message.has_rapid_commit = true;
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
	cr_assert_eq(client.lease.expires_ns, first_ns + 3600 * S);
}

Test(client_rapid, Q29_ack_without_an_address)
{
	to_selecting();
	reply(MESSAGE_ACK);
	message.has_rapid_commit = true;
	message.yiaddr.s_addr = INADDR_ANY;
	receive();
	assert_discarded(REASON_ADDRESS);
}
