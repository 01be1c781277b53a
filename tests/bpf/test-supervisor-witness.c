/* SPDX-License-Identifier: Apache-2.0 */
/* Which lease of a previous run counts as witnessed. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "maps/frame.h"
#include "maps/pins.h"
#include "tests/bpf/support-gate.h"
#include "userspace/priv/supervisor/supervisor-private.h"

static const struct test_rule keys[] = { { "/ip", ALL_ACCESS, KV_CLASS_TEXT, 18 },
					 { "/gateway", ALL_ACCESS, KV_CLASS_TEXT, 15 },
					 { "/lease/time", ALL_ACCESS, KV_CLASS_TEXT, 10 },
					 { NULL } };

static struct gate_test test;
static struct supervisor s;

/* The store of a previous run, with a lease. */
static void setup(void)
{
	int fd;

	gate_test_begin(&test, 64, 1);
	fd = gate_test_subject(&test, KV_SUBJECT_SUPERVISOR, keys, FAST, FAST);
	cr_assert_eq(store_seal(&test.store), 0);
	cr_assert_eq(gate_write(fd, "/ip", "192.0.2.5/24", 12, NULL), 0);
	cr_assert_eq(gate_write(fd, "/gateway", "192.0.2.1", 9, NULL), 0);
	cr_assert_eq(gate_write(fd, "/lease/time", "600", 3, NULL), 0);
	s.witness_fd = -1;
	s.pins = test.pins;
	s.store = test.store;
	s.store.adopted = true;
}

static void teardown(void)
{
	if (s.witness_fd >= 0)
		close(s.witness_fd);
	gate_test_end(&test);
}

TestSuite(supervisor_witness, .init = setup, .fini = teardown);

static struct frame_witness witness(void)
{
	struct frame_witness seen;

	cr_assert_eq(supervisor_open_witness(&s), 0);
	cr_assert_eq(bpf_map_lookup_elem(s.witness_fd, &(uint32_t){ 0 }, &seen), 0);
	return seen;
}

static bool is_empty(const struct frame_witness *seen)
{
	static const struct frame_witness empty;

	return !memcmp(seen, &empty, sizeof(empty));
}

/* As a previous run may have left it; of another version: with records of another size. */
static void pin(bool is_of_another_version)
{
	uint32_t size = sizeof(struct frame_witness) / (is_of_another_version ? 2 : 1);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, PIN_FRAME_WITNESS, sizeof(uint32_t), size, 1,
				NULL);

	cr_assert_geq(fd, 0);
	cr_assert_eq(bpf_map_freeze(fd), 0);
	cr_assert_eq(pins_put(&s.pins, "", PIN_FRAME_WITNESS, fd), 0);
	close(fd);
}

Test(supervisor_witness, F6_lease_of_a_version_without_one)
{
	struct frame_witness seen = witness();

	cr_expect_eq(seen.slot[0].address, inet_addr("192.0.2.5"));
	cr_expect_eq(seen.slot[0].mask, inet_addr("255.255.255.0"));
	cr_expect_eq(seen.slot[0].routers[0], inet_addr("192.0.2.1"));
	cr_expect_eq(seen.slot[0].time_s, 600);
}

Test(supervisor_witness, nothing_in_a_new_store)
{
	struct frame_witness seen;

	s.store.adopted = false;
	seen = witness();
	cr_expect(is_empty(&seen));
}

Test(supervisor_witness, F6_nothing_beside_the_pinned_one)
{
	struct frame_witness seen;

	pin(false);
	seen = witness();
	cr_expect(is_empty(&seen));
}

/* Whatever the store says may have been refused. */
Test(supervisor_witness, F6_nothing_if_the_pinned_one_does_not_fit)
{
	struct frame_witness seen;

	pin(true);
	seen = witness();
	cr_expect(is_empty(&seen), "%x", seen.slot[0].address);
}
