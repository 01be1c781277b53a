/* SPDX-License-Identifier: Apache-2.0 */
/* INIT-REBOOT and REBOOTING: a lease of a previous run, or from before the link
 * went down. */
#include "tests/unit/client-support.h"

static void assert_reboot_request(void)
{
	assert_broadcast(INADDR_ANY);
	cr_assert_eq(actions.request.type, MESSAGE_REQUEST);
	cr_assert_eq(actions.request.requested.s_addr, inet_addr("192.0.2.10"));
	cr_assert_not(actions.request.has_server);
	cr_assert_eq(actions.request.ciaddr.s_addr, INADDR_ANY);
	cr_assert(actions.request.secs >= 1);
}

Test(client_reboot, V4_14_request)
{
	to_rebooting();
	assert_reboot_request();
}

/* Nobody answers: twice, then DISCOVER with the address as a hint; the lease
 * is kept. */
Test(client_reboot, V4_14_Q23_silence)
{
	uint32_t xid;

	to_rebooting();
	xid = client.xid;
	cr_assert(client.deadline_ns - now_ns >= 3 * S && client.deadline_ns - now_ns <= 5 * S);
	timeout();
	assert_reboot_request();
	cr_assert_eq(actions.request.xid, xid);
	cr_assert(client.deadline_ns - now_ns >= 3 * S && client.deadline_ns - now_ns <= 5 * S);
	timeout();
	cr_assert_eq(client.state, CLIENT_INIT);
	cr_assert_not(actions.send);
	timeout();
	cr_assert_eq(actions.request.type, MESSAGE_DISCOVER);
	cr_assert_eq(actions.request.requested.s_addr, inet_addr("192.0.2.10"));
	cr_assert_neq(actions.request.xid, xid);
	cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
	cr_assert(client.has_lease && client.is_in_use && client.is_restored);
}

Test(client_reboot, Q23_ack)
{
	to_rebooting();
	reply(MESSAGE_ACK);
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
	cr_assert_eq(actions.lease, CLIENT_LEASE_SET);
	cr_assert_not(client.is_restored);
	cr_assert_eq(client.lease.expires_ns, now_ns + 3600 * S);
	/* of any server: all were asked */
	to_rebooting();
	reply(MESSAGE_ACK);
	message.server = address("192.0.2.2");
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
	cr_assert_eq(client.lease.server.s_addr, inet_addr("192.0.2.2"));
}

/* After a restart of the calf the mask is known, the rest is in the store. */
Test(client_reboot, U03_restored_lease_keeps_its_mask)
{
	to_rebooting();
	client.lease.prefix_length = 26;
	reply(MESSAGE_ACK);
	message.parameters.prefix_length = 0;
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
	cr_assert_eq(client.lease.prefix_length, 26);
	cr_assert(client.lease.is_continued);
	timeout();
	reply(MESSAGE_ACK);
	receive();
	cr_assert_eq(client.lease.prefix_length, 24);
	cr_assert(client.lease.is_continued, "as long as it is this lease");
	/* how long it lasted is not known, only what was left */
	to_rebooting();
	reply(MESSAGE_ACK);
	message.lease_s = 0;
	receive();
	cr_assert_eq(client.lease.time_s, LEASE_TIME_FALLBACK_S);
}

/* After a reboot of the host nothing is: DISCOVER, and not the class's mask. */
Test(client_reboot, U03_reboot_without_a_mask_leads_to_discover)
{
	to_rebooting();
	reply(MESSAGE_ACK);
	message.parameters.prefix_length = 0;
	receive();
	cr_assert_eq(client.state, CLIENT_INIT);
	cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
	cr_assert_eq(client.deadline_ns, now_ns);
	timeout();
	cr_assert_eq(actions.request.type, MESSAGE_DISCOVER);
	cr_assert_eq(actions.request.requested.s_addr, inet_addr("192.0.2.10"));
	reply(MESSAGE_OFFER);
	receive();
	reply(MESSAGE_ACK);
	message.parameters.prefix_length = 26;
	receive();
	cr_assert_eq(client.lease.prefix_length, 26);
	cr_assert_not(client.lease.is_continued);
}

/* Another address than the one asked for is an answer, too. */
/* Its subnet is known only if one of the two says it; DISCOVER gets it otherwise. */
Test(client_reboot, U52_reboot_with_and_without_a_mask)
{
	to_rebooting();
	reply(MESSAGE_ACK);
	message.yiaddr = address("192.0.2.255");
	message.parameters.prefix_length = 0;
	receive();
	cr_assert_eq(actions.discarded, REASON_NONE);
	cr_assert_eq(client.state, CLIENT_INIT);
	to_rebooting();
	reply(MESSAGE_ACK);
	message.yiaddr = address("192.0.2.255");
	receive();
	assert_discarded(REASON_SUBNET);
	cr_assert_eq(client.state, CLIENT_REBOOTING);
}

Test(client_reboot, V4_21_ack_of_another_address)
{
	to_rebooting();
	reply(MESSAGE_ACK);
	message.yiaddr = address("192.0.2.99");
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
	cr_assert_eq(actions.lease, CLIENT_LEASE_SET);
	cr_assert_eq(client.lease.address.s_addr, inet_addr("192.0.2.99"));
}

Test(client_reboot, V4_23_Q23_nak)
{
	to_rebooting();
	reply(MESSAGE_NAK);
	receive();
	cr_assert_eq(client.state, CLIENT_INIT);
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST);
	cr_assert(client.deadline_ns - now_ns <= 10 * MS);
	timeout();
	cr_assert_eq(actions.request.type, MESSAGE_DISCOVER);
	cr_assert_eq(actions.request.requested.s_addr, INADDR_ANY, "it was refused");
}

/* Retransmitted with one xid: the lease counts from the first. */
Test(client_reboot, V4_19_lease_counts_from_the_first_request)
{
	uint64_t first_ns;

	to_rebooting();
	first_ns = now_ns;
	timeout();
	reply(MESSAGE_ACK);
	receive();
	cr_assert_eq(client.lease.expires_ns, first_ns + 3600 * S);
}

/* What was held until then is over, with whatever is going on. */
Test(client_reboot, V4_20_restored_lease_is_over)
{
	has_saved = true;
	saved = (struct client_saved){ .address = address("192.0.2.10"),
				       .server = address("192.0.2.1"),
				       .left_s = 30,
				       .is_configured = true };
	start();
	while (actions.lease == CLIENT_LEASE_KEEP)
		timeout();
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST);
	cr_assert_eq(now_ns, T0 + 30 * S);
	cr_assert_eq(client.state, CLIENT_SELECTING);
	cr_assert_not(client.has_lease);
	timeout();
	cr_assert_eq(actions.request.type, MESSAGE_DISCOVER);
	cr_assert_eq(actions.request.requested.s_addr, inet_addr("192.0.2.10"), "V4-22");
}

Test(client_reboot, V4_34_restored_infinite_lease)
{
	has_saved = true;
	saved = (struct client_saved){ .address = address("192.0.2.10"),
				       .left_s = CLIENT_INFINITE,
				       .is_configured = true };
	start();
	cr_assert_eq(client.lease.expires_ns, CLIENT_NEVER);
	wait_until(T0 + 1000000 * S);
	cr_assert(client.has_lease);
}

/* By wall time, which may be wrong: DISCOVER at once, but nothing is lost. */
Test(client_reboot, lease_that_seems_to_be_over)
{
	has_saved = true;
	saved = (struct client_saved){ .address = address("192.0.2.10"),
				       .server = address("192.0.2.1"),
				       .left_s = 3600,
				       .is_over = true,
				       .is_configured = true };
	start();
	cr_assert_eq(client.state, CLIENT_INIT);
	cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
	cr_assert(client.is_in_use);
	timeout();
	cr_assert_eq(actions.request.type, MESSAGE_DISCOVER);
	cr_assert_eq(actions.request.requested.s_addr, inet_addr("192.0.2.10"));
}

/* The address on the uplink comes first (takeover). */
Test(client_reboot, address_of_the_uplink_is_asked_for_first)
{
	struct client_config taking_over = config();

	taking_over.requested = address("192.0.2.77");
	for (int with_saved = 0; with_saved < 2; with_saved++) {
		has_saved = with_saved;
		saved = (struct client_saved){ .address = address("192.0.2.10"), .left_s = 60 };
		start_with(&taking_over);
		cr_assert_eq(client.state, CLIENT_INIT_REBOOT);
		timeout();
		cr_assert_eq(client.state, CLIENT_REBOOTING);
		cr_assert_eq(actions.request.requested.s_addr, inet_addr("192.0.2.77"));
		timeout();
		timeout();
		timeout();
		cr_assert_eq(actions.request.type, MESSAGE_DISCOVER);
		cr_assert_eq(actions.request.requested.s_addr, inet_addr("192.0.2.77"));
	}
}

/* The request is refused: the lease of the previous run is still valid, as far
 * as we know. */
Test(client_reboot, V4_23_nak_for_the_address_of_the_uplink)
{
	struct client_config taking_over = config();

	taking_over.requested = address("192.0.2.77");
	configured = &taking_over;
	has_saved = true;
	saved = (struct client_saved){ .address = address("192.0.2.10"),
				       .server = address("192.0.2.1"),
				       .left_s = 3600,
				       .is_configured = true };
	start();
	timeout();
	reply(MESSAGE_NAK);
	receive();
	cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
	cr_assert_eq(client.state, CLIENT_INIT_REBOOT);
	timeout();
	cr_assert_eq(actions.request.requested.s_addr, inet_addr("192.0.2.10"));
	reply(MESSAGE_NAK);
	receive();
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST);
	cr_assert_eq(client.state, CLIENT_INIT);
	/* and with no lease to fall back on */
	has_saved = false;
	start();
	timeout();
	reply(MESSAGE_NAK);
	receive();
	cr_assert_eq(client.state, CLIENT_INIT);
}

Test(client_reboot, V4_51_not_with_anonymity)
{
	struct client_config anonymous = config();

	anonymous.no_reboot = true;
	anonymous.requested = address("192.0.2.77");
	configured = &anonymous;
	has_saved = true;
	saved = (struct client_saved){ .address = address("192.0.2.10"),
				       .left_s = 3600,
				       .is_configured = true };
	start();
	cr_assert_eq(client.state, CLIENT_INIT);
	timeout();
	cr_assert_eq(actions.request.type, MESSAGE_DISCOVER);
	cr_assert_eq(actions.request.requested.s_addr, INADDR_ANY);
	cr_assert(client.has_lease, "what the host has is kept until there is another");
	/* nor when the link is attached again */
	has_saved = false;
	to_bound();
	step(CLIENT_LINK_DOWN);
	step(CLIENT_LINK_UP);
	cr_assert_eq(client.state, CLIENT_INIT);
	timeout();
	cr_assert_eq(actions.request.requested.s_addr, INADDR_ANY);
}

/* One round trip, and the next time is as the first. */
Test(client_reboot, thousand_restarts)
{
	for (int i = 0; i < 1000; i++) {
		to_rebooting();
		now_ns += MS;
		reply(MESSAGE_ACK);
		receive();
		cr_assert_eq(actions.lease, CLIENT_LEASE_SET);
		cr_assert_eq(client.deadline_ns, client.lease.t1_ns);
	}
}
