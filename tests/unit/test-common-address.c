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

static bool is_subnet(const char *text, uint8_t prefix_length)
{
	struct in_addr address;

	cr_assert_eq(inet_pton(AF_INET, text, &address), 1);
	return address_is_subnet(address, prefix_length);
}

Test(common_address, U52_network_and_broadcast_addresses)
{
	static const struct {
		const char *network, *broadcast, *host;
		uint8_t prefix_length;
	} rows[] = {
		{ "10.0.0.0", "10.255.255.255", "10.0.0.255", 8 },
		{ "10.77.0.0", "10.77.255.255", "10.77.1.0", 16 },
		{ "10.77.0.0", "10.77.1.255", "10.77.0.255", 23 },
		{ "192.0.2.0", "192.0.2.255", "192.0.2.1", 24 },
		{ "192.0.2.64", "192.0.2.127", "192.0.2.126", 26 },
		{ "192.0.2.4", "192.0.2.7", "192.0.2.5", 30 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect(is_subnet(rows[i].network, rows[i].prefix_length), "row %zu", i);
		cr_expect(is_subnet(rows[i].broadcast, rows[i].prefix_length), "row %zu", i);
		cr_expect_not(is_subnet(rows[i].host, rows[i].prefix_length), "row %zu", i);
	}
	for (uint8_t prefix_length = 31; prefix_length <= 32; prefix_length++) {
		cr_expect_not(is_subnet("192.0.2.0", prefix_length));
		cr_expect_not(is_subnet("192.0.2.255", prefix_length));
	}
	cr_expect_not(is_subnet("0.0.0.0", 0), "unknown");
	cr_expect_not(is_subnet("255.255.255.255", 0), "unknown");
}

Test(common_address, netmasks)
{
	cr_expect_eq(address_netmask(0), 0);
	cr_expect_eq(address_netmask(1), 0x80000000);
	cr_expect_eq(address_netmask(24), 0xffffff00);
	cr_expect_eq(address_netmask(31), 0xfffffffe);
	cr_expect_eq(address_netmask(32), 0xffffffff);
}

Test(common_address, classes)
{
	static const struct {
		const char *address;
		uint8_t prefix_length;
	} rows[] = {
		{ "10.0.0.1", 8 },     { "127.255.255.255", 8 }, { "128.0.0.0", 16 },
		{ "191.255.0.0", 16 }, { "192.0.0.0", 24 },	 { "223.0.0.0", 24 },
		{ "224.0.0.0", 32 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(address_class_prefix((struct in_addr){ inet_addr(rows[i].address) }),
			     rows[i].prefix_length, "%s", rows[i].address);
}

Test(common_address, masks)
{
	for (uint8_t length = 0; length <= 32; length++)
		cr_expect_eq(address_mask_prefix(address_netmask(length)), length);
	cr_expect_eq(address_mask_prefix(0xff00ff00), 0);
	cr_expect_eq(address_mask_prefix(0xfffffffd), 0);
	cr_expect_eq(address_mask_prefix(1), 0);
}
