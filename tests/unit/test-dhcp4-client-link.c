/* SPDX-License-Identifier: Apache-2.0 */
/* The link goes and comes; the host sleeps; the operator interferes. */
#include "tests/unit/client-support.h"

/* Nothing is sent for as long as that. */
static void assert_silent_until(uint64_t until_ns)
{
	while (client.deadline_ns <= until_ns) {
		timeout();
		cr_assert_not(actions.send);
		cr_assert_not(actions.send_arp);
	}
	now_ns = until_ns;
}

Test(client_link, down_keeps_the_lease_and_sends_nothing)
{
	to_bound();
	step(CLIENT_LINK_DOWN);
	cr_assert_not(actions.send);
	cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
	cr_assert_eq(client.state, CLIENT_INIT_REBOOT);
	cr_assert(client.is_in_use);
	assert_silent_until(now_ns + 3500 * S);
	cr_assert(client.has_lease);
}

Test(client_link, up_asks_whether_the_lease_is_good)
{
	to_bound();
	step(CLIENT_LINK_DOWN);
	now_ns += 100 * S;
	step(CLIENT_LINK_UP);
	cr_assert_not(actions.send);
	timeout();
	cr_assert_eq(client.state, CLIENT_REBOOTING);
	assert_broadcast(INADDR_ANY);
	cr_assert_eq(actions.request.requested.s_addr, inet_addr("192.0.2.10"));
	cr_assert_not(actions.request.has_server);
	reply(MESSAGE_ACK);
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
	cr_assert_eq(actions.lease, CLIENT_LEASE_SET);
}

Test(client_link, V4_23_up_on_another_network)
{
	to_bound();
	step(CLIENT_LINK_DOWN);
	step(CLIENT_LINK_UP);
	timeout();
	reply(MESSAGE_NAK);
	message.server = address("198.51.100.1");
	receive();
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST);
	cr_assert_eq(client.state, CLIENT_INIT);
}

/* Until the lease is over; then there is nothing to ask for by INIT-REBOOT. */
Test(client_link, V4_20_lease_ends_while_the_link_is_down)
{
	uint64_t expires_ns;

	to_bound();
	expires_ns = client.lease.expires_ns;
	step(CLIENT_LINK_DOWN);
	timeout();
	cr_assert_eq(now_ns, expires_ns);
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST);
	cr_assert_eq(client.state, CLIENT_INIT);
	cr_assert_eq(client.deadline_ns, CLIENT_NEVER);
	step(CLIENT_LINK_UP);
	timeout();
	cr_assert_eq(actions.request.type, MESSAGE_DISCOVER);
	cr_assert_eq(actions.request.requested.s_addr, inet_addr("192.0.2.10"));
}

/* The same between LINK_UP and the REQUEST. */
Test(client_link, V4_20_lease_ends_just_before_it_is_asked_for)
{
	to_bound();
	step(CLIENT_LINK_DOWN);
	now_ns = client.lease.expires_ns - 1;
	step(CLIENT_LINK_UP);
	cr_assert_eq(client.state, CLIENT_INIT_REBOOT);
	timeout();
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST);
	timeout();
	cr_assert_eq(actions.request.type, MESSAGE_DISCOVER);
}

Test(client_link, down_in_every_state)
{
	void (*const states[])(void) = { start,	      to_selecting, to_requesting, to_bound,
					 to_renewing, to_rebinding, to_rebooting };

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		has_saved = false;
		states[i]();
		step(CLIENT_LINK_DOWN);
		cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
		/* late answers to what was sent before */
		for (uint8_t type = MESSAGE_OFFER; type <= MESSAGE_NAK; type++) {
			reply(type);
			receive();
			cr_assert_neq(actions.discarded, REASON_NONE, "%zu %u", i, type);
		}
		step(CLIENT_LINK_DOWN);
		assert_silent_until(now_ns + 100000 * S);
		step(CLIENT_LINK_UP);
		timeout();
		cr_assert(actions.send, "%zu", i);
	}
}

Test(client_link, up_without_down_changes_nothing)
{
	to_bound();
	step(CLIENT_LINK_UP);
	cr_assert_eq(client.state, CLIENT_BOUND);
	cr_assert_not(actions.send);
}

/* Sent once a flap, by the start delay: no storm. */
Test(client_link, flapping)
{
	uint32_t n = 0;

	to_bound();
	for (int i = 0; i < 1000; i++) {
		step(CLIENT_LINK_DOWN);
		step(CLIENT_LINK_UP);
		n += actions.send;
	}
	timeout();
	n += actions.send;
	cr_assert_eq(n, 1);
}

/* Suspend: the clock jumps, overdue deadlines are handled in their order. */

Test(client_link, suspend_past_t1)
{
	to_bound();
	now_ns = client.lease.t1_ns + 60 * S;
	step(CLIENT_TIMEOUT);
	cr_assert_eq(client.state, CLIENT_RENEWING);
	cr_assert_eq(actions.destination.s_addr, inet_addr("192.0.2.1"));
}

Test(client_link, suspend_past_t2)
{
	to_bound();
	now_ns = client.lease.t2_ns + S;
	step(CLIENT_TIMEOUT);
	cr_assert_eq(client.state, CLIENT_REBINDING);
	cr_assert_eq(actions.destination.s_addr, INADDR_BROADCAST);
}

Test(client_link, V4_20_suspend_past_the_end)
{
	to_bound();
	now_ns = client.lease.expires_ns + 86400 * S;
	step(CLIENT_TIMEOUT);
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST);
	cr_assert_not(actions.send);
	cr_assert_eq(client.state, CLIENT_INIT);
	cr_assert(client.deadline_ns <= now_ns + 10 * MS);
}

/* A frame that waited is handled before the timer: the lease is over first. */
Test(client_link, V4_20_message_after_the_end)
{
	to_rebinding();
	now_ns = client.lease.expires_ns + S;
	reply(MESSAGE_ACK);
	receive();
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST);
	cr_assert_eq(actions.discarded, REASON_STATE);
	cr_assert_eq(client.state, CLIENT_INIT);
}

/* The operator. */

Test(client_link, renew_now)
{
	to_bound();
	now_ns += 10 * S;
	step(CLIENT_RENEW);
	cr_assert_eq(client.state, CLIENT_RENEWING);
	cr_assert(actions.send);
	cr_assert_eq(actions.destination.s_addr, inet_addr("192.0.2.1"));
	cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
	reply(MESSAGE_ACK);
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
	to_rebinding();
	step(CLIENT_RENEW);
	cr_assert_eq(client.state, CLIENT_REBINDING);
	assert_broadcast(inet_addr("192.0.2.10"));
}

/* An infinite lease has no timers of its own, but the request for it has. */
Test(client_link, V4_34_renew_of_an_infinite_lease)
{
	to_bound_for(CLIENT_INFINITE);
	step(CLIENT_RENEW);
	cr_assert_eq(client.state, CLIENT_RENEWING);
	timeout(); /* at once, in another form: U18 */
	for (int i = 0; i < 10; i++) {
		cr_assert(client.deadline_ns - now_ns >= 60 * S);
		cr_assert(client.deadline_ns - now_ns <= 64 * S);
		timeout();
		cr_assert(actions.send);
	}
	reply(MESSAGE_ACK);
	message.lease_s = CLIENT_INFINITE;
	receive();
	cr_assert_eq(client.deadline_ns, CLIENT_NEVER);
}

/* It ends every wait, but not what is being asked already. */
Test(client_link, renew_in_every_state)
{
	start();
	step(CLIENT_RENEW);
	cr_assert_eq(client.deadline_ns, now_ns);
	timeout();
	cr_assert_eq(client.state, CLIENT_SELECTING);
	for (int i = 0; i < 8; i++)
		timeout();
	step(CLIENT_RENEW);
	cr_assert_eq(client.deadline_ns, now_ns);
	to_requesting();
	step(CLIENT_RENEW);
	cr_assert_eq(client.state, CLIENT_REQUESTING);
	cr_assert_not(actions.send);
	reply(MESSAGE_NAK);
	receive();
	step(CLIENT_RENEW);
	cr_assert_eq(client.deadline_ns, now_ns);
	to_rebooting();
	step(CLIENT_RENEW);
	cr_assert_eq(client.state, CLIENT_REBOOTING);
	cr_assert_not(actions.send);
	step(CLIENT_LINK_DOWN);
	step(CLIENT_RENEW);
	cr_assert_eq(client.deadline_ns, client.lease.expires_ns, "not without a link");
}

Test(client_link, V4_28_V4_11_release)
{
	to_bound();
	now_ns += S;
	step(CLIENT_RELEASE);
	cr_assert(actions.send);
	cr_assert_eq(actions.request.type, MESSAGE_RELEASE);
	cr_assert_eq(actions.destination.s_addr, inet_addr("192.0.2.1"));
	cr_assert_eq(actions.source.s_addr, inet_addr("192.0.2.10"));
	cr_assert_eq(actions.request.ciaddr.s_addr, inet_addr("192.0.2.10"));
	cr_assert_eq(actions.request.requested.s_addr, INADDR_ANY);
	cr_assert(actions.request.has_server);
	cr_assert_eq(actions.request.server.s_addr, inet_addr("192.0.2.1"));
	cr_assert_eq(actions.request.secs, 1);
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST);
	cr_assert_eq(client.state, CLIENT_RELEASED);
	cr_assert_eq(client.deadline_ns, CLIENT_NEVER);
	/* and stays so, whatever the link does */
	step(CLIENT_LINK_DOWN);
	step(CLIENT_LINK_UP);
	cr_assert_eq(client.deadline_ns, CLIENT_NEVER);
	step(CLIENT_RELEASE);
	cr_assert_not(actions.send);
	cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
	/* until it is wanted again */
	step(CLIENT_RENEW);
	timeout();
	cr_assert_eq(actions.request.type, MESSAGE_DISCOVER);
}

/* No message can be sent, but the lease is dropped all the same. */
Test(client_link, V4_28_release_that_cannot_be_sent)
{
	to_bound();
	client.lease.server.s_addr = INADDR_ANY;
	step(CLIENT_RELEASE);
	cr_assert_not(actions.send);
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST);
	to_bound();
	step(CLIENT_LINK_DOWN);
	step(CLIENT_RELEASE);
	cr_assert_not(actions.send);
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST);
	to_selecting();
	step(CLIENT_RELEASE);
	cr_assert_not(actions.send);
	cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
	cr_assert_eq(client.state, CLIENT_RELEASED);
}

Test(client_link, V4_28_release_at_stop_is_an_option)
{
	struct client_config releasing = config();

	to_bound();
	step(CLIENT_STOP);
	cr_assert_not(actions.send);
	cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
	cr_assert_eq(client.state, CLIENT_BOUND);
	releasing.release_at_stop = true;
	configured = &releasing;
	to_bound();
	step(CLIENT_STOP);
	cr_assert_eq(actions.request.type, MESSAGE_RELEASE);
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST);
	cr_assert_eq(client.state, CLIENT_INIT, "the next life is not RELEASED");
	cr_assert_eq(client.deadline_ns, CLIENT_NEVER);
}

Test(client_link, V4_28_release_outlives_a_crash_and_no_stop)
{
	was_released = true;
	start();
	cr_assert_eq(client.state, CLIENT_RELEASED);
	cr_assert_eq(client.deadline_ns, CLIENT_NEVER);
	step(CLIENT_STOP);
	cr_assert_eq(client.state, CLIENT_INIT);
	cr_assert_eq(client.deadline_ns, CLIENT_NEVER);
	start();
	step(CLIENT_RENEW);
	timeout();
	cr_assert_eq(actions.request.type, MESSAGE_DISCOVER);
}

/* The lease of a previous run can be released, too. */
Test(client_link, V4_28_release_of_a_restored_lease)
{
	to_rebooting();
	step(CLIENT_RELEASE);
	cr_assert_eq(actions.request.type, MESSAGE_RELEASE);
	cr_assert_eq(actions.request.ciaddr.s_addr, inet_addr("192.0.2.10"));
	cr_assert_eq(actions.destination.s_addr, inet_addr("192.0.2.1"));
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST);
}
