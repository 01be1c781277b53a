/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Years of leases in virtual time: state machine, messages and keys against a
 * server in memory that usually answers, but sometimes refuses, renumbers, is
 * away or sends wrong data. Memory use must not change: the linker puts a
 * counter before malloc() and the like (mk/tests.mk), which the calf must not
 * call.
 */
#include <criterion/criterion.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/dhcp4-support.h"
#include "tests/unit/support-allocations.h"
#include "userspace/calf/dhcp4/client/client.h"
#include "userspace/calf/dhcp4/lease_keys.h"

#define S 1000000000ull
#define WALL_S 1700000000
#ifdef __SANITIZE_ADDRESS__
#define LEASES 100000 /* ten times as slow */
#else
#define LEASES 1000000
#endif

static struct client client;
static struct lease_keys there, wanted;
static struct commit commit;
static uint64_t now_ns, random_state;
static uint32_t n_granted, n_lost, n_sent, n_changes;
static bool is_used;

static uint32_t draw(void)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(random_state >> 32);
}

static size_t heap_used(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* Counted page by page: statm is late by a batch for each CPU. */
static unsigned long resident_kb(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "re");
	unsigned long kb = 0;
	char line[128];

	cr_assert(file);
	while (kb == 0 && fgets(line, sizeof(line), file))
		(void)sscanf(line, "Rss: %lu", &kb);
	fclose(file);
	cr_assert_neq(kb, 0);
	return kb;
}

/* The content of the store results from the commits alone. */
static void publish(bool renewed)
{
	const struct client_lease *lease = client.has_lease && client.is_in_use ? &client.lease :
										  NULL;

	lease_project(lease, client.state, &support_policy, now_ns, WALL_S + (int64_t)(now_ns / S),
		      &wanted);
	lease_changes(&there, &wanted, renewed, &commit);
	n_changes += commit.n_changes;
	there = wanted;
}

static void step(enum client_event_type type, const struct message *message,
		 struct client_actions *actions)
{
	struct client_event event = { .type = type, .now_ns = now_ns, .message = message };

	for (size_t i = 0; i < CLIENT_RANDOM_N; i++)
		event.random[i] = draw();
	client_step(&client, &event, actions);
	if (actions->lease == CLIENT_LEASE_SET) {
		n_granted++;
		is_used = true;
	} else if (actions->lease == CLIENT_LEASE_LOST) {
		n_lost++;
		is_used = false;
	}
	if (actions->lease != CLIENT_LEASE_KEEP)
		publish(actions->lease == CLIENT_LEASE_SET);
	cr_assert(!is_used || client.lease.expires_ns > now_ns, "used beyond its time");
	cr_assert(client.deadline_ns > now_ns || type != CLIENT_TIMEOUT, "no progress");
}

/* The server's answer to a message of the calf, if any. */
static bool answer(const uint8_t *bytes, struct reply *reply, uint32_t lease_s)
{
	static const uint8_t routes[] = { 24, 192, 0, 2, 192, 0, 2, 1, 0, 192, 0, 2, 1 };
	uint8_t type = bytes[AT_OPTIONS + 2], reply_type = MESSAGE_ACK;
	uint32_t luck = draw() % 64;

	if (luck == 0 || (type != MESSAGE_DISCOVER && type != MESSAGE_REQUEST))
		return false;
	if (type == MESSAGE_DISCOVER)
		reply_type = MESSAGE_OFFER;
	else if (luck == 1)
		reply_type = MESSAGE_NAK;
	reply_begin(reply, reply_type, request_be32(bytes, AT_XID),
		    luck == 2 ? "192.0.2.11" : "192.0.2.10");
	reply_address(reply, OPTION_SERVER_ID, luck == 3 ? "192.0.2.2" : "192.0.2.1");
	reply_u32(reply, OPTION_LEASE_TIME, luck == 4 ? 1 : lease_s);
	reply_address(reply, OPTION_SUBNET_MASK, "255.255.255.0");
	reply_address(reply, OPTION_NAME_SERVER, luck == 5 ? "192.0.2.54" : "192.0.2.53");
	reply_option(reply, OPTION_DOMAIN_NAME, "example.com", 11);
	reply_option(reply, OPTION_CLASSLESS_ROUTE, routes, sizeof(routes));
	if (luck == 6)
		reply_option(reply, OPTION_SEARCH, "\x40", 1);
	reply_end(reply);
	return true;
}

static void say(const struct client_actions *said, uint32_t lease_s)
{
	static struct message message;
	static struct reply reply;
	uint8_t bytes[MESSAGE_SIZE_MAX];
	struct client_actions actions;
	struct bytes_reader reader;

	n_sent++;
	cr_assert(message_build(&client.config.sender, &said->request, bytes, sizeof(bytes)) > 0);
	if (!answer(bytes, &reply, lease_s))
		return;
	now_ns += S / 1000;
	bytes_reader_init(&reader, reply.bytes, reply.size);
	cr_assert_eq(message_parse(reader, &support_policy, &message), REASON_NONE);
	step(CLIENT_MESSAGE, &message, &actions);
	if (actions.send)
		say(&actions, lease_s);
}

static void run(uint32_t n_grants, uint64_t until_ns, uint32_t lease_s)
{
	uint32_t enough = n_granted + n_grants;

	while (n_granted < enough && now_ns < until_ns) {
		struct client_actions actions;

		cr_assert_neq(client.deadline_ns, CLIENT_NEVER, "it waits for nothing");
		now_ns = client.deadline_ns;
		step(CLIENT_TIMEOUT, NULL, &actions);
		if (actions.send)
			say(&actions, lease_s);
	}
}

static void start(void)
{
	struct client_config config = { .start_delay_ms = CLIENT_START_DELAY_MS,
					.first_retransmission_ms = CLIENT_FIRST_RETRANSMISSION_MS };
	struct client_actions actions;

	message_sender_init(&config.sender, support_mac, &support_policy);
	random_state = 7;
	now_ns = 1000 * S;
	client_init(&client, &config);
	step(CLIENT_START, NULL, &actions);
}

Test(endurance, C4_26_a_million_leases_and_renewals)
{
	uint64_t allocations;
	unsigned long resident;
	size_t heap;

	start();
	run(10000, CLIENT_NEVER, 3600);
	resident = resident_kb();
	heap = heap_used();
	allocations = n_allocations;
	run(LEASES, CLIENT_NEVER, 3600);
	cr_assert_eq(n_allocations, allocations, "something allocates");
	cr_assert_eq(heap_used(), heap);
	/* a byte for each lease would be a thousand */
	cr_assert_leq(resident_kb(), resident + 256, "from %lu to %lu kB", resident, resident_kb());
	cr_assert_geq(n_granted, LEASES);
	/* Each way was taken often: refused, renumbered, away. */
	cr_assert_geq(n_lost, LEASES / 100);
	cr_assert_geq(n_sent, LEASES + LEASES / 100);
	cr_assert_geq(now_ns / S, LEASES * 1600ull, "years of half-hours");
}

/* Half a year of one lease: it is renewed at every T1, asked for once. */
Test(endurance, months_of_one_lease)
{
	const uint64_t half_year_ns = 183ull * 86400 * S;

	start();
	run(UINT32_MAX, half_year_ns, 86400);
	cr_assert_geq(n_granted, 300);
	cr_assert_leq(n_granted, 800);
	cr_assert_geq(n_changes, n_granted);
}
