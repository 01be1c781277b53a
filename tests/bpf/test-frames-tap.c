/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "userspace/priv/frames/tap.h"
#include "userspace/priv/netlink/netlink.h"

static struct netlink *netlink;
static struct tap tap;

static void begin(void)
{
	cr_assert_eq(unshare(CLONE_NEWNET), 0);
	cr_assert_eq(netlink_new(&netlink), 0);
	cr_assert_eq(tap_init(&tap, netlink, "calfpen x y"), 0);
}

static void end(void)
{
	tap_deinit(&tap);
	netlink_free(netlink);
}

/* Whoever holds the descriptor can write nothing before the tap is set up,
 * which is after its programs are attached. */
Test(tap, down_until_set_up, .init = begin, .fini = end)
{
	static const uint8_t frame[60];
	struct netlink_link link;

	cr_assert_eq(netlink_link_get(netlink, tap.ifindex, &link), 0);
	cr_expect_eq(link.flags & IFF_UP, 0u);
	cr_expect_eq(write(tap.fd, frame, sizeof(frame)), -1);
	cr_expect_eq(errno, EIO);
	cr_assert_eq(tap_up(&tap, netlink), 0);
	cr_expect_eq(write(tap.fd, frame, sizeof(frame)), (ssize_t)sizeof(frame));
}

/* Names depend on the order in which taps are made. */
Test(tap, has_an_alias, .init = begin, .fini = end)
{
	char command[96];

	snprintf(command, sizeof(command), "ip link show dev %s | grep -q 'alias calfpen x y$'",
		 tap.name);
	cr_expect_eq(system(command), 0); /* NOLINT(cert-env33-c) */
}

static char setting(const char *family, const char *name)
{
	char path[128], value = '?';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, tap.name, name);
	file = fopen(path, "re");
	if (file) {
		cr_expect_eq(fread(&value, 1, 1, file), 1u);
		fclose(file);
	}
	return value;
}

Test(tap, carries_nothing_of_the_host, .init = begin, .fini = end)
{
	struct netlink_link link;

	cr_assert_eq(tap_up(&tap, netlink), 0);
	cr_assert_eq(netlink_link_get(netlink, tap.ifindex, &link), 0);
	cr_expect(link.flags & IFF_NOARP);
	cr_expect_eq(setting("ipv4", "forwarding"), '0');
	if (setting("ipv6", "disable_ipv6") != '?')
		cr_expect_eq(setting("ipv6", "disable_ipv6"), '1');
}

static void begin_with_read_only_proc_sys(void)
{
	cr_assert_eq(unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	/* that of the new network namespace */
	cr_assert_eq(mount("proc", "/proc", "proc", 0, NULL), 0);
	cr_assert_eq(mount("/proc/sys", "/proc/sys", NULL, MS_BIND, NULL), 0);
	cr_assert_eq(mount(NULL, "/proc/sys", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), 0);
	cr_assert_eq(netlink_new(&netlink), 0);
	cr_assert_eq(tap_init(&tap, netlink, "calfpen x y"), 0);
}

/* It can be used nevertheless, and says what is not as it should be. */
Test(tap, U21_read_only_proc_sys, .init = begin_with_read_only_proc_sys, .fini = end)
{
	char ipv6 = setting("ipv6", "disable_ipv6");

	cr_expect_eq(tap.ipv6_error, ipv6 == '0' ? -EROFS : 0, "%c", ipv6);
	cr_assert_eq(tap_up(&tap, netlink), 0);
}

/* What is redirected into it is in its ring at once, however it is set up. */
Test(tap, has_no_queue_before_its_ring, .init = begin, .fini = end)
{
	char command[64];

	cr_assert_eq(tap_up(&tap, netlink), 0);
	snprintf(command, sizeof(command), "ip link show dev %s | grep -q 'qdisc noqueue'",
		 tap.name);
	cr_expect_eq(system(command), 0); /* NOLINT(cert-env33-c) */
}

/* Whoever holds one of the instance writes in vain; what is not ours, or another instance's,
 * stays. */
Test(tap, deleted_although_held, .init = begin, .fini = end)
{
	static const uint8_t frame[60];
	struct tap other, second;

	cr_assert_eq(tap_init(&second, netlink, "calfpen x z"), 0);
	cr_assert_eq(tap_init(&other, netlink, "calfpen xx y"), 0);
	cr_assert_eq(system("ip link add br0 alias 'calfpen x br0' type bridge"),
		     0); /* NOLINT(cert-env33-c) */
	cr_assert_eq(tap_up(&tap, netlink), 0);
	cr_expect_eq(write(tap.fd, frame, sizeof(frame)), (ssize_t)sizeof(frame));
	cr_expect_eq(taps_delete(netlink, "calfpen x "), 0);
	cr_expect_eq(if_nametoindex(tap.name), 0u);
	cr_expect_eq(if_nametoindex(second.name), 0u);
	cr_expect_neq(if_nametoindex(other.name), 0u);
	cr_expect_neq(if_nametoindex("br0"), 0u);
	cr_expect_eq(write(tap.fd, frame, sizeof(frame)), -1);
	tap_deinit(&second);
	tap_deinit(&other);
}

/* The device goes with its last descriptor. */
Test(tap, ends_with_its_descriptor)
{
	char name[IFNAMSIZ];

	begin();
	snprintf(name, sizeof(name), "%s", tap.name);
	cr_expect_neq(if_nametoindex(name), 0u);
	end();
	cr_expect_eq(if_nametoindex(name), 0u);
	cr_expect_eq(tap.fd, -1);
}
