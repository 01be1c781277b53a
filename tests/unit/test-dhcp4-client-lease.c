/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dhcp4-support.h"
#include "userspace/calf/dhcp4/client/client.h"

#define S 1000000000ull
#define T0 (100 * S)

static struct client_lease lease;
static struct client_config config;

static void grant(uint32_t lease_s, uint32_t t1_s, uint32_t t2_s, uint32_t random)
{
	struct message ack = { .type = MESSAGE_ACK, .lease_s = lease_s, .t1_s = t1_s, .t2_s = t2_s };
	uint32_t randoms[2] = { random, random };

	ack.yiaddr = address("192.0.2.10");
	client_lease_init(&lease, &config, &ack, NULL, T0, randoms);
}

/* Half of the random range: no shift. */
#define MIDDLE 0x80000000u

Test(client_lease, V4_17_defaults)
{
	grant(3600, 0, 0, MIDDLE);
	cr_assert_eq(lease.t1_s, 1800);
	cr_assert_eq(lease.t2_s, 3150);
	cr_assert_eq(lease.expires_ns, T0 + 3600 * S);
	cr_assert(lease.t1_ns >= T0 + 1799 * S && lease.t1_ns <= T0 + 1801 * S);
	cr_assert(lease.t2_ns >= T0 + 3149 * S && lease.t2_ns <= T0 + 3151 * S);
}

Test(client_lease, V4_17_as_given)
{
	grant(3600, 600, 1200, MIDDLE);
	cr_assert_eq(lease.t1_s, 600);
	cr_assert_eq(lease.t2_s, 1200);
}

Test(client_lease, V4_17_randomised_a_little)
{
	uint64_t width = 3600 * S / 64, lowest = UINT64_MAX, highest = 0;

	for (uint32_t i = 0; i < 1000; i++) {
		grant(3600, 0, 0, i * 4294967u);
		if (lease.t1_ns < lowest)
			lowest = lease.t1_ns;
		if (lease.t1_ns > highest)
			highest = lease.t1_ns;
	}
	cr_assert(lowest >= T0 + 1800 * S - width && lowest < T0 + 1800 * S - width * 9 / 10);
	cr_assert(highest <= T0 + 1800 * S + width && highest > T0 + 1800 * S + width * 9 / 10);
}

Test(client_lease, Q27_impossible_times)
{
	static const struct {
		uint32_t t1, t2;
	} rows[] = {
		{ 0, 3000 },	      { 1800, 0 },
		{ 3000, 1800 },	      { 1800, 1800 },
		{ 1800, 3600 },	      { 1800, 5000 },
		{ 3600, 3599 },	      { UINT32_MAX, 0 },
		{ 0, UINT32_MAX },    { UINT32_MAX, UINT32_MAX },
		{ 1800, UINT32_MAX },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		grant(3600, rows[i].t1, rows[i].t2, MIDDLE);
		cr_assert_eq(lease.t1_s, 1800, "row %zu", i);
		cr_assert_eq(lease.t2_s, 3150, "row %zu", i);
	}
}

/* Whatever a server says, the order of the times holds. */
Test(client_lease, order_of_times)
{
	uint64_t state = 3;

	for (int i = 0; i < 1000000; i++) {
		uint32_t whole, t1, t2;

		state = state * 6364136223846793005ull + 1442695040888963407ull;
		whole = (uint32_t)(state >> 32) >> (state >> 8 & 31);
		t1 = (uint32_t)(state >> 16) >> (state >> 3 & 31);
		t2 = (uint32_t)(state >> 20) >> (state >> 13 & 31);
		grant(whole, t1, t2, (uint32_t)(state >> 11));
		if (lease.time_s == CLIENT_INFINITE)
			continue;
		cr_assert(T0 < lease.t1_ns, "%u %u %u", whole, t1, t2);
		cr_assert(lease.t1_ns < lease.t2_ns, "%u %u %u", whole, t1, t2);
		cr_assert(lease.t2_ns < lease.expires_ns, "%u %u %u", whole, t1, t2);
		cr_assert_eq(lease.expires_ns, T0 + lease.time_s * S);
	}
}

Test(client_lease, Q25_no_lease_time)
{
	grant(0, 0, 0, MIDDLE);
	cr_assert_eq(lease.time_s, LEASE_TIME_FALLBACK_S);
	cr_assert_eq(lease.t1_s, LEASE_TIME_FALLBACK_S / 2);
}

Test(client_lease, Q26_floor)
{
	grant(1, 0, 0, MIDDLE);
	cr_assert_eq(lease.time_s, 30);
	grant(29, 10, 20, MIDDLE);
	cr_assert_eq(lease.time_s, 30);
	cr_assert_eq(lease.t1_s, 10);
	grant(60, 0, 0, MIDDLE);
	cr_assert_eq(lease.time_s, 60);
	cr_assert_eq(lease.t1_s, 30);
}

Test(client_lease, V4_34_infinite)
{
	grant(UINT32_MAX, 100, 200, MIDDLE);
	cr_assert_eq(lease.time_s, CLIENT_INFINITE);
	cr_assert_eq(lease.t1_ns, CLIENT_NEVER);
	cr_assert_eq(lease.t2_ns, CLIENT_NEVER);
	cr_assert_eq(lease.expires_ns, CLIENT_NEVER);
	grant(UINT32_MAX - 1, 0, 0, MIDDLE);
	cr_assert_eq(lease.expires_ns, T0 + (UINT32_MAX - 1) * S);
}

Test(client_lease, Q28_classful_default)
{
	struct message ack = { .type = MESSAGE_ACK };
	static const uint32_t randoms[2] = { 0 };

	ack.yiaddr = address("10.1.2.3");
	client_lease_init(&lease, &config, &ack, NULL, T0, randoms);
	cr_assert_eq(lease.prefix_length, 8);
	ack.yiaddr = address("172.16.2.3");
	client_lease_init(&lease, &config, &ack, NULL, T0, randoms);
	cr_assert_eq(lease.prefix_length, 16);
	ack.parameters.prefix_length = 27;
	client_lease_init(&lease, &config, &ack, NULL, T0, randoms);
	cr_assert_eq(lease.prefix_length, 27);
}
