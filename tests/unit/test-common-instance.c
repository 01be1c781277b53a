/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/common/instance.h"

#define LENGTH_MAX 5 /* of the names that are all compared */

static const char *name_of(const char *interface)
{
	static char name[INSTANCE_NAME_MAX + 1];

	instance_name_of(interface, name);
	cr_expect(instance_is_name(name), "%s: %s", interface, name);
	return name;
}

/* Directories and configuration files are named after it, so it must not change. */
Test(instance, U07_simple_names_stay)
{
	static const char *const names[] = { "eth0",
					     "enp1s0f0np0",
					     "wlan-guest",
					     "br_lan",
					     "0",
					     "eth0-100",
					     "eth0_100",
					     "_",
					     "trailing-",
					     "fifteen-octets",
					     "a-name-of-thirty-one-octets-abc" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		cr_expect_str_eq(name_of(names[i]), names[i]);
}

Test(instance, U07_capitals)
{
	cr_expect_str_eq(name_of("enP4p65s0"), "en__p4p65s0");
	cr_expect_str_eq(name_of("wlP1p1s0"), "wl__p1p1s0");
	cr_expect_str_eq(name_of("Ethernet0"), "__ethernet0");
	cr_expect_str_eq(name_of("Ethernet0.10"), "__ethernet0--10");
	cr_expect_str_eq(name_of("LAN"), "__l__a__n");
}

Test(instance, U07_other_characters)
{
	cr_expect_str_eq(name_of("-eth0"), "__2deth0");
	cr_expect_str_eq(name_of(".eth0"), "__2eeth0");
	cr_expect_str_eq(name_of("veth@4"), "veth__404");
	cr_expect_str_eq(name_of("mac:01"), "mac__3a01");
	cr_expect_str_eq(name_of("a__b"), "a__5f_b");
	cr_expect_str_eq(name_of("a--b"), "a__2d-b");
}

Test(instance, U47_dots_and_dashes)
{
	cr_expect_str_eq(name_of("eth0.100"), "eth0--100");
	cr_expect_str_eq(name_of("eth0-100"), "eth0-100");
	cr_expect_str_eq(name_of("bond0.10.20"), "bond0--10--20");
	cr_expect_str_eq(name_of("br-lan.7"), "br-lan--7");
	cr_expect_str_eq(name_of("br_lan.7"), "br_lan--7");
}

Test(instance, U47_long_names)
{
	char long_name[128], other[INSTANCE_NAME_MAX + 1];

	cr_expect_str_eq(name_of("ETHERNETUPLINKS"), "ethernetupli__0ab35ad82aebc3f5c");
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	memcpy(other, name_of(long_name), sizeof(other));
	cr_expect_eq(strncmp(other, "xxxxxxxxxxxx__0", 15), 0);
	long_name[sizeof(long_name) - 2] = 'y';
	cr_expect_str_neq(name_of(long_name), other);
	/* 32 octets are too many */
	cr_expect_eq(strlen(name_of("a-name-of-thirty-two-octets-abcd")), 31u);
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* There is a file of this name in the directory of all instances. */
Test(instance, U35_uids_is_no_instance)
{
	cr_expect(!instance_is_name("uids"));
	cr_expect(instance_is_name("uids0"));
	cr_expect_eq(strncmp(name_of("uids"), "uids__0", 7), 0);
}

/* No two interfaces have the same instance. */
Test(instance, U47_no_collisions)
{
	static const char alphabet[] = "a2A-_.:";
	static char names[7 + 49 + 343 + 2401 + 16807][INSTANCE_NAME_MAX + 1];
	size_t n = 0, n_length = 1;

	for (size_t length = 1; length <= LENGTH_MAX; length++) {
		n_length *= sizeof(alphabet) - 1;
		for (size_t i = 0; i < n_length; i++) {
			char interface[LENGTH_MAX + 1] = "";
			size_t rest = i;

			for (size_t j = 0; j < length; j++, rest /= sizeof(alphabet) - 1)
				interface[j] = alphabet[rest % (sizeof(alphabet) - 1)];
			memcpy(names[n++], name_of(interface), sizeof(names[0]));
		}
	}
	cr_assert_eq(n, sizeof(names) / sizeof(names[0]));
	qsort(names, n, sizeof(names[0]), compare);
	for (size_t i = 1; i < n; i++)
		cr_expect_str_neq(names[i - 1], names[i]);
}
