/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/dhcp4-flaws.h"
#include "tests/unit/dhcp4-support.h"
#include "userspace/calf/dhcp4/message/names.h"

static struct option option;
static char domain[KV_VALUE_SIZE], search[KV_VALUE_SIZE];
static struct flaws flaws;

static void set(const void *bytes, size_t size)
{
	memset(&option, 0xee, sizeof(option));
	memcpy(option.bytes, bytes, size);
	option.size = size;
	memset(&flaws, 0, sizeof(flaws));
}

static const char *parse_search(const void *bytes, size_t size)
{
	set(bytes, size);
	names_parse_search(&option, search, &flaws);
	return search;
}

#define SEARCH(_x) parse_search(_x, sizeof(_x) - 1)

static const char *parse_domain(const char *text)
{
	set(text, strlen(text));
	domain[0] = search[0] = '\0';
	names_parse_domain(&option, domain, search, &flaws);
	return domain;
}

Test(search, plain_names)
{
	cr_assert_str_eq(SEARCH("\7example\3org\0\1a\0"), "example.org a");
	cr_assert_str_eq(SEARCH(""), "");
}

/* The example of RFC 3397 section 2. */
Test(search, V4_43_compressed)
{
	cr_assert_str_eq(SEARCH("\3eng\5apple\3com\0\x9marketing\xc0\4"),
			 "eng.apple.com marketing.apple.com");
	/* a pointer to a name that itself ends in a pointer */
	cr_assert_str_eq(SEARCH("\1a\0\1b\xc0\0\1c\xc0\3"), "a b.a c.b.a");
	/* a name that is nothing but a pointer */
	cr_assert_str_eq(SEARCH("\1a\0\xc0\0"), "a a");
}

Test(search, V4_43_C4_13_pointers_that_do_not_go_back)
{
	cr_assert_str_eq(SEARCH("\1a\0\xc0\3"), "", "to itself");
	cr_assert_str_eq(SEARCH("\xc0\0"), "", "to itself, at the start");
	cr_assert_str_eq(SEARCH("\1a\xc0\0"), "", "loop through a label");
	cr_assert_str_eq(SEARCH("\1a\0\1b\xc0\3"), "", "to its own name's start");
	cr_assert_str_eq(SEARCH("\xc0\3\0\1a\0"), "", "forward");
	cr_assert_str_eq(SEARCH("\1a\0\xc0\x40"), "", "past the end");
	cr_assert_str_eq(SEARCH("\1a\0\xff\xff"), "", "far past the end");
	/* two that point at each other: one of them would go forward */
	cr_assert_str_eq(SEARCH("\1a\xc0\5\0\1b\xc0\0"), "");
}

Test(search, C4_13_pointer_at_the_last_octet)
{
	cr_assert_str_eq(SEARCH("\1a\0\xc0"), "");
	cr_assert_str_eq(SEARCH("\xc0"), "");
}

/* A pointer into the middle of a label parses the octets there as a name. */
Test(search, pointer_into_a_label)
{
	cr_assert_str_eq(SEARCH("\3\1x\0\0\xc0\1"), "x");
	cr_assert_str_eq(SEARCH("\3abc\0\xc0\2"), "", "'b' is no length");
}

Test(search, V4_43_C4_13_truncated)
{
	static const char bytes[] = "\3eng\5apple\3com\0\x9marketing\xc0\4";

	for (size_t size = 0; size < sizeof(bytes) - 1; size++) {
		const char *text = parse_search(bytes, size);

		if (size == 15)
			cr_assert_str_eq(text, "eng.apple.com");
		else
			cr_assert_str_eq(text, "", "%zu", size);
	}
}

Test(search, C4_13_C4_21_labels_of_63_and_64)
{
	char bytes[80], expected[64];

	memset(bytes, 'a', sizeof(bytes));
	bytes[0] = 63;
	bytes[64] = 0;
	memset(expected, 'a', 63);
	expected[63] = '\0';
	cr_assert_str_eq(parse_search(bytes, 65), expected);
	bytes[0] = 64; /* the reserved 01 and 10 forms */
	bytes[65] = 0;
	cr_assert_str_eq(parse_search(bytes, 66), "");
	bytes[0] = (char)0x80;
	cr_assert_str_eq(parse_search(bytes, 66), "");
}

/* Names of `total` octets in wire form, root included. */
static size_t build_name(char *bytes, size_t total)
{
	size_t at = 0;

	while (at + 1 < total) {
		size_t label = total - at - 2 < 49 ? total - at - 2 : 49;

		/* no label of zero octets at the end */
		if (total - at - 2 - label == 1)
			label--;
		bytes[at] = (char)label;
		memset(bytes + at + 1, 'x', label);
		at += 1 + label;
	}
	bytes[at++] = 0;
	return at;
}

Test(search, C4_13_names_of_255_and_256)
{
	char bytes[300];

	cr_assert_eq(build_name(bytes, 255), 255);
	cr_assert_eq(strlen(parse_search(bytes, 255)), 253);
	cr_assert_eq(build_name(bytes, 256), 256);
	cr_assert_str_eq(parse_search(bytes, 256), "");
	/* and through a pointer */
	cr_assert_eq(build_name(bytes, 254), 254);
	memcpy(bytes + 254, "\1y\xc0\0", 4);
	cr_assert_str_eq(parse_search(bytes, 258), "");
}

Test(search, C4_08_names_that_are_no_host_names)
{
	cr_assert_str_eq(SEARCH("\1a\0\3;id\0\3$()\0\2a\n\0\2\"'\0\1b\0"), "a b");
	cr_assert_str_eq(SEARCH("\3a.b\0\1c\0"), "c", "a dot inside a label");
	cr_assert_str_eq(SEARCH("\3a\0b\0\1c\0"), "c", "a NUL inside a label");
	cr_assert_str_eq(SEARCH("\3a b\0\1c\0"), "c", "a blank inside a label");
	cr_assert_str_eq(SEARCH("\4_t/p\0\1c\0"), "c");
	cr_assert_str_eq(SEARCH("\2-a\0\2b-\0\1c\0"), "c");
}

Test(search, root_is_no_name)
{
	cr_assert_str_eq(SEARCH("\0"), "");
	cr_assert_str_eq(SEARCH("\0\0\1a\0\0"), "a");
}

static char host[MESSAGE_NAME_SIZE];

static const char *parse_host(const void *bytes, size_t size)
{
	set(bytes, size);
	host[0] = '\0';
	names_parse_host_name(&option, host, &flaws);
	return host;
}

static const char *parse_fqdn(const void *bytes, size_t size)
{
	set(bytes, size);
	host[0] = '\0';
	names_parse_fqdn(&option, host, &flaws);
	return host;
}

#define HOST(_x) parse_host(_x, sizeof(_x) - 1)
#define FQDN(_x) parse_fqdn(_x, sizeof(_x) - 1)

Test(host, Q32_Q33_Q38_option_12)
{
	cr_assert_str_eq(HOST("calf"), "calf");
	cr_assert_str_eq(HOST("calf.example.org"), "calf.example.org", "Q38: qualified");
	cr_assert_str_eq(HOST("calf.\0\0\0"), "calf");
	cr_assert_str_eq(HOST(""), "");
	cr_assert_str_eq(HOST("."), "");
	cr_assert_str_eq(HOST("\0"), "");
	cr_assert_str_eq(HOST("ca\0lf"), "");
	cr_assert_str_eq(HOST("ca_lf"), "");
	cr_assert_str_eq(HOST("calf cow"), "", "one name");
	cr_assert_str_eq(HOST("calf.."), "");
}

/* Flags and result codes are of the server's making: 255 means nothing. */
Test(host, Q38_option_81_in_wire_form_and_as_text)
{
	for (unsigned int flags = 0; flags < 256; flags++) {
		char wire[] = "\0\xff\xff\4calf\7example\3org\0", text[] = "\0\xff\xff"
									   "calf.example.org";

		wire[0] = text[0] = (char)flags;
		cr_assert_str_eq(parse_fqdn(wire, sizeof(wire) - 1), "calf.example.org");
		cr_assert_str_eq(parse_fqdn(text, sizeof(text) - 1), "calf.example.org");
	}
	cr_assert_str_eq(FQDN("\4\0\0\4calf"), "calf", "not qualified: no root");
	cr_assert_str_eq(FQDN("\4\0\0\4calf\3org"), "calf.org");
	cr_assert_str_eq(FQDN("\4\0\0\4calf\0\0\0"), "calf", "NULs behind it");
	cr_assert_str_eq(FQDN("\0\0\0"
			      "calf.\0"),
			 "calf");
}

Test(host, C4_06_C4_21_option_81_that_is_none)
{
	cr_assert_str_eq(FQDN(""), "");
	cr_assert_str_eq(FQDN("\4\0"), "");
	cr_assert_str_eq(FQDN("\4\0\0"), "");
	cr_assert_str_eq(FQDN("\4\0\0\0"), "");
	cr_assert_str_eq(FQDN("\4\0\0\5calf"), "");
	cr_assert_str_eq(FQDN("\4\0\0\4calf\xc0\3"), "", "a pointer");
	cr_assert_str_eq(FQDN("\4\0\0\4calf\0x"), "");
	cr_assert_str_eq(FQDN("\4\0\0\4c lf\0"), "");
	cr_assert_str_eq(FQDN("\4\0\0\4c.lf\0"), "", "a dot in a label");
	cr_assert_str_eq(FQDN("\4\0\0$(id)"), "");
}

Test(host, C4_06_labels_and_names_at_their_limits)
{
	for (unsigned int octet = 0; octet < 256; octet++) {
		uint8_t bytes[3 + 1 + 255 + 1] = { 4 };

		bytes[3] = (uint8_t)octet;
		memset(bytes + 4, 'a', octet);
		parse_fqdn(bytes, 3 + 1 + octet + 1);
		cr_assert_eq(strlen(host), octet <= 63 ? octet : 0, "%u", octet);
	}
	for (size_t last = 1; last <= 63; last++) {
		uint8_t bytes[3 + 3 * 64 + 64 + 1] = { 4 };
		size_t at = 3;

		for (int i = 0; i < 4; i++) {
			size_t n = i < 3 ? 63 : last;

			bytes[at] = (uint8_t)n;
			memset(bytes + at + 1, 'a', n);
			at += 1 + n;
		}
		parse_fqdn(bytes, at + 1);
		/* 253 in text, 255 in wire form */
		cr_assert_eq(strlen(host), last <= 61 ? 192 + last : 0, "%zu", last);
	}
}

/* Of the longest option, octet by octet: no read behind it. */
Test(host, C4_15_longest_option_81)
{
	memset(&option, 'a', sizeof(option));
	option.size = OPTION_SIZE_MAX;
	host[0] = '\0';
	names_parse_fqdn(&option, host, &flaws);
	cr_assert_str_eq(host, "");
}

Test(search, what_does_not_fit_is_left_out)
{
	char bytes[1500];
	size_t at = 0;

	while (at + 60 <= sizeof(bytes)) {
		bytes[at] = 58;
		memset(bytes + at + 1, 'a', 58);
		bytes[at + 59] = 0;
		at += 60;
	}
	parse_search(bytes, at);
	cr_assert_eq(strlen(search), 17 * 59 - 1);
	cr_assert_eq(names_parse_search(&option, search, &flaws), 25 - 17, "and counted");
	cr_assert(strlen(search) <= KV_VALUE_MAX);
}

/* Each two octets unfold to 250: refused by the budget, not by patience. */
Test(search, C4_31_pointers_that_unfold)
{
	char bytes[1500];
	size_t at = build_name(bytes, 250);

	for (; at + 2 <= sizeof(bytes); at += 2)
		memcpy(bytes + at, "\xc0\0", 2);
	cr_assert_str_eq(parse_search(bytes, at), "");
	/* a chain in which every name goes through all before it */
	memcpy(bytes, "\1a\0", 3);
	for (at = 3; at + 4 <= sizeof(bytes); at += 4) {
		size_t target = at == 3 ? 0 : at - 4;

		bytes[at] = 1;
		bytes[at + 1] = 'b';
		bytes[at + 2] = (char)(0xc0 | target >> 8);
		bytes[at + 3] = (char)target;
	}
	cr_assert_str_eq(parse_search(bytes, at), "");
}

Test(search, C4_13_split_over_two_instances_at_every_position)
{
	static const uint8_t bytes[] = "\3eng\5apple\3com\0\x9marketing\xc0\4";
	static struct reply reply;
	static struct message message;
	size_t size = sizeof(bytes) - 1;

	for (size_t first = 0; first <= size; first++) {
		reply_begin(&reply, MESSAGE_ACK, 1, "192.0.2.10");
		reply_option(&reply, OPTION_SEARCH, bytes, first);
		reply_address(&reply, OPTION_SUBNET_MASK, "255.255.255.0");
		reply_option(&reply, OPTION_SEARCH, bytes + first, size - first);
		reply_end(&reply);
		cr_assert_eq(reply_parse(&reply, &message), REASON_NONE);
		cr_assert_str_eq(message.parameters.search, "eng.apple.com marketing.apple.com",
				 "%zu", first);
	}
}

Test(search, V4_44_replaces_15_for_searching)
{
	static struct reply reply;
	static struct message message;

	reply_begin(&reply, MESSAGE_ACK, 1, "192.0.2.10");
	reply_option(&reply, OPTION_SEARCH, "\1a\0\1b\0", 6);
	reply_option(&reply, OPTION_DOMAIN_NAME, "c.org d.org", 11);
	reply_end(&reply);
	cr_assert_eq(reply_parse(&reply, &message), REASON_NONE);
	cr_assert_str_eq(message.parameters.search, "a b");
	cr_assert_str_eq(message.parameters.domain, "c.org");
}

Test(search, random_octets)
{
	uint64_t state = 7;

	for (int round = 0; round < 200000; round++) {
		uint8_t bytes[64];

		for (size_t i = 0; i < sizeof(bytes); i++) {
			state = state * 6364136223846793005ull + 1442695040888963407ull;
			bytes[i] = (uint8_t)(state >> 60 < 8 ? state >> 61 : state >> 40);
			if (state >> 60 == 9)
				bytes[i] = 0xc0;
		}
		parse_search(bytes, (state >> 33) % (sizeof(bytes) + 1));
		cr_assert(search[0] == '\0' ||
			  value_check(&(struct value_rule){ .type = VALUE_DOMAIN_LIST,
							    .max_length = KV_VALUE_MAX },
				      search, strlen(search)) == 0);
	}
}

Test(domain, names)
{
	cr_assert_str_eq(parse_domain("example.org"), "example.org");
	cr_assert_str_eq(search, "");
	cr_assert_str_eq(parse_domain("example.org."), "example.org");
	cr_assert_str_eq(parse_domain("example.org.."), "");
	cr_assert_str_eq(parse_domain("."), "");
	cr_assert_str_eq(parse_domain(" "), "");
}

Test(domain, Q37_several_domains_and_underscores)
{
	cr_assert_str_eq(parse_domain("a.org b.org"), "a.org");
	cr_assert_str_eq(search, "a.org b.org");
	cr_assert_str_eq(parse_domain("  a.org   "), "a.org");
	cr_assert_str_eq(search, "");
	cr_assert_str_eq(parse_domain("-x.org b.org"), "b.org");
	cr_assert_str_eq(search, "");
	cr_assert_str_eq(parse_domain("_x.org b.org"), "b.org");
	cr_assert_str_eq(search, "_x.org b.org");
	cr_assert_str_eq(parse_domain("-x.org b.org c.org"), "b.org");
	cr_assert_str_eq(search, "b.org c.org");
}

Test(domain, C4_08_shell_and_file_characters)
{
	static const char *const bad[] = { "a;id",  "a&b",  "$(id)", "`id`", "a\nb", "a\\b",
					   "a'b",   "a\"b", "a#b",   "a/b",  "a\tb", "a\x80",
					   "a\x7f", "-a",   "a-",    "a..b" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_assert_str_eq(parse_domain(bad[i]), "", "%zu", i);
		cr_assert_str_eq(search, "");
	}
}

/* C4-24: 255 octets without NUL, several times; nothing is assumed to end. */
Test(domain, C4_24_long_texts)
{
	for (size_t size = 0; size <= OPTION_SIZE_MAX; size++) {
		memset(option.bytes, 'a', sizeof(option.bytes));
		option.size = size;
		domain[0] = search[0] = '\0';
		names_parse_domain(&option, domain, search, &flaws);
		cr_assert_eq(strlen(domain), size <= 63 ? size : 0, "%zu", size);
	}
}

Test(domain, Q34_garbage_leaves_the_rest_of_the_message)
{
	static struct reply reply;
	static struct message message;

	reply_begin(&reply, MESSAGE_ACK, 1, "192.0.2.10");
	reply_option(&reply, OPTION_DOMAIN_NAME, "hotel.example\0\1\2\xff", 17);
	reply_u32(&reply, OPTION_LEASE_TIME, 5000);
	reply_put(&reply, "\x01\x99garbage", 9);
	cr_assert_eq(reply_parse(&reply, &message), REASON_NONE);
	cr_assert_eq(message.lease_s, 5000);
	cr_assert_str_eq(message.parameters.domain, "");
}

/* Names are used, or they are counted: none vanishes. */
Test(domain, U26_option_15)
{
	static const struct {
		const char *text, *domain, *search;
		unsigned int n;
		const char *flaw; /* the first */
	} rows[] = {
		{ ".lan", "lan", "", 0, NULL },
		{ ".lan.", "lan", "", 0, NULL },
		{ ".a.example .b.example", "a.example", "a.example b.example", 0, NULL },
		{ "a_b.example", "", "a_b.example", 0, NULL },
		{ "_msdcs.a.example a.example", "a.example", "_msdcs.a.example a.example", 0,
		  NULL },
		{ "a.example a_b.example", "a.example", "a.example a_b.example", 0, NULL },
		{ "  a.example  ", "a.example", "", 0, NULL },
		{ " ", "", "", 0, NULL },
		{ "a.example,b.example", "", "", 1, "a.example,b.example" },
		{ "local;", "", "", 1, "local;" },
		{ "x.example; y.example", "y.example", "", 1, "x.example;" },
		{ "x.example, y.example z.example", "y.example", "y.example z.example", 1,
		  "x.example," },
		{ "a;b c,d $e f", "f", "", 3, "a;b" },
		{ "a\tb", "", "", 1, "a?b" },
		{ "a\nnameserver", "", "", 1, "a?nameserver" },
		{ "\"a.example\"", "", "", 1, "\"a.example\"" },
		{ "..lan", "", "", 1, ".lan" },
		{ "lan..", "", "", 1, "lan." },
		{ ".", "", "", 1, "." },
		{ "..", "", "", 1, "." },
		{ "-a", "", "", 1, "-a" },
		{ "b\xc3\xbc.example", "", "", 1, "b??.example" },
		{ "xn--bcher-kva.example", "xn--bcher-kva.example", "", 0, NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert_str_eq(parse_domain(rows[i].text), rows[i].domain, "%s", rows[i].text);
		cr_assert_str_eq(search, rows[i].search, "%s", rows[i].text);
		assert_flaws(&flaws, FLAW_DOMAIN, OPTION_DOMAIN_NAME, rows[i].n, rows[i].flaw);
	}
	set("a\0b", 3);
	names_parse_domain(&option, domain, search, &flaws);
	assert_flaws(&flaws, FLAW_DOMAIN, OPTION_DOMAIN_NAME, 1, "");
	memset(option.bytes, 'a', sizeof(option.bytes));
	option.size = KV_VALUE_SIZE;
	memset(&flaws, 0, sizeof(flaws));
	names_parse_domain(&option, domain, search, &flaws);
	assert_flaws(&flaws, FLAW_DOMAIN, OPTION_DOMAIN_NAME, 1, "");
	set("\0\0", 2);
	names_parse_domain(&option, domain, search, &flaws);
	assert_flaws(&flaws, FLAW_DOMAIN, OPTION_DOMAIN_NAME, 0, NULL);
}

Test(search, U26_option_119)
{
	cr_assert_str_eq(SEARCH("\6_msdcs\1a\0\3a_b\0\1c\0"), "_msdcs.a a_b c");
	assert_flaws(&flaws, FLAW_SEARCH, OPTION_SEARCH, 0, NULL);
	cr_assert_str_eq(SEARCH("\2a,\1b\0\1c\0\2-d\0"), "c");
	assert_flaws(&flaws, FLAW_SEARCH, OPTION_SEARCH, 2, "a,.b");
	cr_assert_str_eq(SEARCH("\0\1c\0"), "c");
	assert_flaws(&flaws, FLAW_SEARCH, OPTION_SEARCH, 1, ".");
	cr_assert_str_eq(SEARCH("\3a b\0"), "");
	assert_flaws(&flaws, FLAW_SEARCH, OPTION_SEARCH, 1, "a b");
	cr_assert_str_eq(SEARCH("\1a\0\5b"), "");
	assert_flaws(&flaws, FLAW_SEARCH, OPTION_SEARCH, 1, "");
	cr_assert_str_eq(SEARCH(""), "");
	assert_flaws(&flaws, FLAW_SEARCH, OPTION_SEARCH, 0, NULL);
}

Test(host, U26_options_12_and_81)
{
	cr_assert_str_eq(HOST("ca_lf"), "");
	assert_flaws(&flaws, FLAW_HOST_NAME, OPTION_HOST_NAME, 1, "ca_lf");
	cr_assert_str_eq(HOST("calf cow"), "");
	assert_flaws(&flaws, FLAW_HOST_NAME, OPTION_HOST_NAME, 1, "calf cow");
	cr_assert_str_eq(HOST("ca\0lf"), "");
	assert_flaws(&flaws, FLAW_HOST_NAME, OPTION_HOST_NAME, 1, "");
	HOST("\0");
	assert_flaws(&flaws, FLAW_HOST_NAME, OPTION_HOST_NAME, 0, NULL);
	cr_assert_str_eq(FQDN("\4\0\0\5ca_lf\3org\0"), "");
	assert_flaws(&flaws, FLAW_HOST_NAME, OPTION_FQDN, 1, "ca_lf.org");
	cr_assert_str_eq(FQDN("\0\0\0ca_lf.org"), "");
	assert_flaws(&flaws, FLAW_HOST_NAME, OPTION_FQDN, 1, "ca_lf.org");
	cr_assert_str_eq(FQDN("\4\0\0\xc0\0"), "");
	assert_flaws(&flaws, FLAW_HOST_NAME, OPTION_FQDN, 1, "?");
	FQDN("\4\0\0");
	assert_flaws(&flaws, FLAW_HOST_NAME, OPTION_FQDN, 0, NULL);
	FQDN("\4\0\0\0");
	assert_flaws(&flaws, FLAW_HOST_NAME, OPTION_FQDN, 0, NULL);
	cr_assert_str_eq(FQDN("\4\0\0\4calf\3org\0"), "calf.org");
	assert_flaws(&flaws, FLAW_HOST_NAME, OPTION_FQDN, 0, NULL);
}
