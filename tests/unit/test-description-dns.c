/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "userspace/priv/description/configuration.h"

static struct options options;
static struct configuration configuration;

static void setup(void)
{
	scratch_make();
	options.mode = -1;
	options.quarantine_s = -1;
	snprintf(options.configuration, sizeof(options.configuration), "%s",
		 scratch_path("configuration"));
}

TestSuite(description_dns, .init = setup, .fini = scratch_remove);

static int load(const char *text)
{
	scratch_write_text("configuration", text, 0600);
	capture_begin();
	return configuration_load(&options, NULL, 0, &configuration);
}

Test(description_dns, U24_nothing_by_default)
{
	const struct handler_dns *dns = &configuration.handlers.dns;

	cr_assert_eq(load("metric: 5\n"), 0);
	cr_expect(!dns->has_options && !dns->has_sortlist && !dns->has_search &&
		  !dns->has_supersede);
	cr_expect(dns->prepend.n == 0 && dns->append.n == 0 && dns->supersede.n == 0);
	cr_assert_eq(load("dns: {}\n"), 0);
}

Test(description_dns, U24_everything)
{
	const struct handler_dns *dns = &configuration.handlers.dns;

	cr_assert_eq(load("dns:\n"
			  "  options: edns0 trust-ad  timeout:1\n"
			  "  sortlist: [192.0.2.0/255.255.255.0, 10.0.0.0]\n"
			  "  search: corp.example lab.example\n"
			  "  prepend: [127.0.0.1, \"::1\"]\n"
			  "  append: 2001:DB8:0::53\n"
			  "  supersede: [192.0.2.1, 192.0.2.2, 192.0.2.3]\n"),
		     0, "%s", capture_text());
	cr_expect_str_eq(dns->options, "edns0 trust-ad timeout:1");
	cr_expect_str_eq(dns->sortlist, "192.0.2.0/255.255.255.0 10.0.0.0");
	cr_expect_str_eq(dns->search, "corp.example lab.example");
	cr_expect(dns->prepend.n == 2 && dns->append.n == 1 && dns->supersede.n == 3);
	cr_expect_str_eq(dns->prepend.addresses[0], "127.0.0.1");
	cr_expect_str_eq(dns->prepend.addresses[1], "::1");
	cr_expect_str_eq(dns->append.addresses[0], "2001:db8::53");
	cr_expect_str_eq(dns->supersede.addresses[2], "192.0.2.3");
	cr_expect(dns->has_options && dns->has_sortlist && dns->has_search && dns->has_supersede);
}

/* None, which is not the same as not set. */
Test(description_dns, U24_empty_lists)
{
	const struct handler_dns *dns = &configuration.handlers.dns;

	cr_assert_eq(load("dns: {options: \"\", search: [], supersede: []}\n"), 0, "%s",
		     capture_text());
	cr_expect(dns->has_options && dns->has_search && dns->has_supersede && !dns->has_sortlist);
	cr_expect(!dns->options[0] && !dns->search[0] && !dns->supersede.n);
}

#define TEN "a1234567890123456789012345678901234567890123456789.example "

Test(description_dns, U24_refused)
{
	static const struct {
		const char *text, *refused;
	} rows[] = {
		{ "  colour: red\n",
		  "2: unknown field \"colour\" in dns; known fields: options, sortlist, search, prepend, append, supersede" },
		{ "  prepend: [localhost]\n",
		  "2: dns: prepend: \"localhost\" is not the address of a name server, IPv4 or IPv6" },
		{ "  prepend:\n    - 127.0.0.1\n    - 127.1\n",
		  "4: dns: prepend: \"127.1\" is not the address of a name server, IPv4 or IPv6" },
		{ "  append: 0.0.0.0\n",
		  "2: dns: append: \"0.0.0.0\" is not the address of a name server, IPv4 or IPv6" },
		{ "  append: 224.0.0.53\n",
		  "2: dns: append: \"224.0.0.53\" is not the address of a name server, IPv4 or IPv6" },
		{ "  append: [\"::\"]\n",
		  "2: dns: append: \"::\" is not the address of a name server, IPv4 or IPv6" },
		{ "  append: ff02::1\n",
		  "2: dns: append: \"ff02::1\" is not the address of a name server, IPv4 or IPv6" },
		{ "  append: fe80::1%eth0\n",
		  "2: dns: append: \"fe80::1%eth0\" is not the address of a name server, IPv4 or IPv6" },
		{ "  supersede: 192.0.2.1/24\n",
		  "2: dns: supersede: \"192.0.2.1/24\" is not the address of a name server, IPv4 or IPv6" },
		{ "  supersede: [192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4]\n",
		  "2: supersede has more than 3 entries" },
		{ "  supersede: 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4\n",
		  "2: dns: supersede has more than 3 values" },
		{ "  supersede: [192.0.2.1 192.0.2.2, 192.0.2.3 192.0.2.4]\n",
		  "2: dns: supersede has more than 3 values" },
		{ "  options: \"edns0\\nnameserver 192.0.2.66\"\n",
		  "2: a value contains a byte that is not printable ASCII" },
		{ "  options: edns0;rotate\n",
		  "2: dns: options: \"edns0;rotate\" is not an option of resolv.conf" },
		{ "  options: [edns0, \"#\"]\n",
		  "2: dns: options: \"#\" is not an option of resolv.conf" },
		{ "  options: a b c d e f g h i j k l m n o p q\n",
		  "2: dns: options has more than 16 values" },
		{ "  options: {edns0: true}\n", "2: options must be text" },
		{ "  options: [[edns0]]\n", "2: options must be text" },
		{ "  sortlist: 192.0.2.0/24\n",
		  "2: dns: sortlist: \"192.0.2.0/24\" is not an IPv4 address, or ADDRESS/NETMASK" },
		{ "  sortlist: 192.0.2.0/\n",
		  "2: dns: sortlist: \"192.0.2.0/\" is not an IPv4 address, or ADDRESS/NETMASK" },
		{ "  sortlist: [\"2001:db8::\"]\n",
		  "2: dns: sortlist: \"2001:db8::\" is not an IPv4 address, or ADDRESS/NETMASK" },
		{ "  search: a..b\n", "2: dns: search: \"a..b\" is not a domain" },
		{ "  search: a b c d e f g\n", "2: dns: search has more than 6 values" },
		{ "  search: " TEN TEN TEN TEN TEN "\n",
		  "2: dns: search is longer than 256 bytes" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[1024], expected[PATH_MAX + 256];

		snprintf(text, sizeof(text), "dns:\n%s", rows[i].text);
		cr_expect_eq(load(text), -EINVAL, "accepted: %s", text);
		snprintf(expected, sizeof(expected), "%s:%s\n", options.configuration,
			 rows[i].refused);
		cr_expect_str_eq(capture_text(), expected);
	}
}
