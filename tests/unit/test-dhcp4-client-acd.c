/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 5227 in virtual time. */
#include <criterion/criterion.h>

#include "tests/unit/dhcp4-support.h"
#include "userspace/calf/dhcp4/client/acd.h"

#define MS 1000000ull
#define S 1000000000ull
#define T0 (5000 * S)

static struct conflict conflict;
static struct conflict_actions actions;
static struct arp_frame frame;
static struct conflict_config config;
static uint64_t now_ns;
static uint64_t random_state = 1;

static const uint8_t ours[6] = { 2, 0, 0, 0, 0x77, 2 };
static const uint8_t others[6] = { 2, 0, 0, 0, 0x77, 0x63 };
static const uint8_t none[6];

static uint32_t random_bits(void)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(random_state >> 32);
}

static void start(void)
{
	now_ns = T0;
	memcpy(config.mac, ours, 6);
	conflict_start(&conflict, &config, address("192.0.2.10"), now_ns, random_bits());
}

static void timeout(void)
{
	cr_assert_neq(conflict.deadline_ns, CONFLICT_NEVER);
	now_ns = conflict.deadline_ns;
	conflict_timeout(&conflict, now_ns, random_bits(), &actions);
}

static void receive(void)
{
	conflict_receive(&conflict, &frame, now_ns, &actions);
}

/* Another host's packet. */
static void packet(enum arp_operation operation, const char *sender, const char *target)
{
	frame = (struct arp_frame){ .arp = { .operation = operation,
					     .sender = address(sender),
					     .target = address(target) } };
	memcpy(frame.source_mac, others, 6);
	memcpy(frame.arp.sender_mac, others, 6);
}

static void to_announcing(void)
{
	start();
	while (conflict.phase == CONFLICT_PROBING)
		timeout();
	cr_assert_eq(conflict.phase, CONFLICT_ANNOUNCING);
}

static void to_defending(void)
{
	to_announcing();
	timeout();
	cr_assert_eq(conflict.phase, CONFLICT_DEFENDING);
}

static void assert_arp(const char *sender)
{
	cr_assert(actions.send);
	cr_assert_eq(actions.frame.arp.operation, ARP_REQUEST);
	cr_assert_eq(actions.frame.arp.sender.s_addr, inet_addr(sender));
	cr_assert_eq(actions.frame.arp.target.s_addr, inet_addr("192.0.2.10"));
	cr_assert_eq(memcmp(actions.frame.source_mac, ours, 6), 0);
	cr_assert_eq(memcmp(actions.frame.arp.sender_mac, ours, 6), 0);
	cr_assert_eq(memcmp(actions.frame.arp.target_mac, none, 6), 0);
	cr_assert_eq(memcmp(actions.frame.destination_mac, "\xff\xff\xff\xff\xff\xff", 6), 0);
}

static void assert_nothing(void)
{
	cr_assert_not(actions.send);
	cr_assert_eq(actions.result, CONFLICT_NOTHING);
}

Test(conflict, V4_56_probes_and_announcements)
{
	for (int round = 0; round < 1000; round++) {
		uint64_t at_ns;

		start();
		cr_assert(conflict.deadline_ns - now_ns < 1 * S);
		for (int i = 0; i < 3; i++) {
			timeout();
			assert_arp("0.0.0.0");
			cr_assert_eq(actions.result, CONFLICT_NOTHING);
			at_ns = conflict.deadline_ns - now_ns;
			if (i < 2)
				cr_assert(at_ns >= 1 * S && at_ns < 2 * S);
			else
				cr_assert_eq(at_ns, 2 * S);
		}
		timeout();
		cr_assert_eq(actions.result, CONFLICT_FREE);
		assert_arp("192.0.2.10");
		cr_assert_eq(conflict.deadline_ns - now_ns, 2 * S);
		timeout();
		assert_arp("192.0.2.10");
		cr_assert_eq(actions.result, CONFLICT_NOTHING);
		cr_assert_eq(conflict.deadline_ns, CONFLICT_NEVER);
	}
}

Test(conflict, V4_56_times_are_random)
{
	uint64_t lowest = UINT64_MAX, highest = 0;

	for (int i = 0; i < 1000; i++) {
		start();
		if (conflict.deadline_ns - now_ns < lowest)
			lowest = conflict.deadline_ns - now_ns;
		if (conflict.deadline_ns - now_ns > highest)
			highest = conflict.deadline_ns - now_ns;
	}
	cr_assert(lowest < 20 * MS && highest > 980 * MS);
}

Test(conflict, timeout_before_the_deadline_does_nothing)
{
	start();
	conflict_timeout(&conflict, conflict.deadline_ns - 1, 0, &actions);
	assert_nothing();
	conflict_stop(&conflict);
	conflict_timeout(&conflict, UINT64_MAX - 1, 0, &actions);
	assert_nothing();
	/* at the end of time, too */
	conflict_timeout(&conflict, UINT64_MAX, 0, &actions);
	assert_nothing();
}

Test(conflict, V4_57_other_host_has_the_address)
{
	static const struct {
		enum arp_operation operation;
		const char *sender, *target;
	} rows[] = {
		{ ARP_REPLY, "192.0.2.10", "0.0.0.0" },	     /* to our probe */
		{ ARP_REPLY, "192.0.2.10", "192.0.2.99" },   /* to another */
		{ ARP_REQUEST, "192.0.2.10", "192.0.2.1" },  /* asks for one */
		{ ARP_REQUEST, "192.0.2.10", "192.0.2.10" }, /* announces it */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int watching = 0; watching < 2; watching++) {
			config.watch_probes = watching;
			start();
			timeout();
			packet(rows[i].operation, rows[i].sender, rows[i].target);
			receive();
			cr_assert_eq(actions.result, CONFLICT_LOST, "row %zu", i);
			cr_assert_not(actions.send);
			cr_assert_eq(conflict.phase, CONFLICT_IDLE);
			cr_assert_eq(conflict.deadline_ns, CONFLICT_NEVER);
		}
	}
}

/* Two hosts probe for one address: neither may have it. */
Test(conflict, V4_57_other_host_probes_for_the_address)
{
	config.watch_probes = true;
	start();
	packet(ARP_REQUEST, "0.0.0.0", "192.0.2.10");
	receive();
	cr_assert_eq(actions.result, CONFLICT_LOST);
	/* later it is ours, and the host answers */
	to_defending();
	receive();
	assert_nothing();
	/* and so it does while it uses what we probe */
	config.watch_probes = false;
	start();
	receive();
	assert_nothing();
}

Test(conflict, V4_57_packets_that_are_no_conflict)
{
	static const struct {
		enum arp_operation operation;
		const char *sender, *target;
	} rows[] = {
		{ ARP_REQUEST, "192.0.2.1", "192.0.2.10" }, /* asks us */
		{ ARP_REPLY, "192.0.2.1", "192.0.2.10" },
		{ ARP_REQUEST, "192.0.2.11", "192.0.2.11" },
		{ ARP_REQUEST, "0.0.0.0", "192.0.2.11" },
		{ ARP_REQUEST, "0.0.0.0", "0.0.0.0" },
		{ ARP_REPLY, "0.0.0.0", "192.0.2.10" },
	};

	config.watch_probes = true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		start();
		packet(rows[i].operation, rows[i].sender, rows[i].target);
		receive();
		assert_nothing();
		to_defending();
		receive();
		assert_nothing();
	}
}

/* Our own, brought back by a bridge. */
Test(conflict, V4_57_our_own_packets)
{
	config.watch_probes = true;
	for (int inside = 0; inside < 2; inside++) {
		start();
		packet(ARP_REQUEST, "0.0.0.0", "192.0.2.10");
		memcpy(inside ? frame.arp.sender_mac : frame.source_mac, ours, 6);
		receive();
		assert_nothing();
		to_defending();
		packet(ARP_REQUEST, "192.0.2.10", "192.0.2.10");
		memcpy(inside ? frame.arp.sender_mac : frame.source_mac, ours, 6);
		receive();
		assert_nothing();
	}
}

/* A Cisco switch probes for hosts, in another host's name or in none. */
Test(conflict, Q50_probes_of_switches)
{
	config.watch_probes = true;
	start();
	packet(ARP_REQUEST, "0.0.0.0", "192.0.2.10");
	frame.source_mac[5] ^= 1;
	receive();
	assert_nothing();
	packet(ARP_REQUEST, "0.0.0.0", "192.0.2.10");
	memcpy(frame.arp.sender_mac, none, 6);
	memcpy(frame.source_mac, none, 6);
	receive();
	assert_nothing();
	packet(ARP_REQUEST, "192.0.2.10", "192.0.2.10");
	memcpy(frame.arp.sender_mac, none, 6);
	receive();
	assert_nothing();
	/* but a host that claims the address has it, whoever forwards the
	 * claim */
	packet(ARP_REPLY, "192.0.2.10", "192.0.2.10");
	frame.source_mac[5] ^= 1;
	receive();
	cr_assert_eq(actions.result, CONFLICT_LOST);
}

Test(conflict, V4_59_defended_once_in_ten_seconds)
{
	to_defending();
	packet(ARP_REQUEST, "192.0.2.10", "192.0.2.1");
	for (int i = 0; i < 100; i++) {
		receive();
		cr_assert_eq(actions.result, CONFLICT_DEFENDED);
		assert_arp("192.0.2.10");
		now_ns += 10 * S;
	}
	now_ns -= 10 * S;
	now_ns += 10 * S - 1;
	receive();
	cr_assert_eq(actions.result, CONFLICT_LOST);
	cr_assert_not(actions.send);
	cr_assert_eq(conflict.phase, CONFLICT_IDLE);
	receive();
	assert_nothing();
}

Test(conflict, V4_59_defended_while_it_is_announced)
{
	to_announcing();
	packet(ARP_REPLY, "192.0.2.10", "192.0.2.10");
	receive();
	cr_assert_eq(actions.result, CONFLICT_DEFENDED);
	assert_arp("192.0.2.10");
	timeout();
	cr_assert_eq(conflict.phase, CONFLICT_DEFENDING);
	now_ns += S;
	receive();
	cr_assert_eq(actions.result, CONFLICT_LOST);
}

Test(conflict, V4_59_defended_for_ever)
{
	uint32_t n = 0;

	config.defend_always = true;
	to_defending();
	packet(ARP_REQUEST, "192.0.2.10", "192.0.2.1");
	for (int i = 0; i < 1000; i++) {
		receive();
		cr_assert_eq(actions.result, CONFLICT_DEFENDED);
		n += actions.send;
		now_ns += 100 * MS;
	}
	cr_assert_eq(n, 10, "one announcement per 10 s");
	/* an address that was never ours is not defended */
	start();
	receive();
	cr_assert_eq(actions.result, CONFLICT_LOST);
}

/* Whatever comes: bounded sending, and nothing once it is given up (C4-19:
 * the packet that ends the probing it arrives in). */
Test(conflict, C4_19_random_packets)
{
	static const char *const addresses[] = { "0.0.0.0", "192.0.2.10", "192.0.2.1",
						 "255.255.255.255" };
	uint32_t n_sent = 0;

	for (int round = 0; round < 200000; round++) {
		uint32_t bits = random_bits();

		if (conflict.phase == CONFLICT_IDLE || bits % 64 == 0) {
			config.watch_probes = bits >> 8 & 1;
			config.defend_always = bits >> 9 & 1;
			conflict_start(&conflict, &config, address("192.0.2.10"), now_ns, bits);
		}
		if (bits % 4 == 0 && conflict.deadline_ns != CONFLICT_NEVER) {
			timeout();
			cr_assert(conflict.deadline_ns > now_ns);
		} else {
			packet(bits >> 10 & 1 ? ARP_REQUEST : ARP_REPLY, addresses[bits >> 11 & 3],
			       addresses[bits >> 13 & 3]);
			if (bits >> 15 & 1)
				memcpy(frame.arp.sender_mac, bits >> 16 & 1 ? ours : none, 6);
			if (bits >> 17 & 1)
				memcpy(frame.source_mac, bits >> 18 & 1 ? ours : none, 6);
			receive();
			now_ns += (bits >> 19) * 1000ull;
		}
		n_sent += actions.send;
		if (actions.result == CONFLICT_LOST)
			cr_assert_eq(conflict.phase, CONFLICT_IDLE);
		if (actions.send)
			cr_assert(actions.frame.arp.sender.s_addr == INADDR_ANY ||
				  conflict.phase >= CONFLICT_ANNOUNCING);
	}
	cr_assert(n_sent > 0);
}
