/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include <arpa/inet.h>

#include "userspace/common/address.h"

static bool is_host(const char *text)
{
	struct in_addr address;

	cr_assert_eq(inet_pton(AF_INET, text, &address), 1);
	return address_is_host(address);
}

Test(common_address, host_addresses)
{
	static const char *const good[] = { "1.0.0.0",	 "10.0.0.1",  "126.255.255.255",
					    "128.0.0.1", "192.0.2.1", "223.255.255.255" };
	static const char *const bad[] = { "0.0.0.0",	"0.1.2.3",   "127.0.0.1",
					   "224.0.0.1", "240.0.0.1", "255.255.255.255" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_expect(is_host(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_not(is_host(bad[i]), "%s", bad[i]);
}

Test(common_address, netmasks)
{
	cr_expect_eq(address_netmask(0), 0);
	cr_expect_eq(address_netmask(1), 0x80000000);
	cr_expect_eq(address_netmask(24), 0xffffff00);
	cr_expect_eq(address_netmask(31), 0xfffffffe);
	cr_expect_eq(address_netmask(32), 0xffffffff);
}
