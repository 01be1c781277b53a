/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>

#include "userspace/common/value.h"

#define L63 "a23456789b123456789c123456789d123456789e123456789f123456789g123"
#define NAME_253                \
	L63 "." L63 "." L63 "." \
	    "a23456789b123456789c123456789d123456789e123456789f123456789g1"

static const struct {
	enum value_type type;
	bool good;
	const char *text;
} rows[] = {
	{ VALUE_TEXT, true, "" },
	{ VALUE_TEXT, true, " any ~ text " },
	{ VALUE_TEXT, false, "line\n" },
	{ VALUE_TEXT, false, "\x7f" },
	{ VALUE_TEXT, false, "\xc3\xa4" },
	{ VALUE_TEXT, false, "\x1b[2J" },
	{ VALUE_HEX, true, "" },
	{ VALUE_HEX, true, "00ff9a" },
	{ VALUE_HEX, false, "0" },
	{ VALUE_HEX, false, "FF" },
	{ VALUE_HEX, false, "0g" },
	{ VALUE_MAC, true, "02:00:00:00:77:02" },
	{ VALUE_MAC, true, "ff:ff:ff:ff:ff:ff" },
	{ VALUE_MAC, false, "02:00:00:00:77:0A" },
	{ VALUE_MAC, false, "02:00:00:00:77" },
	{ VALUE_MAC, false, "02:00:00:00:77:" },
	{ VALUE_MAC, false, "02-00-00-00-77-02" },
	{ VALUE_MAC, false, "2:0:0:0:77:02" },
	{ VALUE_MAC, false, "" },
	{ VALUE_IPV4, true, "0.0.0.0" },
	{ VALUE_IPV4, true, "255.255.255.255" },
	{ VALUE_IPV4, false, "256.0.0.1" },
	{ VALUE_IPV4, false, "1.2.3" },
	{ VALUE_IPV4, false, "1.2.3.4.5" },
	{ VALUE_IPV4, false, "01.2.3.4" },
	{ VALUE_IPV4, false, "1.2.3.4 " },
	{ VALUE_IPV4, false, " 1.2.3.4" },
	{ VALUE_IPV4, false, "1.2.3.+4" },
	{ VALUE_IPV4, false, "1..3.4" },
	{ VALUE_IPV4, false, "" },
	{ VALUE_IPV4_NET, true, "10.0.2.15/24" },
	{ VALUE_IPV4_NET, true, "10.0.2.15/32" },
	{ VALUE_IPV4_NET, false, "10.0.2.15" },
	{ VALUE_IPV4_NET, false, "10.0.2.15/" },
	{ VALUE_IPV4_NET, false, "10.0.2.15/0" },
	{ VALUE_IPV4_NET, false, "10.0.2.15/33" },
	{ VALUE_IPV4_NET, false, "10.0.2.15/024" },
	{ VALUE_U16, true, "576" },
	{ VALUE_U16, true, "1500" },
	{ VALUE_U16, false, "575" },
	{ VALUE_U16, false, "9001" },
	{ VALUE_U16, false, "0576" },
	{ VALUE_U16, false, "-1" },
	{ VALUE_U16, false, "4294967872" },
	{ VALUE_U16, false, "" },
	{ VALUE_U32, true, "9000" },
	{ VALUE_U32, false, "0" },
	{ VALUE_U32, false, "99999999999999999999" },
	{ VALUE_LIFETIME, true, "0" },
	{ VALUE_LIFETIME, true, "4294967294" },
	{ VALUE_LIFETIME, true, "infinite" },
	{ VALUE_LIFETIME, false, "4294967295" },
	{ VALUE_LIFETIME, false, "Infinite" },
	{ VALUE_LIFETIME, false, "1.5" },
	{ VALUE_HOST, true, "ntp.example.org" },
	{ VALUE_HOST, true, "1.pool.ntp.org" },
	{ VALUE_HOST, true, "4a" },
	{ VALUE_HOST, true, "192.0.2.1" },
	{ VALUE_HOST, true, "2001:db8::1" },
	{ VALUE_HOST, false, "192.0.2.01" },
	{ VALUE_HOST, false, "192.0.2.256" },
	{ VALUE_HOST, false, "192.0.2" },
	{ VALUE_HOST, false, "4" },
	{ VALUE_HOST, false, "a.4" },
	{ VALUE_HOST, false, "a.0x4." },
	{ VALUE_HOST, false, "2001:DB8::1" },
	{ VALUE_HOST, false, "fe80::1%eth1" },
	{ VALUE_HOST, false, "ntp.example.org." },
	{ VALUE_HOST, false, "ntp_1" },
	{ VALUE_HOST, false, NAME_253 "2" },
	{ VALUE_HOST, false, "" },
	{ VALUE_HOSTNAME, true, "host" },
	{ VALUE_HOSTNAME, true, "a-1.Example.org" },
	{ VALUE_HOSTNAME, true, NAME_253 },
	{ VALUE_HOSTNAME, false, NAME_253 "2" },
	{ VALUE_HOSTNAME, false, L63 "4" },
	{ VALUE_HOSTNAME, false, "" },
	{ VALUE_HOSTNAME, false, "." },
	{ VALUE_HOSTNAME, false, "host." },
	{ VALUE_HOSTNAME, false, ".host" },
	{ VALUE_HOSTNAME, false, "a..b" },
	{ VALUE_HOSTNAME, false, "-a" },
	{ VALUE_HOSTNAME, false, "a-" },
	{ VALUE_HOSTNAME, false, "a-.b" },
	{ VALUE_HOSTNAME, false, "a_b" },
	{ VALUE_HOSTNAME, false, "a b" },
	{ VALUE_HOSTNAME, false, "$(reboot)" },
	{ VALUE_DOMAIN_LIST, true, "example.org" },
	{ VALUE_DOMAIN_LIST, true, "example.org example.net a" },
	{ VALUE_DOMAIN_LIST, false, "" },
	{ VALUE_DOMAIN_LIST, false, "a  b" },
	{ VALUE_DOMAIN_LIST, false, "a b " },
	{ VALUE_DOMAIN_LIST, false, " a" },
	{ VALUE_DOMAIN_LIST, true, "a b_c _msdcs.example.org" },
	{ VALUE_DOMAIN_LIST, false, "-a b_c" },
	{ VALUE_DOMAIN_LIST, false, "a,b" },
	{ VALUE_DOMAIN_LIST, false, "a;" },
	{ VALUE_DOMAIN_LIST, false, "a_b\nnameserver" },
	{ VALUE_DOMAIN_LIST, false, "a_b#" },
	{ VALUE_DOMAIN_LIST, false, "." },
	{ VALUE_ROUTE, true, "0.0.0.0/0 via 10.0.2.2" },
	{ VALUE_ROUTE, true, "10.1.0.0/16 onlink" },
	{ VALUE_ROUTE, true, "10.1.2.3/32 onlink" },
	{ VALUE_ROUTE, true, "255.255.255.254/31 via 255.255.255.255" },
	{ VALUE_ROUTE, false, "10.1.0.1/16 onlink" },
	{ VALUE_ROUTE, false, "0.0.0.1/0 onlink" },
	{ VALUE_ROUTE, false, "10.1.0.0/16" },
	{ VALUE_ROUTE, false, "10.1.0.0/16 via" },
	{ VALUE_ROUTE, false, "10.1.0.0/16 via 0.0.0.0" },
	{ VALUE_ROUTE, false, "10.1.0.0/16 via 10.0.0.1 onlink" },
	{ VALUE_ROUTE, false, "10.1.0.0/16  onlink" },
	{ VALUE_URI, true, "https://example.org/api?x=%2f#y" },
	{ VALUE_URI, true, "urn:ietf:params:capport:unrestricted" },
	{ VALUE_URI, false, "" },
	{ VALUE_URI, false, "example.org" },
	{ VALUE_URI, false, "1http://x" },
	{ VALUE_URI, false, "http:" },
	{ VALUE_URI, false, "http://a b" },
	{ VALUE_URI, false, "http://\"" },
	{ VALUE_URI, false, "http://%2" },
	{ VALUE_URI, false, "http://%zz" },
	{ VALUE_NUMBERED_HEX, true, "1:" },
	{ VALUE_NUMBERED_HEX, true, "43:0104deadbeef" },
	{ VALUE_NUMBERED_HEX, true, "1:00 2: 9000:ff" },
	{ VALUE_NUMBERED_HEX, false, "" },
	{ VALUE_NUMBERED_HEX, false, "0:00" },
	{ VALUE_NUMBERED_HEX, false, "01:00" },
	{ VALUE_NUMBERED_HEX, false, "9001:00" },
	{ VALUE_NUMBERED_HEX, false, "2:00 1:00" },
	{ VALUE_NUMBERED_HEX, false, "2:00 2:00" },
	{ VALUE_NUMBERED_HEX, false, "2:0" },
	{ VALUE_NUMBERED_HEX, false, "2:0g" },
	{ VALUE_NUMBERED_HEX, false, "2:FF" },
	{ VALUE_NUMBERED_HEX, false, "2" },
	{ VALUE_NUMBERED_HEX, false, "2:00 " },
	{ VALUE_NUMBERED_HEX, false, "2:00  3:00" },
	{ VALUE_NUMBERED_HEX, false, "2:00,3:00" },
};

Test(value, rules)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct value_rule rule = {
			.type = rows[i].type,
			.min = rows[i].type == VALUE_U16 ? 576 : 1,
			.max = 9000,
			.max_length = value_type_max_length(rows[i].type),
		};
		int want = rows[i].good ? 0 : -EBADMSG;

		/* Longer than any value of its type may be either error. */
		if (strlen(rows[i].text) > rule.max_length)
			want = -EMSGSIZE;
		cr_assert_eq(value_check(&rule, rows[i].text, strlen(rows[i].text)), want,
			     "%s \"%s\"", value_type_name(rows[i].type), rows[i].text);
	}
}

Test(value, length_comes_first_and_needs_no_nul)
{
	struct value_rule rule = { .type = VALUE_IPV4, .max_length = 7 };
	static char large[2048];

	cr_assert_eq(value_check(&rule, "1.2.3.45xx", 7), 0);
	cr_assert_eq(value_check(&rule, "1.2.3.45xx", 8), -EMSGSIZE);
	cr_assert_eq(value_check(&rule, "1.2.3.4\0", 8), -EMSGSIZE);
	rule.max_length = 15;
	cr_assert_eq(value_check(&rule, "1.2.3.4\0", 8), -EBADMSG, "a NUL is no end");
	cr_assert_eq(value_check(&rule, NULL, 0), -EBADMSG);
	rule = (struct value_rule){ .type = VALUE_TEXT, .max_length = UINT16_MAX };
	memset(large, 'x', sizeof(large));
	cr_assert_eq(value_check(&rule, large, KV_VALUE_MAX), 0);
	cr_assert_eq(value_check(&rule, large, KV_VALUE_MAX + 1), -EMSGSIZE);
	cr_assert_eq(value_check(&rule, NULL, 0), 0);
}

Test(value, u16_never_exceeds_its_type)
{
	struct value_rule rule = { .type = VALUE_U16, .max = UINT32_MAX, .max_length = 5 };

	cr_assert_eq(value_check(&rule, "65535", 5), 0);
	cr_assert_eq(value_check(&rule, "65536", 5), -EBADMSG);
}

Test(value, names)
{
	for (int i = 0; i < _VALUE_TYPE_N; i++) {
		cr_assert_not_null(value_type_name((enum value_type)i));
		cr_assert_leq(value_type_max_length((enum value_type)i), KV_VALUE_MAX);
	}
	cr_assert_null(value_type_name(_VALUE_TYPE_N));
}

static enum kv_class class_of(struct value_rule rule)
{
	return value_rule_class(&rule);
}

/* Lists and choices have bytes that the class of their type has not. */
Test(value, classes)
{
	cr_assert_eq(class_of((struct value_rule){ .type = VALUE_HEX }), KV_CLASS_HEX);
	cr_assert_eq(class_of((struct value_rule){ .type = VALUE_U16 }), KV_CLASS_UINT);
	cr_assert_eq(class_of((struct value_rule){ .type = VALUE_LIFETIME }), KV_CLASS_TEXT);
	cr_assert_eq(class_of((struct value_rule){ .type = _VALUE_TYPE_N }), KV_CLASS_TEXT);
	cr_assert_eq(class_of((struct value_rule){ .type = VALUE_U16, .max_items = 2 }),
		     KV_CLASS_TEXT);
	cr_assert_eq(class_of((struct value_rule){ .type = VALUE_HEX, .choices = "mac" }),
		     KV_CLASS_TEXT);
}

static int check(const struct value_rule *rule, const char *text)
{
	return value_check(rule, text, strlen(text));
}

Test(value, choices)
{
	static const struct value_rule only = { .type = VALUE_TEXT,
						.max_length = 8,
						.choices = "wait off" };
	static const struct value_rule besides = { .type = VALUE_HEX,
						   .max_length = 8,
						   .choices = "mac none" };
	static const char *const bad[] = { "", "wai", "waits", "wait off", " ", "of", "x" };

	cr_assert_eq(check(&only, "wait"), 0);
	cr_assert_eq(check(&only, "off"), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(check(&only, bad[i]), -EBADMSG, "%s", bad[i]);
	cr_assert_eq(check(&besides, "mac"), 0);
	cr_assert_eq(check(&besides, "none"), 0);
	cr_assert_eq(check(&besides, "00ff"), 0);
	cr_assert_eq(check(&besides, "ma"), -EBADMSG);
	cr_assert_eq(check(&besides, "0ff"), -EBADMSG);
}

Test(value, lists)
{
	static const struct value_rule servers = {
		.type = VALUE_IPV4, .max_length = 200, .max_items = 2, .choices = "any"
	};
	static const char *const good[] = { "1.2.3.4", "1.2.3.4 5.6.7.8", "any", "1.2.3.4 any" };
	static const char *const bad[] = { "",
					   " ",
					   "1.2.3.4 ",
					   " 1.2.3.4",
					   "1.2.3.4  5.6.7.8",
					   "1.2.3.4,5.6.7.8",
					   "1.2.3 4",
					   "1.2.3.4 5.6.7.8 9.9.9.9" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_assert_eq(check(&servers, good[i]), 0, "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(check(&servers, bad[i]), -EBADMSG, "%s", bad[i]);
}

Test(value, parsers_and_formatters_agree)
{
	char text[VALUE_IPV4_NET_SIZE];
	struct value_ipv4_net net;
	struct value_route route;
	struct in_addr address;
	uint8_t mac[6];
	uint32_t number = 7;

	cr_assert_eq(value_parse_ipv4_net("192.168.100.123/24", &net), 0);
	cr_assert_eq(net.prefix_length, 24);
	value_format_ipv4_net(&net, text);
	cr_assert_str_eq(text, "192.168.100.123/24");
	cr_assert_eq(value_parse_ipv4("10.0.2.3", &address), 0);
	cr_assert_eq(address.s_addr, inet_addr("10.0.2.3"));
	value_format_ipv4(address, text);
	cr_assert_str_eq(text, "10.0.2.3");
	cr_assert_eq(value_parse_mac("02:00:00:00:77:0a", mac), 0);
	value_format_mac(mac, text);
	cr_assert_str_eq(text, "02:00:00:00:77:0a");
	cr_assert_eq(value_parse_route("10.1.0.0/16 via 10.0.2.2", &route), 0);
	cr_assert_eq(route.prefix_length, 16);
	cr_assert_not(route.onlink);
	cr_assert_eq(route.gateway.s_addr, inet_addr("10.0.2.2"));
	cr_assert_eq(value_parse_route("10.1.0.0/16 onlink", &route), 0);
	cr_assert(route.onlink);
	cr_assert_eq(route.gateway.s_addr, 0);
	cr_assert_eq(value_parse_lifetime("infinite", &number), 0);
	cr_assert_eq(number, VALUE_LIFETIME_INFINITE);
	value_format_lifetime(number, text);
	cr_assert_str_eq(text, "infinite");
	value_format_lifetime(3600, text);
	cr_assert_str_eq(text, "3600");
	value_format_hex((const uint8_t[]){ 0x00, 0xff, 0x1a }, 3, text);
	cr_assert_str_eq(text, "00ff1a");
	value_format_hex(NULL, 0, text);
	cr_assert_str_eq(text, "");
}

Test(value, outputs_are_untouched_on_failure)
{
	struct in_addr address = { 1 };
	uint8_t mac[6] = { 9 };
	uint32_t number = 7;

	cr_assert_eq(value_parse_ipv4("1.2.3.4x", &address), -EBADMSG);
	cr_assert_eq(address.s_addr, 1);
	cr_assert_eq(value_parse_uint("12", 13, 20, &number), -EBADMSG);
	cr_assert_eq(value_parse_lifetime("", &number), -EBADMSG);
	cr_assert_eq(number, 7);
	cr_assert_eq(value_parse_mac("02:00:00:00:77:0", mac), -EBADMSG);
	cr_assert_eq(mac[0], 9);
	cr_assert(value_is_hostname("a.b"));
	cr_assert_not(value_is_hostname("a.b c"));
	cr_assert_not(value_is_hostname("a_b"));
	cr_assert(value_is_domain("a_b.c"));
	cr_assert_not(value_is_domain("a_b c"));
	cr_assert_not(value_is_domain(""));
}
