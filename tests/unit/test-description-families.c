/* SPDX-License-Identifier: Apache-2.0 */
/* What a calf may write, compared with what the handlers take. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "tests/unit/support-description.h"
#include "userspace/priv/handlers/all.h"

TestSuite(description_families, .init = setup, .fini = scratch_remove);

static struct description d;

Test(description_families, taken)
{
	static const char *const keys[] = {
		"  - {path: /nameserver/dhcp4/, type: ip, count: 8, access: [write, delete]}",
		"  - {path: /nameserver/dhcp4/, type: ipv6, count: 8, access: [write]}",
		"  - {path: /nameserver/dhcp4/001, type: ip, access: [write]}",
		"  - {path: /nameserver/001, type: ipv6, access: [write]}",
		"  - {path: /search/dhcp4, type: domain-list, access: [write]}",
		"  - {path: /search, type: domain-list, access: [write, delete]}",
		"  - {path: /domain/dhcp4, type: hostname, access: [write]}",
		"  - {path: /hostname/dhcp4, type: hostname, access: [write]}",
		"  - {path: /ntp/dhcp4/, type: host, count: 8, access: [write]}",
		"  - {path: /route/, type: route, count: 8, access: [write]}",
		"  - {path: /lease/, type: text, count: 8, access: [read, watch]}",
		"  - {path: /lease/time, type: lifetime, access: [write]}",
		"  - {path: /ip, type: ipv4-net, access: [write]}",
		/* not of a family */
		"  - {path: /nameservers/x/, type: text, count: 8, access: [write]}",
		"  - {path: /routes, type: text, access: [write]}",
		/* to look at them has no effect */
		"  - {path: /nameserver/ra/, type: text, count: 8, access: [read], of: any}",
		"  - {path: /ip, type: text, access: [read]}",
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		write_description(5, keys[i]);
		cr_expect_eq(description_load(scratch, &d), 0, "%s: %s", keys[i], capture_text());
	}
}

Test(description_families, refused)
{
	static const struct {
		const char *replacement; /* of line 5 */
		const char *refused;
	} rows[] = {
#define PLACE(_path, _handler, _places) \
	"5: path \"" _path "\": the handler " _handler " reads " _places " of this calf"
#define SERVERS "\"/nameserver/\" or \"/nameserver/dhcp4/\""
		/* in the name of another */
		{ "{path: /nameserver/ra/, type: ip, count: 8, access: [write]}",
		  PLACE("/nameserver/ra/", "dns", SERVERS) },
		{ "{path: /nameserver/dhcp/, type: ip, count: 8, access: [delete]}",
		  PLACE("/nameserver/dhcp/", "dns", SERVERS) },
		{ "{path: /nameserver/dhcp46/, type: ip, count: 8, access: [delete]}",
		  PLACE("/nameserver/dhcp46/", "dns", SERVERS) },
		{ "{path: /search/ra, type: domain-list, access: [write]}",
		  PLACE("/search/ra", "dns", "\"/search\" or \"/search/dhcp4\"") },
		/* where nobody reads */
		{ "{path: /nameserver, type: ip, access: [write]}",
		  PLACE("/nameserver", "dns", SERVERS) },
		{ "{path: /nameserver/dhcp4, type: ip, access: [write]}",
		  PLACE("/nameserver/dhcp4", "dns", SERVERS) },
		{ "{path: /nameserver/dhcp4/001/, type: ip, count: 2, access: [write]}",
		  PLACE("/nameserver/dhcp4/001/", "dns", SERVERS) },
		{ "{path: /nameserver/first, type: ip, access: [write]}",
		  PLACE("/nameserver/first", "dns", SERVERS) },
		{ "{path: /nameserver/0001, type: ip, access: [write]}",
		  PLACE("/nameserver/0001", "dns", SERVERS) },
		{ "{path: /search/dhcp4/, type: domain-list, count: 2, access: [write]}",
		  PLACE("/search/dhcp4/", "dns", "\"/search\" or \"/search/dhcp4\"") },
		{ "{path: /search/, type: domain-list, count: 2, access: [write]}",
		  PLACE("/search/", "dns", "\"/search\" or \"/search/dhcp4\"") },
		{ "{path: /ip/dhcp4, type: ipv4-net, access: [write]}",
		  PLACE("/ip/dhcp4", "address", "\"/ip\"") },
		{ "{path: /route/dhcp4/, type: route, count: 8, access: [write]}",
		  PLACE("/route/dhcp4/", "route", "\"/route/\"") },
		/* another type */
		{ "{path: /ip, type: ipv4, access: [write]}",
		  "5: path \"/ip\": type ipv4; the handler address takes ipv4-net" },
		{ "{path: /ip, type: text, access: [delete]}",
		  "5: path \"/ip\": type text; the handler address takes ipv4-net" },
		{ "{path: /ntp/dhcp4/, type: text, count: 8, access: [write]}",
		  "5: path \"/ntp/dhcp4/\": type text; the handler timeservers takes ipv4, ipv6, "
		  "ip, host" },
		{ "{path: /lease/time, type: u32, access: [write]}",
		  "5: path \"/lease/time\": type u32; the handler address takes lifetime" },
		/* what the handler cannot see */
		{ "{path: /search/dhcp4, type: domain-list, access: [write], secret: true}",
		  "5: path \"/search/dhcp4\": secret; the handler dns cannot read it to "
		  "apply it" },
		/* by the directory that it is in */
		{ "{path: /lease/, type: lifetime, count: 9, access: [write]}",
		  "5: directory \"/lease/\" contains \"/lease/time\", which the handler address "
		  "applies; give that key an entry of its own" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char line[256], expected[512];

		(void)snprintf(line, sizeof(line), "  - %s", rows[i].replacement);
		write_description(5, line);
		capture_begin();
		cr_expect_eq(description_load(scratch, &d), -EINVAL, "%s", line);
		(void)snprintf(expected, sizeof(expected), "%s/" DESCRIPTION_FILE ":%s\n", scratch,
			       rows[i].refused);
		cr_expect_str_eq(capture_text(), expected);
	}
}

/* Also if the entry of the directory comes first. */
Test(description_families, key_with_an_entry_of_its_own)
{
	write_description(5, "  - {path: /lease/, type: text, count: 9, access: [write]}\n"
			     "  - {path: /lease/time, type: lifetime, access: [write]}");
	cr_expect_eq(description_load(scratch, &d), 0, "%s", capture_text());
}

Test(description_families, handler_of_a_key)
{
	cr_expect_eq(description_find_handler("/ip"), &handler_address);
	cr_expect_eq(description_find_handler("/lease/time"), &handler_address);
	cr_expect_eq(description_find_handler("/mtu"), &handler_link);
	cr_expect_eq(description_find_handler("/gateway"), &handler_route);
	cr_expect_eq(description_find_handler("/nameserver/ra/001"), &handler_dns);
	cr_expect_eq(description_find_handler("/nameserver/"), &handler_dns);
	cr_expect_null(description_find_handler("/lease/state"));
	cr_expect_null(description_find_handler("/lease/"));
	cr_expect_null(description_find_handler("/"));
}
