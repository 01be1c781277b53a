/* SPDX-License-Identifier: Apache-2.0 */
/* The store's maps: frozen against root, adopted over a restart. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maps/pins.h"
#include "tests/bpf/support-frames.h"

static const struct test_rule rules[] = { { "/", ALL_ACCESS, KV_CLASS_TEXT, 100 }, { NULL } };

/* Update and delete by system call, as bpftool does: what does root get? */
static void try_to_write(const char *name, int fd, int expected)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	static char key[4096], value[65536];

	if (bpf_obj_get_info_by_fd(fd, &info, &size) || !info.key_size)
		return; /* a program, a link or a ring */
	cr_expect_eq(bpf_map_update_elem(fd, key, value, BPF_ANY), expected, "update of %s", name);
	if (info.type == BPF_MAP_TYPE_HASH)
		cr_expect_eq(bpf_map_delete_elem(fd, key), expected, "delete in %s", name);
}

Test(store, root_cannot_write)
{
	struct frames_test test = { 0 };
	struct dirent *entry;
	DIR *directory;
	int n_maps = 0;

	frames_test_begin(&test, 1000, 1000);
	gate_test_subject(&test.gate, 0, rules, FAST, FAST);
	cr_assert_eq(store_seal(&test.gate.store), 0);
	directory = opendir(test.gate.pins.directory);
	cr_assert_not_null(directory);
	while ((entry = readdir(directory))) {
		int fd;

		if (entry->d_name[0] == '.' || !strncmp(entry->d_name, "link_", 5) ||
		    !strcmp(entry->d_name, PIN_FILTER_TAP) ||
		    !strncmp(entry->d_name, PIN_GATE_PREFIX, 5))
			continue;
		fd = pins_get(&test.gate.pins, entry->d_name);
		cr_assert_geq(fd, 0, "%s", entry->d_name);
		n_maps++;
		if (strcmp(entry->d_name, PIN_FRAME_SLOT))
			try_to_write(entry->d_name, fd, -EPERM);
		close(fd);
	}
	closedir(directory);
	/* kv ctl slots undo undo_values events denials watches watch_rights rings acl
	 * staging, and the thirteen of the frames */
	cr_expect_eq(n_maps, 25, "%d", n_maps);
	frames_test_end(&test);
}

/* By id, as root can: also what is not pinned (.rodata) is frozen. */
Test(store, every_map_of_a_gate_is_frozen)
{
	struct gate_test test;
	struct bpf_prog_info info = { 0 };
	uint32_t ids[16], size = sizeof(info);

	gate_test_begin(&test, 64, 1);
	gate_test_subject(&test, 0, rules, FAST, FAST);
	cr_assert_eq(store_seal(&test.store), 0);
	info.nr_map_ids = 16;
	info.map_ids = (uintptr_t)ids;
	cr_assert_eq(bpf_obj_get_info_by_fd(test.fds[0], &info, &size), 0);
	cr_expect_geq(info.nr_map_ids, 13);
	for (uint32_t i = 0; i < info.nr_map_ids; i++) {
		int fd = bpf_map_get_fd_by_id(ids[i]);
		char name[16];

		snprintf(name, sizeof(name), "id %u", ids[i]);
		cr_assert_geq(fd, 0);
		try_to_write(name, fd, -EPERM);
		close(fd);
	}
	gate_test_end(&test);
}

/* The budget of the cold start: design says 10,000 at most. */
Test(store, gate_is_small)
{
	struct gate_test test;
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	gate_test_begin(&test, 64, 1);
	gate_test_subject(&test, 0, rules, FAST, FAST);
	cr_assert_eq(bpf_obj_get_info_by_fd(test.fds[0], &info, &size), 0);
	cr_expect_gt(info.verified_insns, 0);
	cr_expect_leq(info.verified_insns, 10000, "%u", info.verified_insns);
	gate_test_end(&test);
}

Test(store, directory_is_private)
{
	struct gate_test test;
	struct stat status;

	gate_test_begin(&test, 64, 1);
	cr_assert_eq(stat(test.pins.directory, &status), 0);
	cr_expect_eq(status.st_mode & 07777, 0700);
	cr_assert_eq(stat(PINS_ROOT, &status), 0);
	cr_expect_eq(status.st_mode & 07777, 0700);
	gate_test_end(&test);
}

/* Loaded by several threads, each gate is its own subject's. */
Test(store, subjects_at_once)
{
	static const struct store_rule rule = {
		.key.path = "/",
		.rule = { KV_ACCESS_READ | KV_ACCESS_WRITE, KV_CLASS_TEXT, 100 },
	};
	static const char *const names[] = { "one", "two", "three", "four", "five" };
	struct store_subject subjects[5];
	struct gate_test test;
	struct kv_value value;

	gate_test_begin(&test, 64, 6);
	for (uint32_t i = 0; i < 5; i++)
		subjects[i] = (struct store_subject){ .number = i + 1,
						      .name = names[i],
						      .rules = &rule,
						      .n_rules = 1,
						      .requests_per_second = FAST,
						      .request_burst = FAST,
						      .audit_bytes_per_second = NO_LIMIT,
						      .audit_burst = NO_LIMIT,
						      .max_keys = 64,
						      .max_bytes = 65536 };
	cr_assert_eq(store_add_subjects(&test.store, subjects, 5), 0);
	for (uint32_t i = 0; i < 5; i++) {
		int fd = test.store.gate_fds[i + 1];

		cr_assert_geq(fd, 0);
		cr_assert_eq(gate_write(fd, "/who", names[i], strlen(names[i]), NULL), 0);
		cr_assert_eq(gate_read(test.store.gate_fds[5 - i], "/who", &value), 0);
		cr_expect_eq(value.subject, i + 1);
		cr_expect_str_eq(value.text, names[i]);
	}
	cr_expect_lt(test.store.gate_fds[0], 0, "nobody added it");
	cr_expect_eq(store_add_subjects(&test.store, &subjects[2], 1), -EINVAL, "twice");
	subjects[0].number = KV_SUBJECTS_MAX;
	cr_expect_eq(store_add_subjects(&test.store, subjects, 1), -EINVAL, "no such number");
	subjects[0].number = 0;
	cr_assert_eq(store_seal(&test.store), 0);
	cr_expect_eq(store_add_subjects(&test.store, subjects, 1), -EINVAL, "sealed");
	cr_expect_eq(gate_read(test.store.gate_fds[1], "/who", &value), 0, "still works");
	gate_test_end(&test);
}

static int open_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int n = 0;

	cr_assert_not_null(directory);
	while (readdir(directory))
		n++;
	closedir(directory);
	return n;
}

/* A start that fails while the gates are loaded. */
Test(store, subjects_that_are_not_finished)
{
	static const struct store_rule rule = {
		.key.path = "/",
		.rule = { KV_ACCESS_READ | KV_ACCESS_WATCH, KV_CLASS_TEXT, 100 },
	};
	const struct store_subject subjects[] = {
		{ .number = 1, .name = "one", .rules = &rule, .n_rules = 1 },
		{ .number = 2, .name = "two", .rules = &rule, .n_rules = 1 },
	};
	struct gate_test test;
	int before;

	gate_test_begin(&test, 64, 2);
	before = open_descriptors();
	cr_expect_eq(store_finish_subjects(&test.store), -EINVAL, "nothing was begun");
	cr_assert_eq(store_begin_subjects(&test.store, subjects, 2), 0);
	cr_expect_eq(store_begin_subjects(&test.store, subjects, 2), -EINVAL, "it is loading");
	store_end_loading(&test.store);
	cr_expect_eq(open_descriptors(), before + 2, "no gate, but two rings");
	cr_expect_eq(store_finish_subjects(&test.store), -EINVAL, "it was ended");
	gate_test_end(&test);
}

Test(store, adopted_over_a_restart)
{
	struct gate_test test;
	struct kv_value value;
	uint64_t revision;

	gate_test_begin(&test, 64, 1);
	gate_test_subject(&test, 0, rules, FAST, FAST);
	cr_assert_eq(gate_write(test.fds[0], "/ip", "10.0.0.1/24", 11, NULL), 0);
	store_deinit(&test.store);

	cr_assert_eq(store_init(&test.store, &test.pins, 64, 1), 0);
	cr_expect(test.store.adopted);
	gate_test_subject(&test, 0, rules, FAST, FAST);
	cr_assert_eq(gate_read(test.fds[0], "/ip", &value), 0);
	cr_expect_str_eq(value.text, "10.0.0.1/24");
	cr_assert_eq(gate_write(test.fds[0], "/ip", "10.0.0.2/24", 11, &revision), 0);
	cr_expect_eq(revision, 2, "goes on");
	gate_test_end(&test);
}

/* Something else under a name of ours is a suspect, not a map to write to. */
Test(store, foreign_pin_is_refused)
{
	struct gate_test test;
	int fd;

	gate_test_begin(&test, 64, 1);
	store_deinit(&test.store);
	fd = bpf_map_create(BPF_MAP_TYPE_HASH, "kv", 64, 8, 1000, NULL);
	cr_assert_geq(fd, 0);
	cr_assert_eq(pins_put(&test.pins, "", PIN_KV, fd), 0);
	close(fd);
	cr_expect_eq(store_init(&test.store, &test.pins, 64, 1), -EEXIST);
	pins_deinit(&test.pins);
}

Test(store, foreign_layout_is_refused)
{
	struct gate_test test;
	struct kv_ctl ctl = { .layout_version = KV_LAYOUT_VERSION + 1, .max_keys = 64 };
	uint32_t zero = 0;
	int fd;

	gate_test_begin(&test, 64, 1);
	store_deinit(&test.store);
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "ctl", 4, sizeof(ctl), 1, NULL);
	cr_assert_geq(fd, 0);
	cr_assert_eq(bpf_map_update_elem(fd, &zero, &ctl, BPF_ANY), 0);
	cr_assert_eq(pins_put(&test.pins, "", PIN_CTL, fd), 0);
	close(fd);
	cr_expect_eq(store_init(&test.store, &test.pins, 64, 1), -EEXIST);
	pins_deinit(&test.pins);
}

/* As the store makes it, but for one thing. */
static int make_map(enum bpf_map_type type, uint32_t key_size, uint32_t value_size,
		    uint32_t n_entries, uint32_t flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = flags);
	int fd = bpf_map_create(type, "other", key_size, value_size, n_entries, &options);

	cr_assert_geq(fd, 0);
	return fd;
}

#define KV_ENTRIES (64 + KV_KEYS_SLACK)

/* Pins that another program put there, in place of one of the store's: not frozen, so that
 * root could write behind the gates, or of a size that loses records. */
Test(store, other_maps_are_not_adopted)
{
	enum { ARRAY = BPF_MAP_TYPE_ARRAY, HASH = BPF_MAP_TYPE_HASH, RING = BPF_MAP_TYPE_RINGBUF };
	static const struct {
		const char *pin;
		int type;
		uint32_t key_size, value_size, n_entries, flags;
		bool freeze;
		int expected;
	} table[] = {
		{ PIN_KV, HASH, 64, sizeof(struct kv_value), KV_ENTRIES, 0, true, 0 },
		{ PIN_KV, HASH, 64, sizeof(struct kv_value), KV_ENTRIES, 0, false, -EEXIST },
		{ PIN_KV, HASH, 64, sizeof(struct kv_value), KV_ENTRIES, BPF_F_NO_PREALLOC, true,
		  -EEXIST },
		{ PIN_KV, HASH, 64, sizeof(struct kv_value), KV_ENTRIES + 1, 0, true, -EEXIST },
		{ PIN_KV, HASH, 64, sizeof(struct kv_value), KV_KEYS_MAX + KV_KEYS_SLACK + 1, 0,
		  true, -EEXIST },
		{ PIN_SLOTS, ARRAY, 4, sizeof(struct kv_slot), KV_ENTRIES, 0, true, 0 },
		{ PIN_SLOTS, ARRAY, 4, sizeof(struct kv_slot), KV_ENTRIES, 0, false, -EEXIST },
		{ PIN_SLOTS, ARRAY, 4, sizeof(struct kv_slot), KV_ENTRIES - 1, 0, true, -EEXIST },
		{ PIN_SLOTS, ARRAY, 4, sizeof(struct kv_slot), KV_ENTRIES, BPF_F_MMAPABLE, true,
		  -EEXIST },
		{ PIN_CTL, ARRAY, 4, sizeof(struct kv_ctl), 1, 0, false, -EEXIST },
		{ PIN_CTL, ARRAY, 4, sizeof(struct kv_ctl), 2, 0, true, -EEXIST },
		{ PIN_EVENTS, RING, 0, 0, KV_EVENTS_SIZE, 0, false, 0 },
		{ PIN_EVENTS, RING, 0, 0, 4096, 0, false, -EEXIST },
		{ PIN_DENIALS, RING, 0, 0, KV_DENIALS_SIZE, 0, false, 0 },
		{ PIN_DENIALS, RING, 0, 0, 4096, 0, false, -EEXIST },
		{ PIN_DENIALS, RING, 0, 0, 2 * KV_DENIALS_SIZE, 0, false, -EEXIST },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct gate_test test;
		int fd = make_map((enum bpf_map_type)table[i].type, table[i].key_size,
				  table[i].value_size, table[i].n_entries, table[i].flags);

		gate_test_begin(&test, 64, 1);
		gate_test_subject(&test, 0, rules, FAST, FAST);
		cr_assert_eq(gate_write(test.fds[0], "/ip", "x", 1, NULL), 0);
		store_deinit(&test.store);
		if (table[i].freeze)
			cr_assert_eq(bpf_map_freeze(fd), 0);
		cr_assert_eq(pins_put(&test.pins, "", table[i].pin, fd), 0);
		close(fd);
		cr_expect_eq(store_init(&test.store, &test.pins, 64, 1), table[i].expected,
			     "row %zu: %s", i, table[i].pin);
		cr_expect_eq(test.store.adopted, !table[i].expected, "row %zu", i);
		store_deinit(&test.store);
		pins_deinit(&test.pins);
	}
}

/* A start killed between its pins leaves some: the next one begins anew. */
Test(store, half_a_set_of_pins)
{
	struct gate_test test;

	gate_test_begin(&test, 64, 1);
	store_deinit(&test.store);
	pins_remove(&test.pins, PIN_DENIALS);
	cr_expect_eq(store_init(&test.store, &test.pins, 64, 1), 0);
	cr_expect_not(test.store.adopted);
	gate_test_end(&test);
}

/* Returns true if it is the pin of a map that is adopted. */
static bool is_adoptable(const char *pin)
{
	static const char *const pins[] = { PIN_KV, PIN_SLOTS, PIN_EVENTS, PIN_DENIALS, PIN_CTL };

	for (size_t i = 0; i < sizeof(pins) / sizeof(pins[0]); i++)
		if (!strcmp(pins[i], pin))
			return true;
	return false;
}

/* Only what has a key is a store in use. One without is made anew: ctl goes first and comes
 * last, so that a kill leaves no maps of both that would be refused. */
Test(store, without_a_key)
{
	_Alignas(struct inotify_event) char events[4096];
	char last[NAME_MAX + 1] = "";
	struct gate_test test;
	bool is_first = true;
	ssize_t size;
	int fd;

	gate_test_begin(&test, 64, 1);
	store_deinit(&test.store);
	fd = inotify_init1(IN_NONBLOCK);
	cr_assert_geq(inotify_add_watch(fd, test.pins.directory, IN_CREATE | IN_DELETE), 0);
	cr_assert_eq(store_init(&test.store, &test.pins, 128, 1), 0);
	cr_expect_not(test.store.adopted);
	size = read(fd, events, sizeof(events));
	close(fd);
	for (ssize_t at = 0; at < size;) {
		const struct inotify_event *event = (const void *)(events + at);

		at += (ssize_t)(sizeof(*event) + event->len);
		if (!is_adoptable(event->name))
			continue;
		if (is_first) {
			cr_expect_str_eq(event->name, PIN_CTL);
			cr_expect_eq(event->mask, IN_DELETE);
		}
		is_first = false;
		(void)snprintf(last, sizeof(last), "%s", event->name);
	}
	cr_expect_str_eq(last, PIN_CTL);
	gate_test_end(&test);
}
