/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state machine in virtual time: one client, its clock, the last message
 * to it and the last actions of it.
 *
 *	to_bound();
 *	timeout();
 *	cr_assert_eq(client.state, CLIENT_RENEWING);
 *
 * Conflict detection is off unless a test asks for it: then deadlines are the
 * state's.
 */
#ifndef CALFPEN_TESTS_CLIENT_SUPPORT_H
#define CALFPEN_TESTS_CLIENT_SUPPORT_H

#include <criterion/criterion.h>

#include "tests/unit/dhcp4-support.h"
#include "userspace/calf/dhcp4/client/client.h"

#define MS 1000000ull
#define S 1000000000ull
#define T0 (5000 * S)

/* A test uses what it needs. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"

static struct client client;
static struct client_actions actions;
static struct message message;
static struct arp_frame arp;
static const uint8_t *from_mac; /* of the frame with the message; NULL: not known */
static bool is_hosts_arp;
static struct client_saved saved;
static bool has_saved, was_released;
static uint64_t now_ns;
static uint64_t random_state = 1;

static void step(enum client_event_type type)
{
	struct client_event event = { .type = type,
				      .now_ns = now_ns,
				      .message = &message,
				      .from_mac = from_mac,
				      .arp = &arp,
				      .is_hosts_arp = is_hosts_arp,
				      .saved = has_saved ? &saved : NULL,
				      .is_released = was_released };

	for (size_t i = 0; i < CLIENT_RANDOM_N; i++) {
		random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
		event.random[i] = (uint32_t)(random_state >> 32);
	}
	client_step(&client, &event, &actions);
}

static struct client_config config(void)
{
	struct client_config config = {
		.start_delay_ms = CLIENT_START_DELAY_MS,
		.first_retransmission_ms = CLIENT_FIRST_RETRANSMISSION_MS,
		.conflict = CLIENT_CONFLICT_OFF,
	};

	config.sender = support_sender();
	return config;
}

static void start_with(const struct client_config *config_p)
{
	now_ns = T0;
	client_init(&client, config_p);
	step(CLIENT_START);
}

/* What start() and all that follows begins with; NULL: config(). */
static const struct client_config *configured;

static void start(void)
{
	struct client_config defaults = config();

	start_with(configured ? configured : &defaults);
}

/* Nothing else has happened until then. */
static void wait_until(uint64_t until_ns)
{
	while (client.deadline_ns <= until_ns) {
		now_ns = client.deadline_ns > now_ns ? client.deadline_ns : now_ns;
		step(CLIENT_TIMEOUT);
	}
	now_ns = until_ns;
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

/* A lease of a previous run: an hour of 192.0.2.10 by 192.0.2.1. */
static void to_rebooting(void)
{
	has_saved = true;
	saved = (struct client_saved){ .address = address("192.0.2.10"),
				       .server = address("192.0.2.1"),
				       .left_s = 3600,
				       .is_configured = true };
	start();
	cr_assert_eq(client.state, CLIENT_INIT_REBOOT);
	timeout();
	cr_assert_eq(client.state, CLIENT_REBOOTING);
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

/* An ARP packet of another host, 02:00:00:00:77:63. */
static void arp_of(const char *sender, const char *target)
{
	static const uint8_t other[6] = { 2, 0, 0, 0, 0x77, 0x63 };

	arp = (struct arp_frame){ .arp = { .operation = ARP_REQUEST,
					   .sender = address(sender),
					   .target = address(target) } };
	memcpy(arp.source_mac, other, 6);
	memcpy(arp.arp.sender_mac, other, 6);
}

#pragma GCC diagnostic pop

#endif
