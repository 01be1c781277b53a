/* SPDX-License-Identifier: Apache-2.0 */
/* Which name servers and names of several calves get into resolv.conf. */
#include "tests/unit/support-providers.h"

static char text[DNS_TEXT_SIZE];
static struct dns_settings settings;
static bool ends;

TestSuite(handlers_dns_servers, .init = providers_setup, .fini = dns_teardown);

/* The text if there is only one instance, with or without its lease. */
static int compose_at(bool is_leased)
{
	static struct dns_list list;
	int r;

	context.error[0] = '\0';
	memset(&list, 0, sizeof(list));
	r = dns_settings_init(&settings, &context, &wanted, is_leased, &ends);
	dns_list_add(&list, &settings);
	(void)dns_list_format(&list, text);
	return r;
}

static int compose(void)
{
	return compose_at(true);
}

#define EXPECT(_text)                                            \
	do {                                                     \
		cr_expect_eq(compose(), 0, "%s", context.error); \
		cr_expect_str_eq(text, HEADER _text);            \
	} while (0)

Test(handlers_dns_servers, first_of_each_then_second_of_each)
{
	set_own("/nameserver/001", "192.0.2.1");
	set_own("/nameserver/002", "192.0.2.2");
	set_own("/nameserver/003", "192.0.2.3");
	EXPECT("nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n");
	set("/nameserver/ra/001", "2001:db8::1");
	set("/nameserver/ra/002", "2001:db8::2");
	EXPECT("nameserver 192.0.2.1\nnameserver 2001:db8::1\nnameserver 192.0.2.2\n");
	set("/nameserver/dhcp6/001", "2001:db8::53");
	EXPECT("nameserver 192.0.2.1\nnameserver 2001:db8::53\nnameserver 2001:db8::1\n");
	memcpy(options.providers[0], "ra", 3);
	memcpy(options.providers[2], "dhcp4", 6);
	EXPECT("nameserver 2001:db8::1\nnameserver 2001:db8::53\nnameserver 192.0.2.1\n");
}

Test(handlers_dns_servers, each_once)
{
	set_own("/nameserver/001", "192.0.2.1");
	set_own("/nameserver/002", "192.0.2.2");
	set("/nameserver/dhcp6/001", "192.0.2.1");
	set("/nameserver/dhcp6/002", "192.0.2.3");
	set("/nameserver/ra/001", "192.0.2.1");
	EXPECT("nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n");
}

/* Both families survive the loss of one. */
Test(handlers_dns_servers, third_is_of_the_other_family)
{
	set("/nameserver/dhcp6/001", "2001:db8::1");
	set("/nameserver/dhcp6/002", "2001:db8::2");
	set("/nameserver/ra/001", "2001:db8::3");
	set("/nameserver/ra/002", "2001:db8::4");
	EXPECT("nameserver 2001:db8::1\nnameserver 2001:db8::3\nnameserver 2001:db8::2\n");
	set("/nameserver/ra/003", "192.0.2.3");
	set("/nameserver/ra/004", "192.0.2.4");
	EXPECT("nameserver 2001:db8::1\nnameserver 2001:db8::3\nnameserver 192.0.2.3\n");
	test_remove(&wanted, "/nameserver/dhcp6/001");
	test_remove(&wanted, "/nameserver/dhcp6/002");
	test_remove(&wanted, "/nameserver/ra/002");
	test_remove(&wanted, "/nameserver/ra/003");
	set("/nameserver/dhcp4/001", "192.0.2.1");
	set("/nameserver/dhcp4/002", "192.0.2.2");
	EXPECT("nameserver 192.0.2.1\nnameserver 2001:db8::3\nnameserver 192.0.2.2\n");
	test_remove(&wanted, "/nameserver/ra/001");
	set("/nameserver/ra/005", "2001:db8::5");
	EXPECT("nameserver 192.0.2.1\nnameserver 192.0.2.4\nnameserver 2001:db8::5\n");
}

Test(handlers_dns_servers, sixty_four_servers_of_eight_providers)
{
	char path[KV_PATH_SIZE], address[32];

	wanted_deinit(&wanted);
	cr_assert_eq(wanted_init(&wanted, 256), 0);
	options.n_providers = 8;
	for (unsigned int i = 0; i < 8; i++) {
		(void)snprintf(options.providers[i], KV_NAME_SIZE, "calf-%u", 8 - i);
		for (unsigned int j = 1; j <= 8; j++) {
			(void)snprintf(path, sizeof(path), "/nameserver/calf-%u/%03u", i + 1, j);
			(void)snprintf(address, sizeof(address), "10.0.%u.%u", i + 1, j);
			set(path, address);
		}
	}
	EXPECT("nameserver 10.0.8.1\nnameserver 10.0.7.1\nnameserver 10.0.6.1\n");
	set("/nameserver/calf-1/009", "2001:db8::1");
	EXPECT("nameserver 10.0.8.1\nnameserver 10.0.7.1\nnameserver 2001:db8::1\n");
}

Test(handlers_dns_servers, calves_that_are_not_there)
{
	set("/nameserver/gone/001", "192.0.2.1");
	set("/search/gone", "gone.example");
	set("/domain/gone", "gone.example");
	cr_expect_eq(compose(), 0);
	cr_expect_str_eq(text, "", "they are not looked at, as if there were none");
	set("/nameserver/gone/001", "no address");
	set("/nameserver/ra/001", "2001:db8::1");
	EXPECT("nameserver 2001:db8::1\n");
}

Test(handlers_dns_servers, next_one_of_a_provider_with_a_wrong_one)
{
	set_own("/nameserver/001", "192.0.2.1");
	set("/nameserver/ra/001", "2001:DB8::1");
	set("/nameserver/ra/002", "2001:db8::2");
	set("/nameserver/dhcp6/001", "::");
	set("/nameserver/dhcp6/002", "2001:db8::53");
	cr_expect_eq(compose(), -EBADMSG);
	cr_expect_str_eq(context.error, "/nameserver/dhcp6/001 is \"::\": Bad message");
	cr_expect_str_eq(text, HEADER "nameserver 192.0.2.1\nnameserver 2001:db8::53\n"
				      "nameserver 2001:db8::2\n");
}

Test(handlers_dns_servers, addresses_that_no_server_has)
{
	static const char *const wrong[] = { "::",	  "::1",     "ff02::1:3", "ff0e::1",
					     "127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255",
					     "::ffff:0:1" };

	set("/nameserver/ra/002", "2001:db8::2");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		set("/nameserver/ra/001", wrong[i]);
		cr_expect_eq(compose(), -EBADMSG, "%s", wrong[i]);
		cr_expect_str_eq(text, HEADER "nameserver 2001:db8::2\n", "%s", wrong[i]);
		cr_expect_not_null(strstr(context.error, "/nameserver/ra/001 is "));
	}
}

/* What a lease says ends with it, what the others say does not. */
Test(handlers_dns_servers, end_of_the_lease)
{
	set_own("/ip", "192.0.2.5/24");
	cr_expect_eq(compose(), 0);
	cr_expect(ends, "it would be of the configuration");
	set("/nameserver/ra/001", "2001:db8::1");
	EXPECT("nameserver 2001:db8::1\n");
	cr_expect_not(ends);
	set_own("/nameserver/001", "192.0.2.1");
	set_own("/domain", "lab.example");
	EXPECT("domain lab.example\nnameserver 192.0.2.1\nnameserver 2001:db8::1\n");
	cr_expect(ends);
	cr_expect_eq(compose_at(false), 0);
	cr_expect_str_eq(text, HEADER "nameserver 2001:db8::1\n");
	cr_expect_not(ends);
	test_remove(&wanted, "/nameserver/ra/001");
	set("/search/ra", "ra.example");
	cr_expect_eq(compose_at(false), 0);
	cr_expect_str_eq(text, HEADER "search ra.example\n");
	test_remove(&wanted, "/search/ra");
	cr_expect_eq(compose_at(false), 0);
	cr_expect_str_eq(text, "");
	EXPECT("domain lab.example\nnameserver 192.0.2.1\n");
	cr_expect(ends);
}

/* A provider's word is a lease to what the operator wants. */
Test(handlers_dns_servers, configuration_without_a_lease)
{
	options.dns = (struct handler_dns){ .prepend = { 1, { "127.0.0.1" } },
					    .has_search = true,
					    .search = "corp.example" };
	cr_expect_eq(compose_at(false), 0);
	cr_expect_str_eq(text, "");
	set("/domain/ra", "ra.example");
	cr_expect_eq(compose_at(false), 0);
	cr_expect_str_eq(text, HEADER "search corp.example\nnameserver 127.0.0.1\n");
	cr_expect_not(ends);
}

Test(handlers_dns_servers, link_local_servers_only_without_others)
{
	set("/nameserver/ra/001", "fe80::1");
	set("/nameserver/ra/002", "fe80::2");
	set("/nameserver/dhcp6/001", "fe80::1");
	EXPECT("nameserver fe80::1%eth0\nnameserver fe80::2%eth0\n");
	set("/nameserver/ra/003", "2001:db8::1");
	EXPECT("nameserver 2001:db8::1\n");
	cr_expect_eq(settings.share.links.n, 0, "they are of no use to others either");
	test_remove(&wanted, "/nameserver/ra/003");
	set_own("/nameserver/001", "192.0.2.1");
	EXPECT("nameserver 192.0.2.1\n");
	cr_expect_eq(compose_at(false), 0);
	cr_expect_str_eq(text, HEADER "nameserver fe80::1%eth0\nnameserver fe80::2%eth0\n");
	test_remove(&wanted, "/nameserver/001");
	options.dns = (struct handler_dns){ .append = { 1, { "2001:db8::9" } } };
	EXPECT("nameserver 2001:db8::9\n");
	options.dns = (struct handler_dns){ .has_supersede = true };
	cr_expect_eq(compose(), 0);
	cr_expect_str_eq(text, "", "the operator wants none of them");
	options.dns = (struct handler_dns){ .has_options = true, .options = "rotate" };
	EXPECT("nameserver fe80::1%eth0\nnameserver fe80::2%eth0\noptions rotate\n");
}

Test(handlers_dns_servers, link_local_server_costs_no_turn)
{
	set("/nameserver/ra/001", "fe80::1");
	set("/nameserver/ra/002", "2001:db8::2");
	set("/nameserver/dhcp6/001", "2001:db8::53");
	set("/nameserver/dhcp6/002", "2001:db8::54");
	EXPECT("nameserver 2001:db8::53\nnameserver 2001:db8::2\nnameserver 2001:db8::54\n");
}

Test(handlers_dns_servers, link_local_servers_three_at_most)
{
	set("/nameserver/ra/001", "fe80::1");
	set("/nameserver/ra/002", "fe80::2");
	set("/nameserver/ra/003", "febf:1:2:3:4:5:6:7");
	set("/nameserver/ra/004", "fe80::4");
	set("/nameserver/dhcp6/001", "fe80::53");
	EXPECT("nameserver fe80::53%eth0\nnameserver fe80::1%eth0\nnameserver fe80::2%eth0\n");
}

/* A zone with bytes that mean something in the file, or a name that could be an index. */
Test(handlers_dns_servers, link_local_index_instead_of_a_name)
{
	static const char *const by_index[] = { "",    "a b",  "a\nb", "a#b",	   "a;b",
						"a%b", "a\tb", "12",   "\xc3\xa9", "a\x7f" };
	static const char *const by_name[] = { "eth0.100", "a_b@c:d", "4a", "fifteen-bytes.x",
					       "-" };

	set("/nameserver/ra/001", "fe80::1");
	for (size_t i = 0; i < sizeof(by_index) / sizeof(by_index[0]); i++) {
		(void)snprintf(context.uplink_name, IF_NAMESIZE, "%s", by_index[i]);
		EXPECT("nameserver fe80::1%7\n");
	}
	for (size_t i = 0; i < sizeof(by_name) / sizeof(by_name[0]); i++) {
		char expected[128];

		(void)snprintf(context.uplink_name, IF_NAMESIZE, "%s", by_name[i]);
		cr_expect_eq(compose(), 0);
		(void)snprintf(expected, sizeof(expected), HEADER "nameserver fe80::1%%%s\n",
			       by_name[i]);
		cr_expect_str_eq(text, expected);
	}
	context.uplink_ifindex = 0;
	cr_expect_eq(compose(), 0);
	cr_expect_str_eq(text, "", "there is no link");
}

Test(handlers_dns_servers, link_local_in_own_file_and_back)
{
	static struct dns_settings after;

	memset(context.uplink_name, 'e', IF_NAMESIZE - 1);
	set("/nameserver/ra/001", "febf:1111:2222:3333:4444:5555:6666:7777");
	set("/nameserver/ra/002", "fe80::2");
	cr_expect_eq(compose(), 0);
	(void)dns_settings_format(&settings, text);
	cr_expect_not_null(strstr(text, "\nnameserver febf:1111:2222:3333:4444:5555:6666:7777%"
					"eeeeeeeeeeeeeee\nnameserver fe80::2%eeeeeeeeeeeeeee\n"));
	cr_assert_eq(dns_settings_parse(&after, "test", text), 0, "%s", text);
	cr_expect_eq(memcmp(&settings, &after, sizeof(after)), 0);
}

static struct dns_list list;

static void add(const char *instance, unsigned int metric, const char *lines)
{
	char bytes[512];

	(void)snprintf(bytes, sizeof(bytes), DNS_HEADER " x)\n# metric %u /x\n%s", metric, lines);
	cr_assert_eq(dns_settings_parse(&settings, instance, bytes), 0, "%s", bytes);
	dns_list_add(&list, &settings);
}

Test(handlers_dns_servers, link_local_of_several_instances)
{
	add("a", 1, "nameserver fe80::1%eth0\n");
	add("b", 2, "nameserver fe80::1%eth1\nnameserver fe80::2%5\nnameserver fe80::3%eth1\n");
	(void)dns_list_format(&list, text);
	cr_expect_str_eq(text, "# Generated by calfpen (instances a, b)\nnameserver fe80::1%eth0\n"
			       "nameserver fe80::1%eth1\nnameserver fe80::2%5\n");
	add("c", 3, "nameserver 192.0.2.1\n");
	(void)dns_list_format(&list, text);
	cr_expect_str_eq(text,
			 "# Generated by calfpen (instances a, b, c)\nnameserver 192.0.2.1\n");
}

Test(handlers_dns_servers, link_local_texts_of_others_are_checked)
{
	static const char *const wrong[] = {
		"fe80::1",
		"fe80::1%",
		"fe80::1%eth 0",
		"fe80::1%eth0%eth0",
		"fe80::1%eth0#",
		"fe80::1%eth0;",
		"fe80::1%sixteen-bytes-xx",
		"fe80::1%eth0\nnameserver 192.0.2.1",
		"fe80::1%a\nnameserver fe80::2%a\nnameserver fe80::3%a\nnameserver fe80::4%a",
		"FE80::1%eth0",
		"fe80::01%eth0",
		"2001:db8::1%eth0",
		"::1%lo",
		"ff02::1%eth0",
		"192.0.2.1%eth0",
		"%eth0",
		"fe80:1111:2222:3333:4444:5555:6666:77777%eeeeeeeeeeeeeee",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char bytes[256];

		(void)snprintf(bytes, sizeof(bytes),
			       DNS_HEADER " x)\n# metric 1 /x\nnameserver %s\n", wrong[i]);
		cr_expect_eq(dns_settings_parse(&settings, "x", bytes), -EBADMSG, "%s", wrong[i]);
	}
	add("x", 1, "nameserver 2001:db8::1\nnameserver 192.0.2.1\n");
}

/* names */

Test(handlers_dns_servers, names_of_several)
{
	set_own("/domain", "one.example");
	EXPECT("domain one.example\n");
	set("/domain/ra", "two.example");
	EXPECT("search one.example two.example\n");
	set("/search/ra", "three.example ONE.example four.example");
	EXPECT("search one.example three.example four.example\n");
	set_own("/search", "five.example");
	EXPECT("search five.example three.example ONE.example four.example\n");
	test_remove(&wanted, "/search/ra");
	EXPECT("search five.example two.example\n");
	set("/search/ra", "three.example ONE.example four.example");
	set("/search/dhcp6", "three.example six_6.example");
	EXPECT("search five.example three.example six_6.example ONE.example four.example\n");
	options.use_domain = false;
	test_remove(&wanted, "/search");
	EXPECT("search three.example six_6.example ONE.example four.example\n");
}

Test(handlers_dns_servers, one_domain_of_two_is_a_search_list)
{
	set("/domain/dhcp6", "lab.example");
	EXPECT("domain lab.example\n");
	set("/domain/ra", "lab.example");
	EXPECT("search lab.example\n");
	set("/domain/dhcp6", "no domain");
	cr_expect_eq(compose(), -EBADMSG);
	cr_expect_str_eq(text, HEADER "domain lab.example\n");
	cr_expect_str_eq(context.error, "/domain/dhcp6 is \"no domain\": Bad message");
}

Test(handlers_dns_servers, names_are_bounded)
{
	char names[KV_VALUE_SIZE] = "";

	for (unsigned int i = 0; i < 4; i++)
		(void)snprintf(names + strlen(names), sizeof(names) - strlen(names),
			       "%s%.58s%u.example", i ? " " : "",
			       "a23456789012345678901234567890123456789012345678901234567890", i);
	set("/search/ra", "a.example b.example c.example d.example");
	set("/search/dhcp6", "e.example f.example b.example");
	EXPECT("search e.example f.example b.example a.example c.example d.example\n");
	set("/search/dhcp6", names);
	cr_expect_eq(compose(), 0);
	cr_expect_not_null(strstr(text, "782.example\n"), "%s", text);
	cr_expect_null(strstr(text, "a.example"), "the order is kept");
	cr_expect_leq(strlen(text), sizeof(HEADER "search \n") + DNS_SEARCH_LENGTH);
}
