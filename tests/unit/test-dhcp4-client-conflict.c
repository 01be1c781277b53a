/* SPDX-License-Identifier: Apache-2.0 */
/* Conflict detection around the lease: from the ACK to DECLINE. */
#include <stdio.h>

#include "tests/unit/client-support.h"

static struct client_config detecting;

static void begin_with(enum client_conflict mode)
{
	detecting = config();
	detecting.conflict = mode;
	configured = &detecting;
}

/* Until the address has been probed and announced. */
static void to_defending(void)
{
	to_bound();
	while (client.conflict.phase != CONFLICT_DEFENDING)
		timeout();
	cr_assert(client.is_in_use);
}

static void conflict_comes(void)
{
	arp_of("192.0.2.10", "192.0.2.1");
	step(CLIENT_ARP);
}

static void assert_declined(void)
{
	cr_assert_eq(actions.conflict, CONFLICT_LOST);
	assert_broadcast(INADDR_ANY);
	cr_assert_eq(actions.request.type, MESSAGE_DECLINE);
	cr_assert_eq(actions.request.requested.s_addr, inet_addr("192.0.2.10"));
	cr_assert(actions.request.has_server);
	cr_assert_eq(actions.request.server.s_addr, inet_addr("192.0.2.1"));
	cr_assert_eq(actions.request.ciaddr.s_addr, INADDR_ANY, "Q16");
	cr_assert_eq(actions.request.secs, 1);
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST);
	cr_assert_eq(client.state, CLIENT_INIT);
	cr_assert_not(client.has_lease);
}

/* Microsoft's servers take a DECLINE only after the REQUEST. */
Test(client_conflict, V4_26_Q15_probed_after_the_ack_and_not_before)
{
	begin_with(CLIENT_CONFLICT_PARALLEL);
	to_requesting();
	cr_assert_eq(client.conflict.phase, CONFLICT_IDLE);
	conflict_comes();
	cr_assert_eq(actions.discarded, REASON_ARP);
	reply(MESSAGE_ACK);
	receive();
	cr_assert_eq(client.conflict.phase, CONFLICT_PROBING);
	cr_assert(client.deadline_ns < now_ns + S);
}

Test(client_conflict, V4_26_parallel_uses_the_address_at_once)
{
	uint32_t n_probes = 0, n_announcements = 0;

	begin_with(CLIENT_CONFLICT_PARALLEL);
	to_bound();
	cr_assert_eq(actions.lease, CLIENT_LEASE_SET);
	while (client.state == CLIENT_BOUND) {
		timeout();
		if (!actions.send_arp)
			continue;
		n_probes += actions.arp.arp.sender.s_addr == INADDR_ANY;
		n_announcements += actions.arp.arp.sender.s_addr != INADDR_ANY;
		cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
	}
	cr_assert_eq(n_probes, 3);
	cr_assert_eq(n_announcements, 2);
	cr_assert_eq(client.state, CLIENT_RENEWING);
	cr_assert_eq(now_ns, client.lease.t1_ns);
}

Test(client_conflict, V4_26_V4_29_wait_uses_the_address_when_it_is_probed)
{
	begin_with(CLIENT_CONFLICT_WAIT);
	to_bound();
	cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
	cr_assert_not(client.is_in_use);
	for (int i = 0; i < 3; i++) {
		timeout();
		cr_assert(actions.send_arp);
		cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
	}
	timeout();
	cr_assert(actions.send_arp);
	cr_assert_eq(actions.arp.arp.sender.s_addr, inet_addr("192.0.2.10"));
	cr_assert_eq(actions.conflict, CONFLICT_FREE);
	cr_assert_eq(actions.lease, CLIENT_LEASE_SET);
	cr_assert(client.is_in_use);
	cr_assert(now_ns - T0 >= 4 * S && now_ns - T0 <= 8 * S);
	timeout();
	cr_assert(actions.send_arp);
	timeout();
	cr_assert_eq(client.state, CLIENT_RENEWING);
	cr_assert_eq(now_ns, client.lease.t1_ns);
}

Test(client_conflict, off_is_off)
{
	begin_with(CLIENT_CONFLICT_OFF);
	to_bound();
	cr_assert_eq(actions.lease, CLIENT_LEASE_SET);
	cr_assert_eq(client.deadline_ns, client.lease.t1_ns);
	conflict_comes();
	cr_assert_eq(actions.discarded, REASON_ARP);
	cr_assert(client.is_in_use);
}

Test(client_conflict, V4_26_V4_27_Q16_decline_while_probing)
{
	for (int mode = CLIENT_CONFLICT_PARALLEL; mode <= CLIENT_CONFLICT_WAIT; mode++) {
		begin_with((enum client_conflict)mode);
		to_bound();
		timeout();
		conflict_comes();
		assert_declined();
		cr_assert(client.deadline_ns - now_ns >= 10 * S);
		cr_assert(client.deadline_ns - now_ns <= 20 * S);
		timeout();
		cr_assert_eq(actions.request.type, MESSAGE_DISCOVER);
		cr_assert_eq(actions.request.requested.s_addr, INADDR_ANY);
		/* who else probed for it lost it, too */
		arp_of("0.0.0.0", "192.0.2.10");
		to_bound();
		step(CLIENT_ARP);
		if (mode == CLIENT_CONFLICT_WAIT)
			assert_declined();
		else
			cr_assert_eq(actions.discarded, REASON_ARP);
	}
}

/* A conflict found later means the same. */
Test(client_conflict, V4_26_V4_59_decline_after_the_second_conflict)
{
	begin_with(CLIENT_CONFLICT_PARALLEL);
	to_defending();
	conflict_comes();
	cr_assert_eq(actions.conflict, CONFLICT_DEFENDED);
	cr_assert(actions.send_arp);
	cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
	now_ns += 9 * S;
	conflict_comes();
	assert_declined();
}

Test(client_conflict, V4_59_also_while_it_is_renewed)
{
	begin_with(CLIENT_CONFLICT_PARALLEL);
	to_defending();
	timeout();
	cr_assert_eq(client.state, CLIENT_RENEWING);
	conflict_comes();
	conflict_comes();
	assert_declined();
	/* an answer that comes now is too late */
	reply(MESSAGE_ACK);
	receive();
	assert_discarded(REASON_STATE);
}

Test(client_conflict, V4_59_defended_for_ever)
{
	begin_with(CLIENT_CONFLICT_PARALLEL);
	detecting.defend_always = true;
	to_defending();
	for (int i = 0; i < 100; i++) {
		conflict_comes();
		cr_assert_eq(actions.conflict, CONFLICT_DEFENDED);
		now_ns += S;
	}
	cr_assert(client.is_in_use);
}

/* The address is in static use elsewhere, for ever. */
Test(client_conflict, V4_58_Q51_waits_grow)
{
	uint64_t most = 20 * S;

	begin_with(CLIENT_CONFLICT_PARALLEL);
	start();
	for (int i = 0; i < 100; i++) {
		uint64_t wait_ns;

		while (client.state != CLIENT_SELECTING)
			timeout();
		/* a declined address is accepted again if no server offers
		 * another */
		reply(MESSAGE_OFFER);
		receive();
		if (i > 0) {
			assert_discarded(REASON_CONFLICT);
			timeout();
			reply(MESSAGE_OFFER);
			receive();
		}
		cr_assert_eq(client.state, CLIENT_REQUESTING);
		reply(MESSAGE_ACK);
		receive();
		conflict_comes();
		assert_declined();
		wait_ns = client.deadline_ns - now_ns;
		cr_assert(wait_ns >= most / 2 && wait_ns <= most, "conflict %d", i);
		if (i >= 10)
			cr_assert(wait_ns >= 60 * S, "V4-58");
		most = 2 * most < 300 * S ? 2 * most : 300 * S;
	}
}

/* Another server, or another address, is taken at once. */
Test(client_conflict, Q51_offer_of_another_address)
{
	begin_with(CLIENT_CONFLICT_PARALLEL);
	to_bound();
	conflict_comes();
	timeout();
	cr_assert_eq(client.state, CLIENT_SELECTING);
	reply(MESSAGE_OFFER);
	receive();
	assert_discarded(REASON_CONFLICT);
	reply(MESSAGE_OFFER);
	message.yiaddr = address("192.0.2.11");
	message.server = address("192.0.2.2");
	receive();
	cr_assert_eq(client.state, CLIENT_REQUESTING);
}

/* An address that was kept for long, or another network, ends the count. */
Test(client_conflict, V4_58_count_of_conflicts_ends)
{
	begin_with(CLIENT_CONFLICT_PARALLEL);
	to_bound();
	client.n_conflicts = 7;
	while (client.state == CLIENT_BOUND)
		timeout();
	reply(MESSAGE_ACK);
	receive();
	cr_assert_eq(client.n_conflicts, 0);
	client.n_conflicts = 7;
	step(CLIENT_LINK_DOWN);
	step(CLIENT_LINK_UP);
	cr_assert_eq(client.n_conflicts, 0);
}

/* Probing is no reason to probe again; another address is. */
Test(client_conflict, V4_29_renewal_does_not_probe_again)
{
	begin_with(CLIENT_CONFLICT_WAIT);
	to_defending();
	timeout();
	reply(MESSAGE_ACK);
	receive();
	cr_assert_eq(actions.lease, CLIENT_LEASE_SET);
	cr_assert_eq(client.conflict.phase, CONFLICT_DEFENDING);
	cr_assert_eq(client.deadline_ns, client.lease.t1_ns);
}

Test(client_conflict, V4_21_another_address_is_probed)
{
	begin_with(CLIENT_CONFLICT_WAIT);
	to_defending();
	timeout();
	reply(MESSAGE_ACK);
	message.yiaddr = address("192.0.2.99");
	receive();
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST, "the old address is no longer ours");
	cr_assert_not(client.is_in_use);
	cr_assert_eq(client.conflict.phase, CONFLICT_PROBING);
	while (actions.lease != CLIENT_LEASE_SET)
		timeout();
	cr_assert_eq(client.lease.address.s_addr, inet_addr("192.0.2.99"));
}

/* What the host has already is not taken away to be probed. */
Test(client_conflict, wait_is_not_for_an_address_that_is_there)
{
	begin_with(CLIENT_CONFLICT_WAIT);
	to_rebooting();
	reply(MESSAGE_ACK);
	receive();
	cr_assert_eq(actions.lease, CLIENT_LEASE_SET);
	cr_assert_eq(client.conflict.phase, CONFLICT_PROBING);
	/* the host would answer them */
	arp_of("0.0.0.0", "192.0.2.10");
	step(CLIENT_ARP);
	cr_assert_eq(actions.discarded, REASON_ARP);
}

/* After a reboot of the host it is not there. */
Test(client_conflict, wait_after_a_reboot)
{
	begin_with(CLIENT_CONFLICT_WAIT);
	has_saved = true;
	saved = (struct client_saved){ .address = address("192.0.2.10"),
				       .server = address("192.0.2.1"),
				       .left_s = 3600 };
	start();
	timeout();
	cr_assert_eq(client.state, CLIENT_REBOOTING);
	reply(MESSAGE_ACK);
	receive();
	cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
	cr_assert_not(client.is_in_use);
}

/* As Q20: also while the address is probed no NAK is taken. */
Test(client_conflict, Q20_nak_while_probing)
{
	begin_with(CLIENT_CONFLICT_WAIT);
	to_bound();
	timeout();
	reply(MESSAGE_NAK);
	receive();
	assert_discarded(REASON_STATE);
	cr_assert_eq(client.state, CLIENT_BOUND);
}

/* T1 within the probing: what is not used yet is not renewed yet. */
Test(client_conflict, short_t1_while_waiting)
{
	begin_with(CLIENT_CONFLICT_WAIT);
	to_requesting();
	reply(MESSAGE_ACK);
	message.lease_s = 30;
	message.t1_s = 1;
	message.t2_s = 2;
	receive();
	while (!client.is_in_use) {
		timeout();
		cr_assert_not(actions.send);
	}
	step(CLIENT_TIMEOUT);
	cr_assert_eq(client.state, CLIENT_REBINDING);
	cr_assert(actions.send);
}

/* An operator who asks for what is being probed gets it when it is. */
Test(client_conflict, renew_and_release_while_waiting)
{
	begin_with(CLIENT_CONFLICT_WAIT);
	to_bound();
	step(CLIENT_RENEW);
	cr_assert_not(actions.send);
	cr_assert_eq(client.state, CLIENT_BOUND);
	step(CLIENT_RELEASE);
	cr_assert_not(actions.send, "from an address that is not in use");
	cr_assert_eq(client.state, CLIENT_RELEASED);
	cr_assert_eq(client.conflict.phase, CONFLICT_IDLE);
}

Test(client_conflict, link_down_ends_probing)
{
	begin_with(CLIENT_CONFLICT_PARALLEL);
	to_bound();
	step(CLIENT_LINK_DOWN);
	cr_assert_eq(client.conflict.phase, CONFLICT_IDLE);
	cr_assert_eq(client.deadline_ns, client.lease.expires_ns);
	conflict_comes();
	cr_assert_eq(actions.discarded, REASON_ARP);
}

Test(client_conflict, V4_20_expiry_ends_the_defence)
{
	begin_with(CLIENT_CONFLICT_PARALLEL);
	to_defending();
	now_ns = client.lease.expires_ns;
	conflict_comes();
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST);
	cr_assert_not(actions.send);
	cr_assert_eq(actions.discarded, REASON_ARP);
}

static const uint8_t server_mac[6] = { 2, 0, 0, 0, 0x77, 1 };
static const uint8_t router_mac[6] = { 2, 0, 0, 0, 0x77, 0xfe };

static void claim_of(const uint8_t mac[6])
{
	struct in_addr address = client.lease.address;

	arp = (struct arp_frame){
		.arp = { .operation = ARP_REPLY, .sender = address, .target = address }
	};
	memcpy(arp.source_mac, mac, 6);
	memcpy(arp.arp.sender_mac, mac, 6);
	step(CLIENT_ARP);
}

/* From INIT to a lease of this address, also if it was in conflict before. */
static void lease_of(const char *address_text)
{
	while (client.state != CLIENT_SELECTING)
		timeout();
	reply(MESSAGE_OFFER);
	message.yiaddr = address(address_text);
	receive();
	if (actions.discarded == REASON_CONFLICT) {
		timeout();
		reply(MESSAGE_OFFER);
		message.yiaddr = address(address_text);
		receive();
	}
	cr_assert_eq(client.state, CLIENT_REQUESTING);
	reply(MESSAGE_ACK);
	message.yiaddr = address(address_text);
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
}

/* Other addresses: a text of its own for each number. */
static const char *nth_address(unsigned int i)
{
	static char text[16];

	snprintf(text, sizeof(text), "192.0.2.%u", 100 + i);
	return text;
}

static void assert_ignored(enum reason reason)
{
	assert_discarded(reason);
	cr_assert_eq(actions.conflict, CONFLICT_NOTHING);
	cr_assert_not(actions.send_arp);
	cr_assert(client.has_lease);
}

Test(client_conflict, U04_claims_of_the_hosts_interfaces)
{
	for (int mode = CLIENT_CONFLICT_PARALLEL; mode <= CLIENT_CONFLICT_WAIT; mode++) {
		begin_with((enum client_conflict)mode);
		to_bound();
		is_hosts_arp = true;
		while (client.conflict.phase != CONFLICT_DEFENDING) {
			conflict_comes();
			assert_ignored(REASON_ARP_HOST);
			/* it probes the address for another client of the host */
			arp_of("0.0.0.0", "192.0.2.10");
			step(CLIENT_ARP);
			cr_assert_neq(actions.conflict, CONFLICT_LOST);
			timeout();
		}
		cr_assert(client.is_in_use);
		conflict_comes();
		assert_ignored(REASON_ARP_HOST);
		is_hosts_arp = false;
		conflict_comes();
		cr_assert_eq(actions.conflict, CONFLICT_DEFENDED, "another host is one");
	}
}

/* A router that answers for every address is the server, or relays for it. */
Test(client_conflict, U05_proxy_arp_of_the_server)
{
	from_mac = server_mac;
	for (int mode = CLIENT_CONFLICT_PARALLEL; mode <= CLIENT_CONFLICT_WAIT; mode++) {
		begin_with((enum client_conflict)mode);
		to_bound();
		while (client.conflict.phase != CONFLICT_DEFENDING) {
			claim_of(server_mac);
			assert_ignored(REASON_ARP_PROXY);
			timeout();
		}
		claim_of(server_mac);
		assert_ignored(REASON_ARP_PROXY);
		cr_assert(client.is_in_use);
	}
}

/* As soon as the renewal comes through the router, it is known to be one. */
Test(client_conflict, U05_router_before_the_server)
{
	begin_with(CLIENT_CONFLICT_PARALLEL);
	from_mac = server_mac;
	to_defending();
	timeout();
	from_mac = router_mac;
	reply(MESSAGE_ACK);
	receive();
	claim_of(router_mac);
	assert_ignored(REASON_ARP_PROXY);
}

/* The server or the router leases its own address. */
Test(client_conflict, U05_own_address_of_the_server)
{
	begin_with(CLIENT_CONFLICT_PARALLEL);
	from_mac = server_mac;
	start();
	lease_of("192.0.2.1");
	claim_of(server_mac);
	cr_assert_eq(actions.conflict, CONFLICT_LOST);
	while (client.state != CLIENT_SELECTING)
		timeout();
	reply(MESSAGE_OFFER);
	receive();
	reply(MESSAGE_ACK);
	message.parameters.gateway = message.yiaddr;
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
	claim_of(server_mac);
	cr_assert_eq(actions.conflict, CONFLICT_LOST);
}

/* The router is not the server: two addresses are given up, the third is kept. */
Test(client_conflict, U05_proxy_arp_of_another_router)
{
	begin_with(CLIENT_CONFLICT_PARALLEL);
	from_mac = server_mac;
	start();
	for (unsigned int i = 0; i < CLIENT_PROXY_ADDRESSES - 1; i++) {
		lease_of(nth_address(i));
		claim_of(router_mac);
		cr_assert_eq(actions.conflict, CONFLICT_LOST);
		cr_assert_eq(actions.request.type, MESSAGE_DECLINE);
	}
	cr_assert_lt(client.deadline_ns - T0, 120 * S);
	lease_of(nth_address(8));
	while (client.state == CLIENT_BOUND) {
		claim_of(router_mac);
		assert_ignored(REASON_ARP_PROXY);
		timeout();
	}
	/* another network has another router */
	step(CLIENT_LINK_DOWN);
	step(CLIENT_LINK_UP);
	lease_of(nth_address(9));
	claim_of(router_mac);
	cr_assert_eq(actions.conflict, CONFLICT_LOST);
}

/* Two static addresses in the server's range make no router. */
Test(client_conflict, U05_host_with_two_addresses)
{
	begin_with(CLIENT_CONFLICT_PARALLEL);
	start();
	for (unsigned int i = 0; i < 6; i++) {
		lease_of(nth_address(i % 2));
		claim_of(router_mac);
		cr_assert_eq(actions.conflict, CONFLICT_LOST, "%u", i);
	}
}

/* Whoever claims every address, each time with another MAC, does not make us use
 * up the server's range: eight at once, then one an hour. */
Test(client_conflict, U05_declines_are_bounded)
{
	uint8_t mac[6] = { 2 };
	unsigned int n_declines = 0, n = 0;

	begin_with(CLIENT_CONFLICT_PARALLEL);
	start();
	while (now_ns < T0 + 24 * 3600 * S) {
		lease_of(nth_address(n_declines));
		mac[5] = (uint8_t)n++;
		claim_of(mac);
		cr_assert_eq(actions.conflict, CONFLICT_LOST);
		cr_assert_eq(client.state, CLIENT_INIT);
		n_declines += actions.send;
		if (now_ns < T0 + 3600 * S)
			cr_assert_leq(n_declines, CLIENT_DECLINES_MAX + 1);
	}
	cr_assert_gt(n, 200);
	cr_assert_geq(n_declines, CLIENT_DECLINES_MAX + 23);
	cr_assert_leq(n_declines, CLIENT_DECLINES_MAX + 24);
}

/* The server insists on an address that a host has: said at the third time. */
Test(client_conflict, U05_server_insists)
{
	begin_with(CLIENT_CONFLICT_PARALLEL);
	start();
	for (unsigned int i = 1; i < 50; i++) {
		lease_of("192.0.2.10");
		conflict_comes();
		assert_declined();
		cr_assert_eq(actions.is_insisted, i == CLIENT_INSISTED_CLAIMS, "%u", i);
	}
}
