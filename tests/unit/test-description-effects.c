/* SPDX-License-Identifier: Apache-2.0 */
/* `calfpen describe` */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/support-shipped.h"

TestSuite(description_effects, .init = shipped_setup, .fini = shipped_teardown);

static const char *effects(void)
{
	static char text[8192];
	FILE *file;

	memset(text, 0, sizeof(text));
	file = fmemopen(text, sizeof(text) - 1, "w");
	cr_assert_not_null(file);
	description_print_effects(&descriptions[0], file);
	(void)fclose(file);
	return text;
}

#define OTHERS                                                    \
	"  nothing on the host; others read:\n"                   \
	"    /ipv6-only               u32\n"                      \
	"    /dnr/...                 text, 8 keys\n"             \
	"    /option/...              hex, 16 keys\n"             \
	"    /lease/state             text\n"                     \
	"    /lease/server            text, kept over a reboot\n" \
	"    /lease/address           text, kept over a reboot\n" \
	"    /lease/t1                text, kept over a reboot\n" \
	"    /lease/t2                text, kept over a reboot\n" \
	"    /lease/expires           text, kept over a reboot\n"

#define FRAMES                                                         \
	"  frames: DHCPv4, UDP from port 68 to port 67, and replies\n" \
	"  frames: ARP, to detect conflicts of addresses\n"

Test(description_effects, all_that_dhcp4_can_change)
{
	char expected[4096];

	cr_assert_eq(shipped_load(""), 0, "%s", capture_text());
	(void)snprintf(expected, sizeof(expected),
		       "dhcp4 (%s/calf.yaml)\n"
		       "  address: the address of the uplink\n"
		       "    /ip                      ipv4-net\n"
		       "    /lease/time              lifetime, kept over a reboot\n"
		       "  link: the MTU of the uplink\n"
		       "    /mtu                     u16\n"
		       "  route: routes through the uplink\n"
		       "    /gateway                 ipv4\n"
		       "    /route/...               route, 64 keys\n"
		       "  dns: resolv.conf and the domain name\n"
		       "    /domain                  hostname\n"
		       "    /search                  domain-list\n"
		       "    /nameserver/...          ipv4, 8 keys\n"
		       "  host: the host name\n"
		       "    /hostname                hostname\n"
		       "  timeservers: the time servers of chronyd\n"
		       "    /ntp/...                 ipv4, 8 keys\n"
		       "  portal: the URI of the captive portal\n"
		       "    /captive-portal          uri\n" OTHERS FRAMES,
		       scratch);
	cr_expect_str_eq(effects(), expected);
}

Test(description_effects, what_is_withheld)
{
	const char *text;

	cr_assert_eq(shipped_load("calves: {dhcp4: {grants: [address, route, link, host]}}\n"), 0);
	text = effects();
	cr_expect(strstr(text, "  withheld by the operator: dns, timeservers, portal\n"), "%s",
		  text);
	cr_expect_null(strstr(text, "/nameserver"));
	cr_expect_not_null(strstr(text, "    /gateway "));
}

Test(description_effects, calf_without_frames_that_reads)
{
	static struct description d = {
		.name = "observer",
		.directory = "/x",
		.keys = { { .path = "/ip", .access = KV_ACCESS_READ, .count = 1 },
			  { .path = "/ntp/", .access = KV_ACCESS_READ, .count = 8 },
			  { .path = "/dns/", .access = KV_ACCESS_READ, .count = 8 },
			  { .path = "/seen/", .access = KV_ACCESS_WRITE, .count = 1 } },
		.keys_of_any = { false, true, true },
		.n_keys = 4,
	};

	descriptions = malloc(sizeof(d));
	descriptions[0] = d;
	cr_expect_str_eq(effects(), "observer (/x/calf.yaml)\n"
				    "  nothing on the host; others read:\n"
				    "    /seen/...                text, 1 key\n"
				    "  reads of others: /ntp/, /dns/\n"
				    "  frames: none\n");
}
