/* SPDX-License-Identifier: Apache-2.0 */
/* BOUND, RENEWING and REBINDING. */
#include "tests/unit/client-support.h"

Test(client_renewing, V4_15_renewal_is_unicast)
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

Test(client_renewing, V4_15_Q17_renewal_without_server_is_broadcast)
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
Test(client_renewing, V4_16_Q12_Q13_rebinding_is_broadcast)
{
	to_rebinding();
	assert_broadcast(inet_addr("192.0.2.10"));
	cr_assert_eq(actions.request.ciaddr.s_addr, inet_addr("192.0.2.10"));
	cr_assert_eq(actions.request.requested.s_addr, INADDR_ANY);
	cr_assert_not(actions.request.has_server);
	cr_assert_eq(now_ns, client.lease.t2_ns);
}

Test(client_renewing, V4_18_retransmissions_of_renewals)
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
		if (client.state == CLIENT_REBINDING &&
		    client.deadline_ns < client.lease.expires_ns)
			timeout(); /* in another form: U18 */
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

Test(client_renewing, V4_20_expiry)
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

static void assert_broadcast_renewal(void)
{
	assert_broadcast(INADDR_ANY);
	cr_assert_eq(actions.request.type, MESSAGE_REQUEST);
	cr_assert(actions.request.broadcast);
	cr_assert_eq(actions.request.requested.s_addr, inet_addr("192.0.2.10"));
	cr_assert_eq(actions.request.ciaddr.s_addr, INADDR_ANY);
	cr_assert_not(actions.request.has_server);
}

/* The host has lost its address: no unicast gets out, no answer to it comes in. */
Test(client_renewing, U18_requested_renewal_is_broadcast_if_unanswered)
{
	uint64_t sent_ns;
	uint32_t xid;

	to_bound();
	now_ns += 10 * S;
	step(CLIENT_RENEW);
	cr_assert_eq(actions.destination.s_addr, inet_addr("192.0.2.1"));
	xid = client.xid;
	sent_ns = now_ns;
	timeout();
	cr_assert(now_ns - sent_ns < 200 * MS);
	assert_broadcast_renewal();
	cr_assert_eq(actions.request.xid, xid, "either may be answered");
	cr_assert_eq(client.state, CLIENT_RENEWING);
	cr_assert(client.deadline_ns - now_ns >= 60 * S, "and then it waits");
	reply(MESSAGE_ACK);
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
	cr_assert_eq(actions.lease, CLIENT_LEASE_SET);
	cr_assert_eq(client.lease.start_ns, sent_ns);
	cr_assert_eq(client.deadline_ns, client.lease.t1_ns, "nothing is probed");
}

/* Also without an operator, and with a lease that leaves time for one try. */
Test(client_renewing, U18_rebinding_is_sent_in_both_forms)
{
	to_bound_for(120);
	while (client.state != CLIENT_REBINDING)
		timeout();
	assert_broadcast(inet_addr("192.0.2.10"));
	timeout();
	cr_assert_eq(client.state, CLIENT_REBINDING);
	assert_broadcast_renewal();
	reply(MESSAGE_ACK);
	message.lease_s = 120;
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
	cr_assert_eq(actions.lease, CLIENT_LEASE_SET);
	/* the next renewal is as always */
	timeout();
	cr_assert_eq(client.state, CLIENT_RENEWING);
	cr_assert_eq(actions.destination.s_addr, inet_addr("192.0.2.1"));
	cr_assert(client.deadline_ns - now_ns > 10 * S);
}

/* All servers see it, but only that of the lease may refuse it. */
Test(client_renewing, U18_broadcast_renewal_is_refused_by_its_server_only)
{
	to_bound();
	step(CLIENT_RENEW);
	timeout();
	reply(MESSAGE_NAK);
	message.server = address("192.0.2.2");
	receive();
	assert_discarded(REASON_SERVER);
	reply(MESSAGE_NAK);
	receive();
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST);
}

/* What the server said at first. */
static void to_bound_with_parameters(void)
{
	to_requesting();
	reply(MESSAGE_ACK);
	message.t1_s = 600;
	message.t2_s = 1200;
	message.parameters.prefix_length = 26;
	message.parameters.gateway = address("192.0.2.1");
	message.parameters.n_name_servers = 1;
	message.parameters.name_servers[0] = address("192.0.2.53");
	strcpy(message.parameters.domain, "example.org");
	message.parameters.mtu = 1400;
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
}

/* An ACK with option 53 alone. */
static void bare_ack(void)
{
	reply(MESSAGE_ACK);
	message.has_server = false;
	message.server.s_addr = INADDR_ANY;
	message.lease_s = 0;
	message.parameters.prefix_length = 0;
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
}

static void assert_lease_is_as_before(void)
{
	cr_assert_eq(actions.lease, CLIENT_LEASE_SET);
	cr_assert_eq(client.lease.prefix_length, 26);
	cr_assert_eq(client.lease.server.s_addr, inet_addr("192.0.2.1"));
	cr_assert_eq(client.lease.time_s, 3600);
	cr_assert_eq(client.lease.t1_s, 600);
	cr_assert_eq(client.lease.t2_s, 1200);
	cr_assert_eq(client.lease.parameters.gateway.s_addr, inet_addr("192.0.2.1"));
	cr_assert_eq(client.lease.parameters.n_name_servers, 1);
	cr_assert_str_eq(client.lease.parameters.domain, "example.org");
	cr_assert_eq(client.lease.parameters.mtu, 1400);
}

Test(client_renewing, U03_renewal_keeps_what_it_does_not_mention)
{
	to_bound_with_parameters();
	for (int i = 0; i < 3; i++) {
		timeout();
		cr_assert_eq(client.state, CLIENT_RENEWING);
		bare_ack();
		assert_lease_is_as_before();
	}
	/* what it does mention is new */
	timeout();
	reply(MESSAGE_ACK);
	message.lease_s = 7200;
	message.parameters.prefix_length = 24;
	message.parameters.mtu = 1300;
	receive();
	cr_assert_eq(client.lease.prefix_length, 24);
	cr_assert_eq(client.lease.parameters.mtu, 1300);
	cr_assert_eq(client.lease.t1_s, 3600, "T1 was that of another lease time");
	cr_assert_str_eq(client.lease.parameters.domain, "example.org");
}

Test(client_renewing, U03_rebinding_keeps_what_it_does_not_mention)
{
	to_bound_with_parameters();
	while (client.state != CLIENT_REBINDING)
		timeout();
	bare_ack();
	assert_lease_is_as_before();
}

Test(client_renewing, U03_init_reboot_keeps_what_it_does_not_mention)
{
	to_bound_with_parameters();
	step(CLIENT_LINK_DOWN);
	step(CLIENT_LINK_UP);
	timeout();
	cr_assert_eq(client.state, CLIENT_REBOOTING);
	bare_ack();
	assert_lease_is_as_before();
}

/* Another address, or another DISCOVER, is another lease. */
Test(client_renewing, U03_new_lease_keeps_nothing)
{
	to_bound_with_parameters();
	timeout();
	reply(MESSAGE_ACK);
	message.yiaddr = address("192.0.2.11");
	receive();
	cr_assert_eq(client.lease.parameters.gateway.s_addr, INADDR_ANY);
	cr_assert_str_eq(client.lease.parameters.domain, "");
	to_bound_with_parameters();
	timeout();
	reply(MESSAGE_NAK);
	receive();
	timeout();
	reply(MESSAGE_OFFER);
	receive();
	reply(MESSAGE_ACK);
	message.lease_s = 0;
	message.parameters.prefix_length = 0;
	receive();
	cr_assert_eq(client.lease.prefix_length, 24, "of the class");
	cr_assert_eq(client.lease.time_s, LEASE_TIME_FALLBACK_S);
	cr_assert_eq(client.lease.parameters.n_name_servers, 0);
}

/* A suspend: the timer comes late, and the clock says how late. */
/* The lease's own mask counts if the ACK has none, otherwise the new one. */
Test(client_renewing, U52_renewals_with_another_mask)
{
	static const struct {
		const char *leased;
		uint8_t before, now;
		bool is_renewed;
	} rows[] = {
		{ "192.0.2.127", 24, 0, true },	  { "192.0.2.127", 24, 24, true },
		{ "192.0.2.127", 24, 25, false }, { "192.0.2.127", 24, 31, true },
		{ "192.0.2.255", 23, 0, true },	  { "192.0.2.255", 23, 24, false },
		{ "192.0.2.255", 32, 0, true },	  { "192.0.2.10", 24, 30, true },
		{ "192.0.2.12", 24, 30, false },
	};

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		to_selecting();
		for (uint8_t type = MESSAGE_OFFER; type <= MESSAGE_ACK;
		     type = (uint8_t)(type + MESSAGE_ACK - MESSAGE_OFFER)) {
			reply(type);
			message.yiaddr = address(rows[i / 2].leased);
			message.parameters.prefix_length = rows[i / 2].before;
			receive();
		}
		cr_assert_eq(client.state, CLIENT_BOUND, "row %zu", i / 2);
		timeout();
		while (i % 2 && client.state == CLIENT_RENEWING)
			timeout();
		reply(MESSAGE_ACK);
		message.yiaddr = address(rows[i / 2].leased);
		message.parameters.prefix_length = rows[i / 2].now;
		receive();
		cr_assert_eq(actions.discarded == REASON_SUBNET, !rows[i / 2].is_renewed, "row %zu",
			     i / 2);
		cr_assert_eq(client.state == CLIENT_BOUND, rows[i / 2].is_renewed);
		cr_assert(client.has_lease && client.is_in_use, "the lease is held until its end");
	}
}

static void set_routers(const char *router, const char *spare)
{
	message.parameters.gateway = address(router);
	message.parameters.spare_routers[0] = address(spare);
	message.parameters.n_spare_routers = message.parameters.spare_routers[0].s_addr != 0;
}

/* The mask may be that of the lease, or a new one; then the lease's routers count
 * anew. */
Test(client_renewing, U27_router_and_mask_of_a_renewal)
{
	static const struct {
		uint8_t prefix_length; /* 0: not mentioned; the lease has 24 */
		const char *router, *spare, *gateway;
		unsigned int n_flaws;
	} rows[] = {
		{ 0, "192.0.2.255", "192.0.2.7", "192.0.2.7", 1 },
		{ 0, "192.0.2.10", "192.0.2.7", "192.0.2.7", 1 },
		{ 0, "192.0.2.255", "0.0.0.0", "192.0.2.127", 1 }, /* counts as missing */
		{ 0, "0.0.0.0", "0.0.0.0", "192.0.2.127", 0 },
		{ 23, "192.0.2.255", "0.0.0.0", "192.0.2.255", 0 },
		{ 25, "0.0.0.0", "0.0.0.0", "192.0.2.1", 1 }, /* the lease's spare one */
		{ 25, "192.0.2.0", "0.0.0.0", "192.0.2.1", 2 },
		{ 31, "0.0.0.0", "0.0.0.0", "192.0.2.127", 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		to_requesting();
		reply(MESSAGE_ACK);
		set_routers("192.0.2.127", "192.0.2.1");
		receive();
		cr_assert_eq(client.lease.parameters.gateway.s_addr, inet_addr("192.0.2.127"));
		timeout();
		reply(MESSAGE_ACK);
		message.parameters.prefix_length = rows[i].prefix_length;
		set_routers(rows[i].router, rows[i].spare);
		receive();
		cr_assert_eq(client.state, CLIENT_BOUND);
		cr_assert_eq(client.lease.parameters.gateway.s_addr, inet_addr(rows[i].gateway),
			     "row %zu", i);
		cr_assert_eq(client.lease.parameters.flaws.of[FLAW_ROUTER].n, rows[i].n_flaws,
			     "row %zu", i);
	}
}

Test(client_renewing, V4_20_expiry_seen_late)
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

Test(client_renewing, V4_21_V4_22_lease_after_expiry)
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

Test(client_renewing, V4_19_renewal_counts_from_its_request)
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

Test(client_renewing, renewal_answered_for_an_earlier_request)
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

Test(client_renewing, Q17_renewal_answered_without_server)
{
	to_renewing();
	reply(MESSAGE_ACK);
	message.has_server = false;
	message.server.s_addr = INADDR_ANY;
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
	cr_assert_eq(client.lease.server.s_addr, inet_addr("192.0.2.1"));
}

Test(client_renewing, rebinding_is_answered_by_another_server)
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

Test(client_renewing, V4_34_infinite_lease)
{
	to_bound_for(CLIENT_INFINITE);
	cr_assert_eq(client.deadline_ns, CLIENT_NEVER);
	now_ns += 1000000000 * S;
	step(CLIENT_TIMEOUT);
	cr_assert_eq(client.state, CLIENT_BOUND);
	cr_assert_not(actions.send);
}

/* Months of renewals: nothing drifts, nothing leaks from one to the next. */
Test(client_renewing, months_of_renewals)
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
