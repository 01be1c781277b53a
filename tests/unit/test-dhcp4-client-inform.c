/* SPDX-License-Identifier: Apache-2.0 */
/* DHCPINFORM: parameters for a static address. */
#include "tests/unit/client-support.h"

static struct client_config informing;

static void setup(void)
{
	informing = config();
	informing.inform = address("192.0.2.50");
	configured = &informing;
	start();
	cr_assert_eq(client.state, CLIENT_INFORMING);
}

TestSuite(client_inform, .init = setup);

static void inform_ack(void)
{
	reply(MESSAGE_ACK);
	message.yiaddr.s_addr = INADDR_ANY;
	message.lease_s = 0;
	message.parameters.mtu = 1400;
	receive();
}

Test(client_inform, V4_31_message)
{
	timeout();
	assert_broadcast(INADDR_ANY);
	cr_assert_eq(actions.request.type, MESSAGE_INFORM);
	cr_assert_eq(actions.request.ciaddr.s_addr, inet_addr("192.0.2.50"));
	cr_assert_eq(actions.request.requested.s_addr, INADDR_ANY);
	cr_assert_not(actions.request.has_server);
	cr_assert_eq(actions.request.secs, 1);
}

Test(client_inform, V4_31_ack_without_lease_time_starts_no_timers)
{
	timeout();
	inform_ack();
	cr_assert_eq(client.state, CLIENT_INFORMED);
	cr_assert_eq(actions.lease, CLIENT_LEASE_SET);
	cr_assert_eq(client.deadline_ns, CLIENT_NEVER);
	cr_assert_eq(client.lease.address.s_addr, INADDR_ANY);
	cr_assert_eq(client.lease.parameters.mtu, 1400);
}

/* Some servers fill in what they should not. */
Test(client_inform, V4_31_ack_with_a_lease)
{
	timeout();
	reply(MESSAGE_ACK);
	receive();
	cr_assert_eq(client.state, CLIENT_INFORMED);
	cr_assert_eq(client.deadline_ns, CLIENT_NEVER);
	cr_assert_eq(client.lease.address.s_addr, INADDR_ANY);
	cr_assert_eq(client.lease.expires_ns, CLIENT_NEVER);
}

Test(client_inform, V4_07_backoff)
{
	uint32_t xid;

	timeout();
	xid = actions.request.xid;
	for (int i = 0; i < 10; i++) {
		timeout();
		cr_assert_eq(actions.request.type, MESSAGE_INFORM);
		cr_assert_eq(actions.request.xid, xid);
	}
	cr_assert(client.deadline_ns - now_ns >= 63 * S);
	cr_assert(client.deadline_ns - now_ns <= 65 * S);
}

/* Events that concern the address have no effect. */
Test(client_inform, no_conflict_detection_and_no_release)
{
	client.config.conflict = CLIENT_CONFLICT_PARALLEL;
	timeout();
	inform_ack();
	cr_assert_not(actions.send_arp);
	cr_assert_eq(client.conflict.phase, CONFLICT_IDLE);
	step(CLIENT_RELEASE);
	cr_assert_not(actions.send);
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST, "the parameters go");
}

Test(client_inform, asked_again_by_the_operator_and_when_the_link_comes)
{
	timeout();
	inform_ack();
	step(CLIENT_RENEW);
	timeout();
	cr_assert_eq(actions.request.type, MESSAGE_INFORM);
	cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
	inform_ack();
	cr_assert_eq(client.state, CLIENT_INFORMED);
	step(CLIENT_LINK_DOWN);
	cr_assert_eq(client.deadline_ns, CLIENT_NEVER);
	step(CLIENT_LINK_UP);
	timeout();
	cr_assert_eq(actions.request.type, MESSAGE_INFORM);
}

/* A lease of before goes: the address is another one now. */
Test(client_inform, saved_lease_is_dropped)
{
	has_saved = true;
	saved = (struct client_saved){ .address = address("192.0.2.10"),
				       .left_s = 3600,
				       .is_configured = true };
	start();
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST);
	cr_assert_eq(client.state, CLIENT_INFORMING);
	timeout();
	cr_assert_eq(actions.request.type, MESSAGE_INFORM);
}
