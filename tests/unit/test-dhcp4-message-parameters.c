/* SPDX-License-Identifier: Apache-2.0 */
/* What a server says about the network, and what the operator wants of it. */
#include "tests/unit/dhcp4-flaws.h"
#include "tests/unit/dhcp4-parse.h"

static const struct message_parameters *const got = &message.parameters;

#define PARSE(_code, _text) parse_one(_code, _text, sizeof(_text) - 1)

Test(parameters, time_servers)
{
	PARSE(OPTION_TIME_SERVER, "\xc0\0\2\1\xc0\0\2\2");
	cr_assert_eq(got->n_time_servers, 2);
	cr_assert_eq(got->time_servers[1].s_addr, inet_addr("192.0.2.2"));
	cr_assert_eq(got->n_left_out, 0);
}

Test(parameters, Q45_servers_that_are_none)
{
	static const uint8_t codes[] = { OPTION_NAME_SERVER, OPTION_TIME_SERVER };
	static const uint8_t servers[] = { 0,	0, 0, 0, 192, 0,   2,	1,   127, 0, 0, 1,
					   224, 0, 1, 1, 255, 255, 255, 255, 192, 0, 2, 2 };

	for (size_t i = 0; i < sizeof(codes); i++) {
		parse_one(codes[i], servers, sizeof(servers));
		cr_assert_eq(got->n_name_servers + got->n_time_servers, 2);
		cr_assert_eq(got->n_left_out, 0, "they are wrong, not too many");
	}
	cr_assert_eq(got->time_servers[0].s_addr, inet_addr("192.0.2.1"));
	cr_assert_eq(got->time_servers[1].s_addr, inet_addr("192.0.2.2"));
}

Test(parameters, servers_beyond_the_limit_are_counted)
{
	uint8_t bytes[63 * 4];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i % 4 == 3 ? i / 4 + 1 : 10);
	begin();
	reply_option(&reply, OPTION_NAME_SERVER, bytes, 36);
	reply_option(&reply, OPTION_TIME_SERVER, bytes, sizeof(bytes));
	end_and_parse();
	cr_assert_eq(got->n_name_servers, 8);
	cr_assert_eq(got->n_time_servers, 8);
	cr_assert_eq(got->n_left_out, 1 + 55);
}

Test(parameters, C4_16_time_servers_with_a_ragged_tail)
{
	uint8_t bytes[255];

	memset(bytes, 10, sizeof(bytes));
	for (size_t size = 0; size <= 255; size++) {
		parse_one(OPTION_TIME_SERVER, bytes, size);
		cr_assert_eq(got->n_time_servers, size % 4 ? 0 : size / 4 < 8 ? size / 4 : 8);
	}
}

/* Two routers: one is used, the other is a spare one and no loss. */
Test(parameters, spare_routers_are_not_counted)
{
	PARSE(OPTION_ROUTER, "\xc0\0\2\1\xc0\0\2\2");
	cr_assert_eq(got->gateway.s_addr, inet_addr("192.0.2.1"));
	cr_assert_eq(got->n_left_out, 0);
}

Test(parameters, C4_27_routes_beyond_the_limit_are_counted)
{
	begin();
	for (int i = 0; i < 70; i++) {
		uint8_t route[] = { 24, 10, 0, (uint8_t)i, 192, 0, 2, 1 };

		reply_option(&reply, OPTION_CLASSLESS_ROUTE, route, sizeof(route));
	}
	end_and_parse();
	cr_assert_eq(got->n_routes, 64);
	cr_assert_eq(got->n_left_out, 6);
}

static void parse_all_routes(void)
{
	begin();
	reply_option(&reply, OPTION_CLASSLESS_ROUTE, "\x8\xa\xc0\0\2\1", 6);
	reply_option(&reply, OPTION_CLASSLESS_ROUTE_MICROSOFT, "\x8\xb\xc0\0\2\2", 6);
	reply_address(&reply, OPTION_ROUTER, "192.0.2.3");
	reply_option(&reply, OPTION_STATIC_ROUTE, "\xc\0\0\0\xc0\0\2\4", 8);
	end_and_parse();
}

Test(parameters, Q41_V4_46_121_alone_is_used)
{
	parse_all_routes();
	cr_assert_eq(got->n_routes, 1);
	cr_assert_eq(got->routes[0].destination.s_addr, inet_addr("10.0.0.0"));
	cr_assert_eq(got->gateway.s_addr, INADDR_ANY);
}

Test(parameters, Q43_121_can_be_ignored)
{
	support_policy.ignore_classless = true;
	parse_all_routes();
	cr_assert_eq(got->n_routes, 1);
	cr_assert_eq(got->routes[0].destination.s_addr, inet_addr("12.0.0.0"));
	cr_assert_eq(got->gateway.s_addr, inet_addr("192.0.2.3"));
}

Test(parameters, Q42_249_can_be_ignored)
{
	for (int ignored = 0; ignored < 2; ignored++) {
		support_policy.ignore_microsoft_classless = ignored;
		begin();
		reply_option(&reply, OPTION_CLASSLESS_ROUTE_MICROSOFT, "\0\xc0\0\2\2", 5);
		reply_address(&reply, OPTION_ROUTER, "192.0.2.3");
		end_and_parse();
		cr_assert_eq(got->gateway.s_addr, inet_addr(ignored ? "192.0.2.3" : "192.0.2.2"));
	}
	parse_all_routes();
	cr_assert_eq(got->routes[0].destination.s_addr, inet_addr("10.0.0.0"), "121 is used");
}

/* An INFORM's answer leases nothing: the address in use is ciaddr. */
Test(parameters, V4_31_Q40_own_address_of_an_inform)
{
	struct in_addr own = address("192.0.2.77");

	reply_begin(&reply, MESSAGE_ACK, 1, "0.0.0.0");
	memcpy(reply.bytes + AT_CIADDR, &own, 4);
	reply_option(&reply, OPTION_CLASSLESS_ROUTE, "\x8\xa\xc0\0\2\x4d", 6);
	end_and_parse();
	cr_assert_not(message.has_lease_time);
	cr_assert_eq(got->n_routes, 1);
	cr_assert(got->routes[0].onlink);
}

Test(parameters, Q33_Q38_host_name_if_asked_for)
{
	PARSE(OPTION_HOST_NAME, "calf.example.org");
	cr_assert_str_eq(got->host_name, "", "not requested");
	support_policy.use_host_name = true;
	PARSE(OPTION_HOST_NAME, "calf");
	cr_assert_str_eq(got->host_name, "calf");
	PARSE(OPTION_HOST_NAME, "calf.example.org.\0\0");
	cr_assert_str_eq(got->host_name, "calf.example.org");
	PARSE(OPTION_HOST_NAME, "");
	cr_assert_str_eq(got->host_name, "");
	/* 12 is what the server gives, 81 mostly echoes what we sent */
	begin();
	reply_option(&reply, OPTION_FQDN, "\4\0\0\4calf\3org\0", 13);
	reply_option(&reply, OPTION_HOST_NAME, "cow", 3);
	end_and_parse();
	cr_assert_str_eq(got->host_name, "cow");
	begin();
	reply_option(&reply, OPTION_HOST_NAME, "$(cow)", 6);
	reply_option(&reply, OPTION_FQDN, "\4\0\0\4calf\3org\0", 13);
	end_and_parse();
	cr_assert_str_eq(got->host_name, "calf.org");
}

Test(parameters, C4_24_host_name_of_255_without_nul)
{
	char text[255];

	support_policy.use_host_name = true;
	memset(text, 'a', sizeof(text));
	parse_one(OPTION_HOST_NAME, text, 255);
	cr_assert_str_eq(got->host_name, "");
	for (size_t i = 63; i < sizeof(text); i += 64)
		text[i] = '.';
	parse_one(OPTION_HOST_NAME, text, 255);
	cr_assert_str_eq(got->host_name, "", "of 255, the longest is 253");
	parse_one(OPTION_HOST_NAME, text, 253);
	cr_assert_eq(strlen(got->host_name), 253);
}

/* Whatever a shell, a file or a terminal could be attacked with. */
Test(parameters, C4_08_C4_11_texts_that_attack)
{
	static const char *const texts[] = { "a;reboot", "a&b",	 "$(id)",    "`id`",  "a'b",
					     "a\"b",	 "a\\b", "a\nb",     "a\tb",  "a b|c",
					     "../../x",	 "a/b",	 "a\x1b[1m", "a\xff", "<a>",
					     "a{b}",	 "a*b",	 "a#b",	     "-rf",   "a=b" };
	static const uint8_t codes[] = { OPTION_HOST_NAME,
					 OPTION_DOMAIN_NAME,
					 OPTION_FQDN,
					 OPTION_SEARCH,
					 OPTION_CAPTIVE_PORTAL,
					 101,
					 100,
					 14,
					 17,
					 66,
					 67,
					 252 };

	support_policy.use_host_name = true;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (size_t j = 0; j < sizeof(codes); j++) {
			char text[32] = "\4\0\0"; /* of 81: its flags */
			size_t flags = codes[j] == OPTION_FQDN ? 3 : 0;

			memcpy(text + flags, texts[i], strlen(texts[i]));
			parse_one(codes[j], text, flags + strlen(texts[i]));
			cr_assert_str_eq(got->host_name, "", "%u: %s", codes[j], texts[i]);
			cr_assert_str_eq(got->search, "");
			cr_assert_str_eq(got->captive_portal, "");
			/* parts of "a b|c" that are names are names */
			cr_assert(strcmp(got->domain, "") == 0 || strcmp(got->domain, "a") == 0);
		}
}

Test(parameters, V4_62_captive_portal)
{
	PARSE(OPTION_CAPTIVE_PORTAL, "https://portal.example.org/api?x=%20y");
	cr_assert_str_eq(got->captive_portal, "https://portal.example.org/api?x=%20y");
	PARSE(OPTION_CAPTIVE_PORTAL, "http://192.0.2.1/\0");
	cr_assert_str_eq(got->captive_portal, "http://192.0.2.1/");
	PARSE(OPTION_CAPTIVE_PORTAL, "urn:ietf:params:capport:unrestricted");
	cr_assert_str_eq(got->captive_portal, "", "no portal: no key");
}

Test(parameters, V4_62_captive_portals_that_are_none)
{
	static const char *const texts[] = { "",
					     "https:",
					     "file:///etc/passwd",
					     "javascript:alert(1)",
					     "data:text/html,x",
					     "portal.example.org",
					     "https://a b/",
					     "https://a/%zz",
					     "https://a/\"><script>",
					     "https://a/\n",
					     "https://a/\\",
					     " https://a/" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		parse_one(OPTION_CAPTIVE_PORTAL, texts[i], strlen(texts[i]));
		cr_assert_str_eq(got->captive_portal, "", "%s", texts[i]);
	}
	PARSE(OPTION_CAPTIVE_PORTAL, "https://a/\0b");
	cr_assert_str_eq(got->captive_portal, "");
}

/* Longer than one option can be, up to what a value can be. */
Test(parameters, V4_42_captive_portal_in_parts)
{
	char text[KV_VALUE_SIZE] = "https://a/";

	for (size_t size = KV_VALUE_MAX; size <= KV_VALUE_MAX + 1; size++) {
		memset(text + 10, 'x', size - 10);
		begin();
		for (size_t at = 0; at < size; at += 255)
			reply_option(&reply, OPTION_CAPTIVE_PORTAL, text + at,
				     size - at < 255 ? size - at : 255);
		end_and_parse();
		cr_assert_eq(strlen(got->captive_portal), size == KV_VALUE_MAX ? size : 0);
	}
}

Test(parameters, V4_60_ipv6_only_if_asked_for)
{
	PARSE(OPTION_IPV6_ONLY, "\0\0\7\x08");
	cr_assert_not(got->has_ipv6_only, "unrequested");
	support_policy.ipv6_mostly = true;
	PARSE(OPTION_IPV6_ONLY, "\0\0\7\x08");
	cr_assert(got->has_ipv6_only);
	cr_assert_eq(got->ipv6_only_s, 1800);
	begin();
	end_and_parse();
	cr_assert_not(got->has_ipv6_only);
}

/* It takes IPv4 away: no other length is believed, not even a longer one. */
Test(parameters, V4_60_C4_22_length_of_ipv6_only)
{
	static const uint8_t bytes[255] = { 0, 0, 7, 8 };

	support_policy.ipv6_mostly = true;
	for (size_t size = 0; size <= 255; size++) {
		parse_one(OPTION_IPV6_ONLY, bytes, size);
		cr_assert_eq(got->has_ipv6_only, size == 4, "%zu", size);
	}
}

static void ask_for(const char *codes, size_t n)
{
	support_policy.n_options = (uint8_t)n;
	memcpy(support_policy.options, codes, n);
}

Test(parameters, C4_09_options_that_are_only_stored)
{
	static const char attack[] = "x$(reboot)\n'\";";

	PARSE(252, "wpad");
	cr_assert_eq(got->n_options, 0, "not requested");
	ask_for("\xfc\xf5", 2);
	begin();
	reply_option(&reply, 245, "\1\2", 2);
	reply_option(&reply, 252, attack, sizeof(attack) - 1);
	reply_option(&reply, 253, "no", 2);
	end_and_parse();
	cr_assert_eq(got->n_options, 2);
	cr_assert_eq(got->options[0].code, 252, "in the order of asking");
	cr_assert_eq(got->options[0].size, sizeof(attack) - 1);
	cr_assert_eq(memcmp(got->option_bytes + got->options[0].at, attack, sizeof(attack) - 1), 0);
	cr_assert_eq(got->options[1].code, 245);
	cr_assert_eq(memcmp(got->option_bytes + got->options[1].at, "\1\2", 2), 0);
}

/* 90 and 212 as well: they are not looked into. */
Test(parameters, C4_19_C4_21_options_of_every_length)
{
	static const uint8_t codes[] = { 90, 212, 43, 125 };
	uint8_t bytes[255];

	memset(bytes, 0xa5, sizeof(bytes));
	ask_for("\x5a\xd4\x2b\x7d", 4);
	for (size_t i = 0; i < sizeof(codes); i++)
		for (size_t size = 0; size <= 255; size++) {
			parse_one(codes[i], bytes, size);
			cr_assert_eq(got->n_options, 1);
			cr_assert_eq(got->options[0].size, size);
		}
}

Test(parameters, options_that_are_too_long_are_counted)
{
	uint8_t bytes[255];

	memset(bytes, 0x5a, sizeof(bytes));
	ask_for("\xe0\xe1\xe2\xe3\xe4", 5);
	/* 511 octets are a value, 512 are not */
	begin();
	for (int i = 0; i < 2; i++)
		reply_option(&reply, 224, bytes, 255);
	reply_option(&reply, 224, bytes, 1);
	for (int i = 0; i < 2; i++)
		reply_option(&reply, 225, bytes, 255);
	reply_option(&reply, 225, bytes, 2);
	end_and_parse();
	cr_assert_eq(got->n_options, 1);
	cr_assert_eq(got->options[0].size, 511);
	cr_assert_eq(got->n_left_out, 1);
	/* three times 511 are all there is room for */
	begin();
	for (uint8_t code = 224; code < 228; code++)
		for (int i = 0; i < 3; i++)
			reply_option(&reply, code, bytes, i < 2 ? 255 : 1);
	reply_option(&reply, 228, bytes, 3);
	end_and_parse();
	cr_assert_eq(got->n_options, 4);
	cr_assert_eq(got->options[3].code, 228);
	cr_assert_eq(got->options[3].at, 3 * 511);
	cr_assert_eq(got->n_left_out, 1);
}

Test(parameters, V4_54_rapid_commit_and_V4_61_auto_configure)
{
	begin();
	end_and_parse();
	cr_assert_not(message.has_rapid_commit || message.has_auto_configure);
	begin();
	reply_option(&reply, OPTION_RAPID_COMMIT, "", 0);
	reply_option(&reply, OPTION_AUTO_CONFIGURE, "\0", 1);
	end_and_parse();
	cr_assert(message.has_rapid_commit && message.has_auto_configure);
	PARSE(OPTION_AUTO_CONFIGURE, "");
	cr_assert_not(message.has_auto_configure);
}

Test(parameters, Q25_lease_time_of_0_and_none)
{
	begin();
	end_and_parse();
	cr_assert_not(message.has_lease_time);
	PARSE(OPTION_LEASE_TIME, "\0\0\0");
	cr_assert_not(message.has_lease_time);
	PARSE(OPTION_LEASE_TIME, "\0\0\0\0");
	cr_assert(message.has_lease_time && message.lease_s == 0);
}

/* Not only names: whatever is there and not used is counted. */
Test(parameters, U26_other_values_that_are_left_out)
{
	PARSE(OPTION_SUBNET_MASK, "\xff\0\xff\0");
	assert_flaws(&got->flaws, FLAW_MASK, OPTION_SUBNET_MASK, 1, "255.0.255.0");
	PARSE(OPTION_SUBNET_MASK, "\0\0\0\0");
	assert_flaws(&got->flaws, FLAW_MASK, OPTION_SUBNET_MASK, 1, "0.0.0.0");
	PARSE(OPTION_SUBNET_MASK, "\xff\xff\xff");
	assert_flaws(&got->flaws, FLAW_MASK, OPTION_SUBNET_MASK, 1, "");
	PARSE(OPTION_SUBNET_MASK, "\xff\xff\xff\xff");
	assert_flaws(&got->flaws, FLAW_MASK, OPTION_SUBNET_MASK, 0, NULL);
	PARSE(OPTION_NAME_SERVER, "\x7f\0\0\1\xc0\0\2\1\0\0\0\0");
	assert_flaws(&got->flaws, FLAW_NAME_SERVER, OPTION_NAME_SERVER, 2, "127.0.0.1");
	PARSE(OPTION_TIME_SERVER, "\xe0\0\1\1");
	assert_flaws(&got->flaws, FLAW_TIME_SERVER, OPTION_TIME_SERVER, 1, "224.0.1.1");
	PARSE(OPTION_TIME_SERVER, "\xc0\0\2\1\xc0");
	assert_flaws(&got->flaws, FLAW_TIME_SERVER, OPTION_TIME_SERVER, 1, "");
	PARSE(OPTION_MTU, "\2\x3f");
	assert_flaws(&got->flaws, FLAW_MTU, OPTION_MTU, 1, "575");
	PARSE(OPTION_MTU, "\0\x20");
	assert_flaws(&got->flaws, FLAW_MTU, OPTION_MTU, 1, "32");
	PARSE(OPTION_MTU, "\2\x40");
	assert_flaws(&got->flaws, FLAW_MTU, OPTION_MTU, 0, NULL);
	support_policy.mtu_min = 1280;
	PARSE(OPTION_MTU, "\2\x40");
	assert_flaws(&got->flaws, FLAW_MTU, OPTION_MTU, 1, "576");
	PARSE(OPTION_CAPTIVE_PORTAL, "file:///etc/passwd");
	assert_flaws(&got->flaws, FLAW_PORTAL, OPTION_CAPTIVE_PORTAL, 1, "file:///etc/passwd");
	PARSE(OPTION_CAPTIVE_PORTAL, "portal.example");
	assert_flaws(&got->flaws, FLAW_PORTAL, OPTION_CAPTIVE_PORTAL, 1, "portal.example");
	PARSE(OPTION_CAPTIVE_PORTAL, "https://a/\0b");
	assert_flaws(&got->flaws, FLAW_PORTAL, OPTION_CAPTIVE_PORTAL, 1, "");
	PARSE(OPTION_CAPTIVE_PORTAL, "urn:ietf:params:capport:unrestricted");
	assert_flaws(&got->flaws, FLAW_PORTAL, OPTION_CAPTIVE_PORTAL, 0, NULL);
	PARSE(OPTION_CAPTIVE_PORTAL, "https://p.example/");
	assert_flaws(&got->flaws, FLAW_PORTAL, OPTION_CAPTIVE_PORTAL, 0, NULL);
}

Test(parameters, U26_host_name_that_nobody_asked_for)
{
	PARSE(OPTION_HOST_NAME, "ca_lf");
	assert_flaws(&got->flaws, FLAW_HOST_NAME, OPTION_HOST_NAME, 0, NULL);
	support_policy.use_host_name = true;
	PARSE(OPTION_HOST_NAME, "ca_lf");
	assert_flaws(&got->flaws, FLAW_HOST_NAME, OPTION_HOST_NAME, 1, "ca_lf");
}

/* Long texts are cut, and the first one is kept. */
Test(parameters, U26_text_of_a_flaw)
{
	char text[200];

	memset(text, 'a', sizeof(text));
	memcpy(text + 100, " b;", 3);
	parse_one(OPTION_DOMAIN_NAME, text, sizeof(text));
	cr_assert_eq(got->flaws.of[FLAW_DOMAIN].n, 2);
	cr_assert_eq(strlen(got->flaws.of[FLAW_DOMAIN].text), FLAW_TEXT_SIZE - 1);
}

/* A renewal: what was parsed first is kept as far as `got` allows. */
static struct message_parameters first;

static struct message_parameters kept(void)
{
	struct message_parameters parameters = *got;

	message_parameters_keep(&parameters, &first);
	return parameters;
}

Test(parameters, U03_empty_renewal_keeps_every_option)
{
	static const uint8_t codes[] = { 245, 252 };
	struct message_parameters after;

	support_policy = (struct message_policy){ .ipv6_mostly = true,
						  .use_host_name = true,
						  .n_options = sizeof(codes) };
	memcpy(support_policy.options, codes, sizeof(codes));
	begin();
	reply_address(&reply, OPTION_SUBNET_MASK, "255.255.255.192");
	reply_address(&reply, OPTION_ROUTER, "192.0.2.1");
	reply_option(&reply, OPTION_STATIC_ROUTE, "\x0a\0\0\1\xc0\0\2\2", 8);
	reply_address(&reply, OPTION_NAME_SERVER, "192.0.2.53");
	reply_address(&reply, OPTION_TIME_SERVER, "192.0.2.123");
	reply_option(&reply, OPTION_MTU, "\5\x78", 2);
	reply_option(&reply, OPTION_HOST_NAME, "box", 3);
	reply_option(&reply, OPTION_DOMAIN_NAME, "example.org", 11);
	reply_option(&reply, OPTION_SEARCH, "\1a\0\1b\0", 6);
	reply_option(&reply, OPTION_CAPTIVE_PORTAL, "https://p.example/", 18);
	reply_u32(&reply, OPTION_IPV6_ONLY, 1800);
	reply_option(&reply, 245, "\1\2\3", 3);
	reply_option(&reply, 252, "wpad", 4);
	end_and_parse();
	first = *got;
	cr_assert(first.n_routes == 1 && first.n_options == 2 && first.has_ipv6_only);
	begin();
	end_and_parse();
	after = kept();
	cr_assert_eq(memcmp(&after, &first, sizeof(first)), 0);
	/* one of the options of the operator is new, and longer */
	begin();
	reply_option(&reply, 245, "\1\2\3\4\5", 5);
	end_and_parse();
	after = kept();
	cr_assert_eq(after.n_options, 2);
	cr_assert_eq(after.options[0].size, 5);
	cr_assert_eq(memcmp(after.option_bytes + after.options[0].at, "\1\2\3\4\5", 5), 0);
	cr_assert_eq(memcmp(after.option_bytes + after.options[1].at, "wpad", 4), 0);
}

/* What is there but wrong counts as missing. */
Test(parameters, U03_wrong_options_of_a_renewal_change_nothing)
{
	begin();
	reply_address(&reply, OPTION_SUBNET_MASK, "255.255.255.0");
	reply_address(&reply, OPTION_ROUTER, "192.0.2.1");
	reply_address(&reply, OPTION_NAME_SERVER, "192.0.2.53");
	reply_option(&reply, OPTION_CLASSLESS_ROUTE, "\x08\x0a\xc0\0\2\2\0\xc0\0\2\3", 11);
	end_and_parse();
	first = *got;
	cr_assert(first.classless_code == OPTION_CLASSLESS_ROUTE && first.n_routes == 1);
	begin();
	reply_address(&reply, OPTION_SUBNET_MASK, "255.0.255.0");
	reply_address(&reply, OPTION_ROUTER, "0.0.0.0");
	reply_option(&reply, OPTION_NAME_SERVER, "\xc0\0\2", 3);
	reply_option(&reply, OPTION_CLASSLESS_ROUTE, "\x21", 1);
	end_and_parse();
	cr_assert_eq(kept().prefix_length, 24);
	cr_assert_eq(kept().gateway.s_addr, inet_addr("192.0.2.3"));
	cr_assert_eq(kept().n_routes, 1);
	cr_assert_eq(kept().n_name_servers, 1);
}

/* Names that can only be searched are a mentioned domain, too. */
Test(parameters, U26_renewal_with_names_to_search)
{
	begin();
	reply_option(&reply, OPTION_DOMAIN_NAME, "a.example b.example", 19);
	end_and_parse();
	first = *got;
	PARSE(OPTION_DOMAIN_NAME, "c_d.example");
	cr_assert_str_eq(kept().search, "c_d.example");
	cr_assert_str_eq(kept().domain, "");
	PARSE(OPTION_DOMAIN_NAME, "c,d.example");
	cr_assert_str_eq(kept().search, "a.example b.example");
	cr_assert_str_eq(kept().domain, "a.example");
	cr_assert_eq(kept().flaws.of[FLAW_DOMAIN].n, 1);
}

/* Options that say that there is nothing, or that replace others. */
Test(parameters, U03_renewal_may_take_away)
{
	begin();
	reply_address(&reply, OPTION_ROUTER, "192.0.2.1");
	reply_option(&reply, OPTION_STATIC_ROUTE, "\x0a\0\0\1\xc0\0\2\2", 8);
	reply_option(&reply, OPTION_DOMAIN_NAME, "a.example b.example", 19);
	reply_option(&reply, OPTION_CAPTIVE_PORTAL, "https://p.example/", 18);
	end_and_parse();
	first = *got;
	cr_assert_str_eq(first.search, "a.example b.example");
	begin();
	reply_option(&reply, OPTION_CLASSLESS_ROUTE, "\x08\x0a\xc0\0\2\2", 6);
	reply_option(&reply, OPTION_DOMAIN_NAME, "c.example", 9);
	reply_option(&reply, OPTION_CAPTIVE_PORTAL, "urn:ietf:params:capport:unrestricted", 36);
	end_and_parse();
	cr_assert_eq(kept().gateway.s_addr, INADDR_ANY, "121 has no default route");
	cr_assert_eq(kept().n_routes, 1);
	cr_assert_eq(kept().routes[0].prefix_length, 8);
	cr_assert_str_eq(kept().domain, "c.example");
	cr_assert_str_eq(kept().search, "", "the list was that of the former option 15");
	cr_assert_str_eq(kept().captive_portal, "");
	/* a list of 119 is not replaced by an option 15 */
	begin();
	reply_option(&reply, OPTION_SEARCH, "\1a\0", 3);
	end_and_parse();
	first = *got;
	begin();
	reply_option(&reply, OPTION_DOMAIN_NAME, "c.example", 9);
	end_and_parse();
	cr_assert_str_eq(kept().search, "a");
	cr_assert_str_eq(kept().domain, "c.example");
}

/* Leave octets on the stack that a text may not pick up. */
static __attribute__((noinline)) void fill_stack(void)
{
	uint8_t bytes[32768];

	memset(bytes, 0xa5, sizeof(bytes));
	__asm__ volatile("" : : "r"(bytes) : "memory");
}

static void assert_ends(const char *text, size_t size, const char *expected)
{
	cr_assert_str_eq(text, expected);
	for (size_t i = strlen(text); i < size; i++)
		cr_assert_eq(text[i], 0, "octet %zu behind \"%s\"", i, expected);
}

#define ENDS(_text, _expected) assert_ends(_text, sizeof(_text), _expected)

Test(parameters, U53_texts_end_where_they_end)
{
	support_policy.use_host_name = true;
	begin();
	reply_option(&reply, OPTION_HOST_NAME, "box", 3);
	reply_option(&reply, OPTION_DOMAIN_NAME, "long.example longer.example longest.example", 43);
	reply_option(&reply, OPTION_SEARCH, "\1a\0\1b\0", 6);
	reply_option(&reply, OPTION_CAPTIVE_PORTAL, "https://p.example/", 18);
	fill_stack();
	end_and_parse();
	ENDS(got->search, "a b");
	ENDS(got->domain, "long.example");
	ENDS(got->host_name, "box");
	ENDS(got->captive_portal, "https://p.example/");
}

/* One name is no list: nothing of the attempt remains. */
Test(parameters, U53_domain_that_is_no_list)
{
	fill_stack();
	PARSE(OPTION_DOMAIN_NAME, "lonely.example");
	ENDS(got->domain, "lonely.example");
	ENDS(got->search, "");
}

/* The same octets give the same struct, also by way of a renewal. */
Test(parameters, U53_renewal_keeps_no_other_octets)
{
	struct message_parameters after;

	begin();
	reply_option(&reply, OPTION_SEARCH, "\1a\0", 3);
	reply_option(&reply, OPTION_DOMAIN_NAME, "b.example", 9);
	end_and_parse();
	first = *got;
	begin();
	reply_option(&reply, OPTION_DOMAIN_NAME, "long.example longer.example", 27);
	end_and_parse();
	after = *got;
	message_parameters_keep(&after, &first);
	ENDS(after.search, "a");
	ENDS(after.domain, "long.example");
	for (int i = 0; i < 2; i++) {
		begin();
		reply_option(&reply, OPTION_SEARCH, "\3www\7example\0", 13);
		if (i == 0)
			fill_stack();
		end_and_parse();
		if (i == 0)
			first = *got;
	}
	cr_assert_eq(memcmp(&first, got, sizeof(first)), 0);
}
