/* SPDX-License-Identifier: Apache-2.0 */
/* A calf keeps its number for the life of the store. */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "maps/pins.h"
#include "tests/bpf/support-gate.h"

#define N_NUMBERS (KV_SUBJECTS_MAX - KV_SUBJECT_CALF)

static struct gate_test test;

/* Every store in use has a key. */
static void begin(void)
{
	static const struct test_rule rules[] = { { "/", ALL_ACCESS, KV_CLASS_TEXT, 100 },
						  { NULL } };

	gate_test_begin(&test, 64, 5);
	(void)gate_test_subject(&test, KV_SUBJECT_SUPERVISOR, rules, FAST, FAST);
	cr_assert_eq(gate_write(test.fds[KV_SUBJECT_SUPERVISOR], "/mac", "x", 1, NULL), 0);
}

static void end(void)
{
	gate_test_end(&test);
}

TestSuite(store_names, .init = begin, .fini = end);

/* Stop as by kill -9, and start again. */
static void restart(void)
{
	store_deinit(&test.store);
	cr_assert_eq(store_init(&test.store, &test.pins, 64, 5), 0);
	cr_assert(test.store.adopted);
}

static uint32_t number_of(const char *name)
{
	return gate_test_number(&test, name);
}

static void name_at(uint32_t number, const char *expected)
{
	struct kv_ctl ctl = gate_test_ctl(&test);

	cr_expect_str_eq(ctl.names[number], expected, "%u", number);
}

Test(store_names, order_means_nothing)
{
	static const char *const names[] = { "dhcp4", "observer" };
	static const char *const swapped[] = { "observer", "dhcp4" };
	uint32_t numbers[2], refused;

	cr_assert_eq(store_number_calves(&test.store, names, 2, numbers, &refused), 0);
	cr_expect_eq(numbers[0], KV_SUBJECT_CALF);
	cr_expect_eq(numbers[1], KV_SUBJECT_CALF + 1);
	restart();
	cr_assert_eq(store_number_calves(&test.store, swapped, 2, numbers, &refused), 0);
	cr_expect_eq(numbers[0], KV_SUBJECT_CALF + 1);
	cr_expect_eq(numbers[1], KV_SUBJECT_CALF);
	name_at(KV_SUBJECT_SUPERVISOR, KV_NAME_SUPERVISOR);
	name_at(KV_SUBJECT_WATCHER, KV_NAME_WATCHER);
	name_at(KV_SUBJECT_OPERATOR, KV_NAME_OPERATOR);
	name_at(KV_SUBJECT_CALF, "dhcp4");
	name_at(KV_SUBJECT_CALF + 1, "observer");
	name_at(KV_SUBJECT_CALF + 2, "");
}

/* Removed and added: no number is used again, and none moves. */
Test(store_names, a_number_is_never_another_calfs)
{
	static const char *const names[] = { "dhcp4", "observer", "echo" };
	uint32_t numbers[3], refused;

	cr_assert_eq(store_number_calves(&test.store, names, 3, numbers, &refused), 0);
	restart();
	cr_expect_eq(number_of("echo"), KV_SUBJECT_CALF + 2, "dhcp4 and observer were removed");
	cr_expect_eq(number_of("ntp"), KV_SUBJECT_CALF + 3);
	restart();
	cr_expect_eq(number_of("observer"), KV_SUBJECT_CALF + 1, "it comes back");
	/* neither a beginning of a name nor a longer one is that name */
	cr_expect_eq(number_of("ech"), KV_SUBJECT_CALF + 4);
	cr_expect_eq(number_of("echo2"), KV_SUBJECT_CALF + 5);
	cr_expect_eq(number_of("a23456789012345"), KV_SUBJECT_CALF + 6, "as long as it can be");
	cr_expect_eq(number_of("a23456789012345"), KV_SUBJECT_CALF + 6);
	cr_expect_eq(number_of("a23456789012346"), KV_SUBJECT_CALF + 7);
}

/* Nothing is entered. */
Test(store_names, a_full_table_is_refused)
{
	static const char *const two[] = { "calf0", "new" };
	char name[KV_NAME_SIZE];
	const char *names[2] = { "new", "newer" };
	uint32_t numbers[2], refused;

	for (uint32_t i = 0; i < N_NUMBERS - 1; i++) {
		(void)snprintf(name, sizeof(name), "calf%u", i);
		cr_assert_eq(number_of(name), KV_SUBJECT_CALF + i);
	}
	cr_expect_eq(store_number_calves(&test.store, names, 2, numbers, &refused), -ENOSPC);
	cr_expect_eq(refused, 1);
	name_at(KV_SUBJECTS_MAX - 1, "");
	/* the last one is free */
	cr_assert_eq(store_number_calves(&test.store, two, 2, numbers, &refused), 0);
	cr_expect_eq(numbers[0], KV_SUBJECT_CALF);
	cr_expect_eq(numbers[1], KV_SUBJECTS_MAX - 1);
	restart();
	cr_assert_eq(store_number_calves(&test.store, two, 2, numbers, &refused), 0, "it goes on");
}

/* Bytes that were written into a subject's ring. */
static unsigned long produced(uint32_t subject)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned long *producer =
		mmap(NULL, page, PROT_READ, MAP_SHARED, test.store.ring_fds[subject], (off_t)page);
	unsigned long n;

	cr_assert(producer != MAP_FAILED);
	n = __atomic_load_n(producer, __ATOMIC_ACQUIRE);
	(void)munmap(producer, page);
	return n;
}

/* A gate of the last number works, though there are few subjects. */
Test(store_names, the_last_number_has_a_gate)
{
	static const struct test_rule rules[] = {
		{ "/", ALL_ACCESS | KV_ACCESS_WATCH, KV_CLASS_TEXT, 100 }, { NULL }
	};
	struct kv_value value;
	uint64_t revision;
	int fd = gate_test_subject(&test, KV_SUBJECTS_MAX - 1, rules, FAST, FAST);

	cr_assert_eq(store_seal(&test.store), 0);
	cr_assert_geq(test.store.ring_fds[KV_SUBJECTS_MAX - 1], 0);
	cr_assert_eq(gate_watch(fd, GATE_WATCH_BEGIN, &revision, NULL), 0);
	cr_assert_eq(gate_write(fd, "/a", "1", 1, NULL), 0);
	cr_assert_eq(gate_read(fd, "/a", &value), 0);
	cr_expect_eq(value.subject, KV_SUBJECTS_MAX - 1);
	cr_expect_gt(produced(KV_SUBJECTS_MAX - 1), 0, "the change is in its ring");
}

/* What root pinned in place of ctl, frozen, is not adopted with just any names. */
Test(store_names, wrong_names_are_not_adopted)
{
	static const struct {
		uint32_t number;
		char name[KV_NAME_SIZE];
		int expected;
	} rows[] = {
		{ KV_SUBJECT_CALF, "dhcp4", 0 },
		{ KV_SUBJECT_CALF, "../x", -EEXIST },
		{ KV_SUBJECT_CALF, "DHCP4", -EEXIST },
		{ KV_SUBJECT_CALF, "0123456789abcdef", -EEXIST }, /* no NUL */
		{ KV_SUBJECT_CALF, "a\0b", -EEXIST },
		{ KV_SUBJECT_CALF + 1, "gap", -EEXIST },
		{ KV_SUBJECT_WATCHER, "other", -EEXIST },
		{ KV_SUBJECT_WATCHER, "", -EEXIST },
	};
	const uint32_t zero = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct kv_ctl ctl = gate_test_ctl(&test);
		int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "ctl", 4, sizeof(ctl), 1, NULL);

		memcpy(ctl.names[rows[i].number], rows[i].name, KV_NAME_SIZE);
		cr_assert_geq(fd, 0);
		cr_assert_eq(bpf_map_update_elem(fd, &zero, &ctl, BPF_ANY), 0);
		cr_assert_eq(bpf_map_freeze(fd), 0);
		store_deinit(&test.store);
		cr_assert_eq(pins_put(&test.pins, "", PIN_CTL, fd), 0);
		(void)close(fd);
		cr_expect_eq(store_init(&test.store, &test.pins, 64, 5), rows[i].expected, "%zu",
			     i);
		/* a new store for the next row */
		store_deinit(&test.store);
		pins_remove(&test.pins, PIN_CTL);
		cr_assert_eq(store_init(&test.store, &test.pins, 64, 5), 0);
	}
}
