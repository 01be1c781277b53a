/* SPDX-License-Identifier: Apache-2.0 */
/* The keys below /link/macs, with a kernel and a store of the test's own. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/gate.h"
#include "userspace/priv/watcher/link_macs.h"

#define MS 1000000ull
#define S 1000000000ull
#define KERNEL_LINKS 5000

static struct link_macs macs;
static struct wanted wanted;
static struct commit commit;
static uint64_t now_ns;
static uint32_t n_kernel; /* the last of its links, each with a MAC of its own */
static uint32_t first_kernel = 1;
static uint32_t n_commits, n_changes;
static int list_error, commit_error;

static void make_link(uint32_t i, struct netlink_link *link)
{
	*link = (struct netlink_link){ .ifindex = (int)i,
				       .mac = { 2, 0, 0, 1, (uint8_t)(i >> 8), (uint8_t)i } };
}

int netlink_link_each(struct netlink *netlink, netlink_link_fn call, void *data)
{
	struct netlink_link link;

	(void)netlink;
	for (uint32_t i = first_kernel; i <= n_kernel && !list_error; i++) {
		make_link(i, &link);
		call(&link, data);
	}
	return list_error;
}

int gate_commit(int program_fd, const struct commit *changes, uint64_t *revisionp,
		uint32_t *i_refusedp)
{
	static struct kv_value value;
	struct kv_change change;
	struct kv_key key;

	(void)program_fd;
	(void)revisionp;
	(void)i_refusedp;
	if (commit_error)
		return commit_error;
	n_commits++;
	n_changes = changes->n_changes;
	wanted.revision++;
	for (uint32_t at = 0, i = 0; i < changes->n_changes; i++) {
		memcpy(&change, changes->bytes + at, sizeof(change));
		memcpy(key.path, change.path, sizeof(key.path));
		value.revision = wanted.revision;
		value.length = change.length;
		memcpy(value.text, changes->bytes + at + KV_CHANGE_HEADER, change.length);
		value.text[change.length] = '\0';
		if (change.operation == KV_CHANGE_DELETE)
			wanted_remove(&wanted, &key, wanted.revision);
		else
			cr_assert_eq(wanted_set(&wanted, &key, &value), 0);
		at += KV_CHANGE_SIZE(change.length);
	}
	return 0;
}

static void setup(void)
{
	cr_assert_eq(wanted_init(&wanted, 64), 0);
	link_macs_init(&macs);
	now_ns = 100 * S;
}

static void teardown(void)
{
	wanted_deinit(&wanted);
}

TestSuite(link_macs, .init = setup, .fini = teardown);

static uint64_t write_now(void)
{
	return link_macs_write(&macs, NULL, &wanted, &commit, now_ns);
}

/* Let time pass until there is nothing left to write. */
static void write_all(void)
{
	for (uint64_t at_ns = write_now(); at_ns != UINT64_MAX; at_ns = write_now()) {
		cr_assert_gt(at_ns, now_ns);
		now_ns = at_ns;
	}
}

static void set(uint32_t i)
{
	struct netlink_link link;

	make_link(i, &link);
	link_macs_set(&macs, (int)i, &link);
}

static const char *key(uint32_t i)
{
	const struct kv_value *value;
	char path[32];

	(void)snprintf(path, sizeof(path), "/link/macs/%03u", i + 1);
	value = wanted_get(&wanted, path);
	return value ? value->text : "";
}

static bool is_listed(uint32_t i_link)
{
	char text[LINK_MACS_TEXT + 1];

	(void)snprintf(text, sizeof(text), "02:00:00:01:%02x:%02x", i_link >> 8, i_link & 0xff);
	for (uint32_t i = 0; i < LINK_MACS_KEYS; i++)
		if (strstr(key(i), text))
			return true;
	return false;
}

Test(link_macs, U04_listed_at_the_first_write)
{
	n_kernel = 2;
	cr_expect_eq(write_now(), UINT64_MAX);
	cr_expect_str_eq(key(0), "02:00:00:01:00:01 02:00:00:01:00:02");
	cr_expect_eq(wanted.n_keys, 1);
}

Test(link_macs, U04_changes_are_collected)
{
	write_all();
	set(1);
	cr_expect_eq(write_now(), now_ns + S, "a second after the last write");
	set(2);
	link_macs_set(&macs, 1, NULL);
	now_ns += S;
	write_all();
	cr_expect_str_eq(key(0), "02:00:00:01:00:02");
	cr_expect_eq(n_commits, 1);
	now_ns += 10 * S;
	set(2);
	cr_expect_eq(write_now(), UINT64_MAX, "nothing has changed");
	set(3);
	cr_expect_eq(write_now(), now_ns + 100 * MS);
	link_macs_set(&macs, 3, NULL);
	write_all();
	cr_expect_eq(n_commits, 1, "it is as it was");
	link_macs_set(&macs, 2, NULL);
	write_all();
	cr_expect_eq(wanted.n_keys, 0);
}

/* Only the key concerned is written. */
Test(link_macs, U04_a_mac_keeps_its_place)
{
	n_kernel = 3 * LINK_MACS_PER_KEY;
	write_all();
	cr_expect_eq(n_changes, 3);
	cr_expect_eq(strlen(key(1)), LINK_MACS_PER_KEY * (LINK_MACS_TEXT + 1) - 1);
	link_macs_set(&macs, 1, NULL);
	write_all();
	cr_expect_eq(n_changes, 1);
	cr_expect_not(is_listed(1));
	cr_expect(is_listed(2));
	set(4000);
	write_all();
	cr_expect_eq(n_changes, 1);
	cr_expect(is_listed(4000));
}

/* What was left out comes in when there is room. */
Test(link_macs, U04_more_links_than_room)
{
	n_kernel = KERNEL_LINKS;
	write_all();
	cr_expect(is_listed(LINK_MACS_MAX));
	cr_expect_not(is_listed(LINK_MACS_MAX + 1));
	cr_expect_eq(wanted.n_keys, LINK_MACS_KEYS);
	first_kernel = 2;
	link_macs_set(&macs, 1, NULL);
	write_all();
	cr_expect(is_listed(LINK_MACS_MAX + 1));
	cr_expect_not(is_listed(LINK_MACS_MAX + 2));
}

/* More links with one MAC than there is room for links. */
Test(link_macs, U04_one_mac_on_all_links)
{
	struct netlink_link link;

	write_all();
	make_link(7, &link);
	for (int i = 1; i <= KERNEL_LINKS; i++)
		link_macs_set(&macs, i, &link);
	write_all();
	cr_expect_str_eq(key(0), "02:00:00:01:00:07");
}

Test(link_macs, U04_lost_events)
{
	n_kernel = 3;
	write_all();
	n_kernel = 1;
	set(9); /* a link that has gone, without an event */
	link_macs_reload(&macs);
	write_all();
	cr_expect_str_eq(key(0), "02:00:00:01:00:01");
}

Test(link_macs, U04_failures_are_retried)
{
	n_kernel = 1;
	list_error = -ENOMEM;
	cr_expect_gt(write_now(), now_ns);
	cr_expect_eq(wanted.n_keys, 0);
	list_error = 0;
	commit_error = -EBUSY;
	now_ns += 10 * S;
	cr_expect_gt(write_now(), now_ns);
	commit_error = 0;
	now_ns += 10 * S;
	cr_expect_eq(write_now(), UINT64_MAX);
	cr_expect_str_eq(key(0), "02:00:00:01:00:01");
}
