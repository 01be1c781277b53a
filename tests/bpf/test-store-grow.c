/* SPDX-License-Identifier: Apache-2.0 */
/* A store gets larger maps if a start needs more keys, with all that is in it. */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "maps/pins.h"
#include "tests/bpf/support-gate.h"
#include "tests/bpf/support-pins.h"
#include "tests/unit/capture.h"
#include "userspace/common/clock.h"
#include "userspace/priv/store/store-private.h"

#define FEW 64
#define MANY 200
#define N_KILLS 60

static const struct test_rule rules[] = { { "/", ALL_ACCESS, KV_CLASS_TEXT, 100 }, { NULL } };

static struct gate_test test;
static uint32_t dhcp4, observer;

static int put(uint32_t subject, int i)
{
	char path[KV_PATH_SIZE], text[16];

	(void)snprintf(path, sizeof(path), "/many/%d", i);
	(void)snprintf(text, sizeof(text), "value %d", i);
	return gate_write(test.fds[subject], path, text, (uint32_t)strlen(text), NULL);
}

static void add_gates(void)
{
	(void)gate_test_subject(&test, dhcp4, rules, FAST, FAST);
	(void)gate_test_subject(&test, observer, rules, FAST, FAST);
}

/* A full store of two calves, in which a key was deleted. */
static void begin(void)
{
	capture_begin();
	gate_test_begin(&test, FEW, 5);
	dhcp4 = gate_test_number(&test, "dhcp4");
	observer = gate_test_number(&test, "observer");
	add_gates();
	for (int i = 0; i < FEW; i++)
		cr_assert_eq(put(i % 2 ? observer : dhcp4, i), 0);
	cr_assert_eq(put(dhcp4, FEW), -ENOSPC);
	cr_assert_eq(gate_delete(test.fds[observer], "/many/7", NULL), 0);
	gate_test_drain(&test);
}

static void end(void)
{
	gate_test_end(&test);
}

TestSuite(store_grow, .init = begin, .fini = end);

static int start(uint32_t max_keys)
{
	return store_init(&test.store, &test.pins, max_keys, 5);
}

/* That each key is there, with its writer, and listed once. */
static void check_contents(const struct kv_ctl *before)
{
	struct kv_ctl after = gate_test_ctl(&test);
	struct kv_value value;
	uint32_t n_slots = 0;
	struct kv_slot slot;

	cr_assert(test.store.adopted);
	after.max_keys = before->max_keys;
	cr_expect_eq(memcmp(&after, before, sizeof(after)), 0,
		     "names, counters, quotas and revision");
	for (int i = 0; i < FEW; i++) {
		struct kv_key key = { 0 };
		uint32_t index;
		char text[16];

		(void)snprintf(key.path, sizeof(key.path), "/many/%d", i);
		(void)snprintf(text, sizeof(text), "value %d", i);
		cr_assert_eq(bpf_map_lookup_elem(test.store.kv_fd, &key, &value),
			     i == 7 ? -ENOENT : 0, "%s", key.path);
		if (i == 7)
			continue;
		cr_expect_str_eq(value.text, text);
		cr_expect_eq(value.subject, i % 2 ? observer : dhcp4);
		index = value.slot;
		cr_assert_eq(bpf_map_lookup_elem(test.store.slots_fd, &index, &slot), 0);
		cr_expect_str_eq(slot.path, key.path);
	}
	for (uint32_t i = 0; !bpf_map_lookup_elem(test.store.slots_fd, &i, &slot); i++)
		n_slots += slot.path[0] != '\0';
	cr_expect_eq(n_slots, FEW - 1);
}

static void check_no_rest(void)
{
	cr_expect(!is_pinned(&test.pins, "grown_kv") && !is_pinned(&test.pins, "grown_slots") &&
		  !is_pinned(&test.pins, "grown_ctl"));
	cr_expect(pins_is_frozen(test.store.kv_fd) && pins_is_frozen(test.store.slots_fd) &&
		  pins_is_frozen(test.store.ctl_fd));
}

Test(store_grow, more_keys)
{
	struct kv_ctl before = gate_test_ctl(&test);

	store_deinit(&test.store);
	cr_assert_eq(start(MANY), 0);
	cr_expect_str_eq(capture_text(), "store: made room for 200 keys\n");
	check_contents(&before);
	check_no_rest();
	cr_expect_eq(gate_test_ctl(&test).max_keys, MANY);
	add_gates();
	for (int i = FEW; i <= MANY; i++)
		cr_assert_eq(put(dhcp4, i), 0, "%d", i);
	cr_expect_eq(put(dhcp4, MANY + 1), -ENOSPC);
	gate_test_drain(&test);
	/* the pinned maps are the large ones, and stay: the calf is removed */
	store_deinit(&test.store);
	cr_assert_eq(start(FEW), 0);
	cr_expect(test.store.adopted);
	cr_expect_eq(gate_test_ctl(&test).n_keys, MANY);
	cr_expect_eq(gate_test_ctl(&test).max_keys, MANY);
	cr_expect_str_eq(capture_text(), "store: made room for 200 keys\n", "once");
}

/* Start in a process of its own, which is killed after this time. */
static void start_and_kill(uint32_t max_keys, uint64_t after_ns)
{
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (!pid) {
		(void)start(max_keys);
		for (;;)
			(void)pause();
	}
	(void)usleep((useconds_t)(after_ns / 1000));
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

/* The old store or the new one, wherever the start is killed. When it grows is found on the
 * way: each kill moves the next one away from what was seen. */
Test(store_grow, killed)
{
	struct kv_ctl before = gate_test_ctl(&test);
	uint32_t n_grown = 0, room = FEW;
	uint64_t middle_ns = NS_PER_S / 1000;

	store_deinit(&test.store);
	for (uint32_t i = 0; i < N_KILLS; i++) {
		uint32_t wanted = room + 1;

		/* half of it to nearly one and a half times */
		start_and_kill(wanted, middle_ns * (4 + i % 8) / 8);
		cr_assert_eq(start(room), 0, "%u", i);
		check_contents(&before);
		check_no_rest();
		room = gate_test_ctl(&test).max_keys;
		cr_expect(room == wanted || room == wanted - 1);
		n_grown += room == wanted;
		middle_ns = middle_ns * (room == wanted ? 7 : 9) / 8;
		store_deinit(&test.store);
	}
	cr_log_info("%u of %u grew before the kill", n_grown, N_KILLS);
	cr_expect(n_grown > 0 && n_grown < N_KILLS, "%u", n_grown);
	cr_assert_eq(start(FEW), 0);
}

/* Every point between two steps, as a kill leaves it. */
Test(store_grow, completed_or_undone)
{
	static const char *const pins[] = { PIN_KV, PIN_SLOTS, PIN_CTL };
	static const char *const grown[] = { "grown_kv", "grown_slots", "grown_ctl" };
	struct kv_ctl before = gate_test_ctl(&test);
	int fds[3], old_fds[3];

	for (size_t i = 0; i < 3; i++)
		old_fds[i] = pins_get(&test.pins, pins[i]);
	store_deinit(&test.store);
	cr_assert_eq(start(MANY), 0);
	store_deinit(&test.store);
	for (size_t i = 0; i < 3; i++)
		fds[i] = pins_get(&test.pins, pins[i]);
	/* n_pinned: 0, 1, 2: not complete; 3: complete, and n_renamed of them */
	for (size_t n_pinned = 0, n_renamed = 0; n_renamed <= 3;) {
		for (size_t i = 0; i < 3; i++) {
			cr_assert_eq(pins_put(&test.pins, "", pins[i],
					      i < n_renamed ? fds[i] : old_fds[i]),
				     0);
			pins_remove(&test.pins, grown[i]);
			if (i >= n_renamed && i < n_pinned)
				cr_assert_eq(pins_put(&test.pins, "", grown[i], fds[i]), 0);
		}
		cr_assert_eq(start(FEW), 0, "%zu pinned, %zu renamed", n_pinned, n_renamed);
		check_contents(&before);
		check_no_rest();
		cr_expect_eq(gate_test_ctl(&test).max_keys, n_pinned < 3 ? FEW : MANY);
		store_deinit(&test.store);
		if (n_pinned < 3)
			n_pinned++;
		else
			n_renamed++;
	}
	cr_assert_eq(start(FEW), 0);
}

/* A share of the ring of changes must be large enough for a commit. */
Test(store_grow, more_calves)
{
	store_deinit(&test.store);
	cr_assert_eq(store_init(&test.store, &test.pins, FEW, 16), 0);
	cr_expect(test.store.adopted);
	store_deinit(&test.store);
	cr_expect_eq(store_init(&test.store, &test.pins, FEW, 17), -EEXIST);
	cr_expect_not_null(strstr(capture_text(), "events: cannot adopt the store of the previous "
						  "run: too small for so many calves"));
	cr_assert_eq(store_init(&test.store, &test.pins, FEW, 5), 0);
}

/* The reason is said as it is, and the old maps stay. */
Test(store_grow, no_descriptor_left)
{
	struct kv_ctl before = gate_test_ctl(&test);
	struct store_sized maps;
	struct rlimit limit;
	int fd;

	store_deinit(&test.store);
	maps.kv_fd = pins_get(&test.pins, PIN_KV);
	maps.slots_fd = pins_get(&test.pins, PIN_SLOTS);
	maps.ctl_fd = pins_get(&test.pins, PIN_CTL);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	for (rlim_t n_free = 0; n_free < 3; n_free++) {
		struct rlimit low = limit;

		fd = dup(0);
		cr_assert_geq(fd, 0);
		(void)close(fd);
		low.rlim_cur = (rlim_t)fd + n_free;
		cr_assert_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
		capture_begin();
		cr_expect_eq(store_grow(&test.pins, &maps, MANY), -EMFILE);
		cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
		cr_expect_not_null(strstr(capture_text(), "cannot make room for 200 keys: Too many "
							  "open files\n"));
	}
	(void)close(maps.kv_fd);
	(void)close(maps.slots_fd);
	(void)close(maps.ctl_fd);
	cr_assert_eq(start(FEW), 0);
	check_contents(&before);
	check_no_rest();
}
