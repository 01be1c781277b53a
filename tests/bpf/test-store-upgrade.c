/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a store of layout 4, which had no secrets, and of layout 3, which had no
 * names, either. */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maps/pins.h"
#include "tests/bpf/support-gate.h"
#include "tests/bpf/support-pins.h"
#include "tests/unit/capture.h"

#define FORMER_SIZE offsetof(struct kv_ctl, names)

static const struct test_rule rules[] = { { "/", ALL_ACCESS, KV_CLASS_TEXT, 100 }, { NULL } };

static struct gate_test test;

static void begin(void)
{
	capture_begin();
	gate_test_begin(&test, 64, 5);
	/* a run in which the calf wrote, and its pins as they are after a kill -9 */
	(void)gate_test_subject(&test, KV_SUBJECT_CALF, rules, FAST, FAST);
	cr_assert_eq(gate_write(test.fds[KV_SUBJECT_CALF], "/ip", "192.0.2.7/24", 12, NULL), 0);
}

static void end(void)
{
	gate_test_end(&test);
}

TestSuite(store_upgrade, .init = begin, .fini = end);

/* Pin something as the ACL of a calf. */
static void pin_acl_of(const char *name)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "acl", 4, 4, 1, NULL);

	cr_assert_geq(fd, 0);
	cr_assert_eq(pins_put(&test.pins, PIN_ACL_PREFIX, name, fd), 0);
	(void)close(fd);
}

/* Stop, and pin a ctl as a version before made it. */
static void leave_ctl(const char *pin, struct kv_ctl ctl, uint32_t version, uint32_t size,
		      bool is_frozen)
{
	const uint32_t zero = 0;
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "ctl", 4, size, 1, NULL);

	ctl.layout_version = version;
	cr_assert_geq(fd, 0);
	cr_assert_eq(bpf_map_update_elem(fd, &zero, &ctl, BPF_ANY), 0);
	if (is_frozen)
		cr_assert_eq(bpf_map_freeze(fd), 0);
	store_deinit(&test.store);
	cr_assert_eq(pins_put(&test.pins, "", pin, fd), 0);
	(void)close(fd);
}

/* Stop, and leave a store of layout 3. */
static void leave_former(struct kv_ctl ctl, uint32_t version, bool is_frozen)
{
	leave_ctl(PIN_CTL, ctl, version, FORMER_SIZE, is_frozen);
	/* the harness calls it subject3 */
	pins_remove(&test.pins, PIN_ACL_PREFIX "subject3");
	pin_acl_of(KV_NAME_SUPERVISOR);
	pin_acl_of(KV_NAME_WATCHER);
	pin_acl_of(KV_NAME_OPERATOR);
	pin_acl_of("dhcp4");
}

static int start(void)
{
	return store_init(&test.store, &test.pins, 64, 5);
}

Test(store_upgrade, dhcp4_alone_is_adopted)
{
	struct kv_ctl former = gate_test_ctl(&test), ctl;
	static const char *const names[] = { "observer", "dhcp4" };
	uint32_t numbers[2], refused;
	struct kv_value value;
	uint64_t revision;

	leave_former(former, 3, true);
	cr_assert_eq(start(), 0);
	cr_expect(test.store.adopted);
	ctl = gate_test_ctl(&test);
	cr_expect_eq(ctl.layout_version, KV_LAYOUT_VERSION);
	cr_expect_eq(memcmp((char *)&ctl + 4, (char *)&former + 4, FORMER_SIZE - 4), 0,
		     "counters, quotas and revision go on");
	cr_assert_eq(store_number_calves(&test.store, names, 2, numbers, &refused), 0);
	cr_expect_eq(numbers[0], KV_SUBJECT_CALF + 1);
	cr_expect_eq(numbers[1], KV_SUBJECT_CALF);
	(void)gate_test_subject(&test, KV_SUBJECT_CALF, rules, FAST, FAST);
	cr_assert_eq(gate_read(test.fds[KV_SUBJECT_CALF], "/ip", &value), 0);
	cr_expect_str_eq(value.text, "192.0.2.7/24");
	cr_assert_eq(gate_write(test.fds[KV_SUBJECT_CALF], "/ip", "x", 1, &revision), 0);
	cr_expect_eq(revision, 2);
	cr_expect(!is_pinned(&test.pins, PIN_CTL "_next"));
	cr_expect(pins_is_frozen(test.store.ctl_fd));
	cr_expect_str_eq(capture_text(), "");
	store_deinit(&test.store);
	cr_assert_eq(start(), 0);
	cr_expect(test.store.adopted);
}

static void is_set_aside(void)
{
	static char expected[2 * PATH_MAX];
	struct kv_value value;

	cr_assert_eq(start(), 0);
	cr_expect(!test.store.adopted);
	cr_expect(is_pinned(&test.pins, "aside_kv") && is_pinned(&test.pins, "aside_ctl") &&
		  is_pinned(&test.pins, "aside_slots") && is_pinned(&test.pins, "aside_events") &&
		  is_pinned(&test.pins, "aside_denials"));
	(void)gate_test_subject(&test, KV_SUBJECT_CALF, rules, FAST, FAST);
	cr_expect_eq(gate_read(test.fds[KV_SUBJECT_CALF], "/ip", &value), -ENOENT);
	(void)snprintf(expected, sizeof(expected),
		       "store: the previous run was of a version that numbered calves by their "
		       "order, so whose its keys are is not certain; set it aside and started an "
		       "empty store; to free its memory: rm %s/aside_*\n",
		       test.pins.directory);
	cr_expect_str_eq(capture_text(), expected);
}

Test(store_upgrade, another_calf_in_the_last_run)
{
	leave_former(gate_test_ctl(&test), 3, true);
	pin_acl_of("observer");
	is_set_aside();
}

/* Its only calf may have been any. */
Test(store_upgrade, pins_of_no_calf)
{
	leave_former(gate_test_ctl(&test), 3, true);
	pins_remove(&test.pins, PIN_ACL_PREFIX "dhcp4");
	is_set_aside();
}

Test(store_upgrade, another_calf_in_an_earlier_run)
{
	struct kv_ctl ctl = gate_test_ctl(&test);

	ctl.subject[KV_SUBJECT_CALF + 1].n_reads = 1;
	leave_former(ctl, 3, true);
	is_set_aside();
}

static uint32_t id_of(const char *name)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	int fd = pins_get(&test.pins, name);

	cr_assert_geq(fd, 0, "%s", name);
	cr_assert_eq(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	(void)close(fd);
	return info.id;
}

/* A start that ends between any two renames, here because one fails: the next one goes on,
 * and nothing is lost. */
Test(store_upgrade, setting_aside_is_resumed)
{
	static const char *const pins[] = { PIN_KV, PIN_SLOTS, PIN_EVENTS, PIN_DENIALS, PIN_CTL };
	const size_t n_pins = sizeof(pins) / sizeof(pins[0]);
	struct kv_ctl former = gate_test_ctl(&test);
	uint32_t ids[sizeof(pins) / sizeof(pins[0])];
	char path[2 * PATH_MAX], aside[NAME_MAX];

	for (size_t i_failed = 0; i_failed < n_pins; i_failed++) {
		leave_former(former, 3, true);
		pin_acl_of("observer");
		for (size_t i = 0; i < n_pins; i++) {
			ids[i] = id_of(pins[i]);
			(void)snprintf(aside, sizeof(aside), PIN_ASIDE_PREFIX "%s", pins[i]);
			pins_remove(&test.pins, aside);
		}
		(void)snprintf(path, sizeof(path), "%s/" PIN_ASIDE_PREFIX "%s", test.pins.directory,
			       pins[i_failed]);
		cr_assert_eq(mkdir(path, 0700), 0);
		cr_expect_eq(start(), -EISDIR);
		cr_assert_eq(rmdir(path), 0);
		capture_begin();
		is_set_aside();
		for (size_t i = 0; i < n_pins; i++) {
			(void)snprintf(aside, sizeof(aside), PIN_ASIDE_PREFIX "%s", pins[i]);
			cr_expect_eq(id_of(aside), ids[i], "%s failed, %s", pins[i_failed], aside);
		}
	}
}

static void is_adopted_from_4(const struct kv_ctl *former)
{
	struct kv_ctl ctl = gate_test_ctl(&test);
	struct kv_value value;

	cr_expect(test.store.adopted);
	cr_expect_eq(ctl.layout_version, KV_LAYOUT_VERSION);
	cr_expect_eq(memcmp((const char *)&ctl + 4, (const char *)former + 4, sizeof(ctl) - 4), 0);
	cr_expect(pins_is_frozen(test.store.ctl_fd));
	cr_expect(!is_pinned(&test.pins, PIN_CTL "_next"));
	(void)gate_test_subject(&test, KV_SUBJECT_CALF, rules, FAST, FAST);
	cr_assert_eq(gate_read(test.fds[KV_SUBJECT_CALF], "/ip", &value), 0);
	cr_expect_str_eq(value.text, "192.0.2.7/24");
	cr_expect_eq(value.flags, 0, "none of its values is a secret");
}

Test(store_upgrade, layout_without_secrets_is_adopted)
{
	struct kv_ctl former = gate_test_ctl(&test);

	leave_ctl(PIN_CTL, former, 4, sizeof(former), true);
	cr_assert_eq(start(), 0);
	is_adopted_from_4(&former);
	cr_expect_str_eq(capture_text(), "");
	store_deinit(&test.store);
	cr_assert_eq(start(), 0);
	cr_expect(test.store.adopted);
}

/* Killed after its last version had made larger maps, and before it renamed them. */
Test(store_upgrade, growth_of_the_former_layout_is_completed)
{
	struct kv_ctl former = gate_test_ctl(&test);

	leave_ctl(PIN_GROWN_PREFIX PIN_CTL, former, 4, sizeof(former), true);
	leave_ctl(PIN_CTL, former, 4, sizeof(former), true);
	cr_assert_eq(start(), 0);
	is_adopted_from_4(&former);
	cr_expect(!is_pinned(&test.pins, PIN_GROWN_PREFIX PIN_CTL));
}

/* What is not certainly of that version is refused as before, and left alone. */
Test(store_upgrade, others_are_refused)
{
	struct kv_ctl ctl = gate_test_ctl(&test);

	leave_former(ctl, 2, true);
	cr_expect_eq(start(), -EEXIST);
	leave_former(ctl, 3, false);
	cr_expect_eq(start(), -EEXIST);
	leave_ctl(PIN_CTL, ctl, KV_LAYOUT_VERSION + 1, sizeof(ctl), true);
	cr_expect_eq(start(), -EEXIST);
	leave_ctl(PIN_CTL, ctl, 4, sizeof(ctl), false);
	cr_expect_eq(start(), -EEXIST);
	cr_expect(is_pinned(&test.pins, PIN_KV) && is_pinned(&test.pins, PIN_CTL) &&
		  !is_pinned(&test.pins, "aside_kv"));
	cr_expect(is_pinned(&test.pins, PIN_ACL_PREFIX "dhcp4") &&
			  is_pinned(&test.pins, PIN_GATE_PREFIX "subject3") &&
			  is_pinned(&test.pins, PIN_STAGING_PREFIX "subject3"),
		  "also what says whose it is");
}
