/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/unit/dhcp4-support.h"
#include "userspace/calf/dhcp4/message/dnr.h"

static struct message_parameters parameters;
static struct option option;

/* An instance: its length first. */
static void add(const void *bytes, size_t size)
{
	option.bytes[option.size++] = (uint8_t)(size >> 8);
	option.bytes[option.size++] = (uint8_t)size;
	memcpy(option.bytes + option.size, bytes, size);
	option.size += size;
}

static void parse(void)
{
	memset(&parameters, 0, sizeof(parameters));
	dnr_parse(&option, &parameters);
}

/* The text of one instance alone; NULL: it is skipped. */
static const char *parse_one(const void *bytes, size_t size)
{
	option.size = 0;
	add(bytes, size);
	parse();
	return parameters.n_resolvers ? parameters.resolvers[0] : NULL;
}

#define ADD(_x) add(_x, sizeof(_x) - 1)
#define ONE(_x) parse_one(_x, sizeof(_x) - 1)
#define DNS         \
	"\0\1\x5\3" \
	"dns\0" /* priority 1 */
#define AT "\4\xc0\0\2\x35"
#define DOT "\0\1\0\4\3dot" /* alpn=dot */
#define DNS_AT DNS AT DOT
#define PATH "\0\7\0\7/{?dns}"

/* The example of RFC 9463 as octets: two addresses, ALPN, port and path. */
Test(dnr, V4_63_whole_instance)
{
	cr_assert_str_eq(ONE("\0\1\x11\3dns\7example\3org\0\x8\xc0\0\2\x35\xc0\0\2\x36"
			     "\0\1\0\7\3dot\2h2\0\3\0\2\3\x55\0\7\0\x10/dns-query{?dns}"),
			 "1 dns.example.org 192.0.2.53,192.0.2.54 alpn=dot,h2 port=853 "
			 "dohpath=/dns-query{?dns}");
	cr_assert_str_eq(ONE(DNS_AT), "1 dns 192.0.2.53 alpn=dot");
	cr_assert_eq(parameters.n_left_out, 0);
}

Test(dnr, V4_63_name_alone_is_skipped)
{
	cr_assert_null(ONE(DNS));
	cr_assert_null(ONE(DNS "\0" DOT), "no address");
	cr_assert_null(ONE(DNS "\0\0\3\0\2\3\x55"), "no address, but a port");
}

Test(dnr, V4_63_addresses_that_are_none)
{
	cr_assert_str_eq(ONE(DNS "\x10\x7f\0\0\1\xe0\0\0\1\xc0\0\2\x35\0\0\0\0" DOT),
			 "1 dns 192.0.2.53 alpn=dot");
	cr_assert_null(ONE(DNS "\4\x7f\0\0\1" DOT));
	cr_assert_null(ONE(DNS "\x8\xe0\0\0\1\xff\xff\xff\xff" DOT));
	cr_assert_null(ONE(DNS "\5\xc0\0\2\x35\1" DOT), "ragged");
}

Test(dnr, V4_63_order_of_priority)
{
	option.size = 0;
	ADD("\0\7\3\1a\0" AT DOT);
	ADD("\0\1\3\1b\0" AT DOT);
	ADD("\xff\xff\3\1c\0" AT DOT);
	ADD("\0\1\3\1d\0" AT DOT);
	ADD("\0\2\3\1e\0" AT DOT);
	parse();
	cr_assert_eq(parameters.n_resolvers, 5);
	cr_assert_str_eq(parameters.resolvers[0], "1 b 192.0.2.53 alpn=dot");
	cr_assert_str_eq(parameters.resolvers[1], "1 d 192.0.2.53 alpn=dot", "as sent");
	cr_assert_str_eq(parameters.resolvers[2], "2 e 192.0.2.53 alpn=dot");
	cr_assert_str_eq(parameters.resolvers[3], "7 a 192.0.2.53 alpn=dot");
	cr_assert_str_eq(parameters.resolvers[4], "65535 c 192.0.2.53 alpn=dot");
}

Test(dnr, the_best_eight_are_kept)
{
	option.size = 0;
	for (uint8_t i = 0; i < 20; i++) {
		uint8_t bytes[] = { 0,	 (uint8_t)(40 - i),
				    3,	 1,
				    'a', 0,
				    4,	 192,
				    0,	 2,
				    i,	 0,
				    1,	 0,
				    4,	 3,
				    'd', 'o',
				    't' };

		add(bytes, sizeof(bytes));
	}
	ADD("\0\x63\3\1z\0" AT DOT); /* the worst, last */
	parse();
	cr_assert_eq(parameters.n_resolvers, 8);
	cr_assert_eq(parameters.n_left_out, 13);
	for (int i = 0; i < 8; i++)
		cr_assert_eq(atoi(parameters.resolvers[i]), 21 + i);
}

Test(dnr, C4_21_bad_names)
{
	cr_assert_null(ONE("\0\1\0" AT DOT), "none");
	cr_assert_null(ONE("\0\1\1\0" AT DOT), "the root");
	cr_assert_null(ONE("\0\1\4\3dns" AT DOT), "no root");
	cr_assert_null(ONE("\0\1\6\3dns\0\0" AT DOT), "more behind it");
	cr_assert_null(ONE("\0\1\5\4dns\0" AT DOT), "a label over its end");
	cr_assert_null(ONE("\0\1\4\1a\xc0\0" AT DOT), "compressed");
	cr_assert_null(ONE("\0\1\5\3d s\0" AT DOT), "a blank");
	cr_assert_null(ONE("\0\1\5\3d\ns\0" AT DOT), "a newline");
	cr_assert_null(ONE("\0\1\5\3d.s\0" AT DOT), "a dot");
	cr_assert_null(ONE("\0\1\xff\3dns\0" AT DOT), "over the instance");
}

struct row {
	const char *bytes;
	size_t size;
	const char *text; /* NULL: the instance is skipped, and counted */
};

#define ROW(_bytes, _text)                                      \
	{                                                       \
		DNS AT _bytes, sizeof(DNS AT _bytes) - 1, _text \
	}
#define GOOD(_bytes, _text) ROW(_bytes, "1 dns 192.0.2.53" _text)
#define BAD(_bytes) ROW(_bytes, NULL)

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *text = parse_one(rows[i].bytes, rows[i].size);

		cr_assert_eq(text == NULL, rows[i].text == NULL, "row %zu", i);
		if (text)
			cr_assert_str_eq(text, rows[i].text, "row %zu", i);
		cr_assert_eq(parameters.flaws.of[FLAW_RESOLVER].n, text ? 0 : 1, "row %zu", i);
		if (!text)
			cr_assert_str_eq(parameters.flaws.of[FLAW_RESOLVER].text, "1 dns");
	}
}

Test(dnr, parameters)
{
	static const struct row rows[] = {
		GOOD(DOT "\0\2\0\0", " alpn=dot no-default-alpn"),
		GOOD(DOT "\0\3\0\2\0\x35", " alpn=dot port=53"),
		GOOD("\0\1\0\4\3d,t", " key1=03642c74"),
		GOOD("\0\1\0\2\1\n", " key1=010a"),
		GOOD(DOT "\0\4\0\4\1\2\3\4\0\6\0\x10"
			 "0123456789abcdef",
		     " alpn=dot"),
		GOOD(DOT "\0\5\0\2"
			 "ab",
		     " alpn=dot key5=6162"),
		GOOD(DOT "\0\5\0\0", " alpn=dot key5"),
		GOOD(DOT "\0\7\0\xa/\x1b[m{?dns}", " alpn=dot key7=2f1b5b6d7b3f646e737d"),
		GOOD(DOT "\0\7\0\x9/\"x{?dns}", " alpn=dot key7=2f22787b3f646e737d"),
		GOOD(DOT "\xff\xfe\0\1\0", " alpn=dot key65534=00"),
		BAD(DOT "\0"),
		BAD(DOT "\0\3"),
		BAD(DOT "\0\3\0\2\1"),
		BAD(DOT "\0\3\0\1\1"),
		BAD(DOT "\0\3\0\3\1\2\3"),
		BAD(DOT "\0\3\0\0"),
		BAD("\0\1\0\0"),
		BAD("\0\1\0\1\0"),
		BAD("\0\1\0\2\2h"),
		BAD("\0\1\0\4\2h2\1" PATH),
		BAD(DOT "\0\2\0\1x"),
		BAD(DOT "\0\7\0\0"),
		BAD("\0\0\0\0" DOT),
		BAD("\0\0\0\3\0\1\0" DOT),
	};

	check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

/* In AliasMode a record names no resolver, whatever else it has. */
Test(dnr, U51_alias_mode)
{
	option.size = 0;
	ADD("\0\0\xf\5alias\7example\0" AT DOT);
	ADD("\0\1\3\1b\0" AT DOT);
	ADD("\0\0\3\1c\0");
	parse();
	cr_assert_eq(parameters.n_resolvers, 1);
	cr_assert_str_eq(parameters.resolvers[0], "1 b 192.0.2.53 alpn=dot");
	cr_assert_eq(parameters.flaws.of[FLAW_ALIAS].n, 2);
	cr_assert_eq(parameters.flaws.of[FLAW_ALIAS].code, OPTION_ENCRYPTED_DNS);
	cr_assert_str_eq(parameters.flaws.of[FLAW_ALIAS].text, "0 alias.example");
	cr_assert_eq(parameters.flaws.of[FLAW_RESOLVER].n, 0);
	cr_assert_eq(parameters.n_left_out, 0);
	cr_assert_null(ONE("\0\0\3\1d" AT DOT));
	cr_assert_eq(parameters.flaws.of[FLAW_RESOLVER].n, 1);
	cr_assert_str_eq(parameters.flaws.of[FLAW_RESOLVER].text, "", "no name");
}

/* RFC 9460 8: the keys are there, in ascending order, without "mandatory". */
Test(dnr, U51_mandatory_keys)
{
	static const struct row rows[] = {
		GOOD("\0\0\0\2\0\1" DOT, " mandatory=alpn alpn=dot"),
		GOOD("\0\0\0\4\0\1\0\3" DOT "\0\3\0\2\0\x35",
		     " mandatory=alpn,port alpn=dot port=53"),
		GOOD("\0\0\0\2\0\x8" DOT "\0\x8\0\1z", " mandatory=key8 alpn=dot key8=7a"),
		GOOD("\0\0\0\2\0\x8" DOT "\0\3\0\2\0\x35\0\x8\0\0\0\x9\0\0",
		     " mandatory=key8 alpn=dot port=53 key8 key9"),
		BAD("\0\0\0\2\0\3" DOT),
		BAD("\0\0\0\2\0\x8" DOT "\0\x9\0\0"),
		BAD("\0\0\0\4\0\1\0\3" DOT),
		BAD("\0\0\0\4\0\1\0\3" DOT "\0\5\0\0"),
		BAD("\0\0\0\2\0\0" DOT),
		BAD("\0\0\0\4\0\0\0\1" DOT),
		BAD("\0\0\0\4\0\1\0\1" DOT),
		BAD("\0\0\0\4\0\3\0\1" DOT "\0\3\0\2\0\x35"),
		BAD("\0\0\0\2\0\4" DOT "\0\4\0\4\1\2\3\4"),
		BAD("\0\0\0\2\0\6" DOT "\0\6\0\x10"
		    "0123456789abcdef"),
	};

	check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

/* RFC 9460 2.2: each key once, in ascending order. */
Test(dnr, U51_keys_out_of_order)
{
	static const struct row rows[] = {
		BAD(DOT DOT),
		BAD(DOT "\0\3\0\2\1\2\0\3\0\2\1\2"),
		BAD("\0\3\0\2\1\2" DOT),
		BAD(DOT "\0\0\0\2\0\1"),
		BAD(DOT "\0\x9\0\0\0\x8\0\0"),
		BAD(DOT "\0\4\0\4\1\2\3\4\0\4\0\4\1\2\3\4"),
		BAD(DOT "\0\4\0\0"),
		BAD(DOT "\0\4\0\3\1\2\3"),
		BAD(DOT "\0\6\0\4\1\2\3\4"),
		BAD(DOT "\xff\xff\0\0"),
	};

	check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

/* RFC 9461 4.1 and 5: DNS has no default ALPN, HTTP needs a path. */
Test(dnr, U51_alpn_and_dohpath)
{
	static const struct row rows[] = {
		GOOD("\0\1\0\3\2h2" PATH, " alpn=h2 dohpath=/{?dns}"),
		GOOD("\0\1\0\7\3dot\2h3" PATH, " alpn=dot,h3 dohpath=/{?dns}"),
		GOOD("\0\1\0\4\3doq", " alpn=doq"),
		GOOD(DOT PATH, " alpn=dot dohpath=/{?dns}"),
		GOOD("\0\1\0\3\2h2\0\7\0\x6/{dns}", " alpn=h2 dohpath=/{dns}"),
		BAD(""),
		BAD("\0\3\0\2\3\x55"),
		BAD("\0\2\0\0"),
		BAD(PATH),
		BAD("\0\1\0\3\2h2"),
		BAD("\0\1\0\3\2h3"),
		BAD("\0\1\0\x9\x8http/1.1"),
		BAD("\0\1\0\7\3dot\2h2"),
		BAD("\0\1\0\3\2h2\0\7\0\2/q"),
		BAD("\0\1\0\3\2h2\0\7\0\x6{?dns}"),
		BAD("\0\1\0\3\2h2\0\7\0\6/{?dns"),
		BAD("\0\1\0\3\2h2\0\7\0\x7/{?dnt}"),
		BAD("\0\1\0\3\2h2\0\7\0\x8/{?dnsx}"),
		BAD("\0\1\0\3\2h2\0\7\0\x9/{?dnsxd}"),
		BAD("\0\1\0\3\2h2\0\7\0\x6/{?dn}"),
		BAD("\0\1\0\3\2h2\0\7\0\x8/{?xdns}"),
		BAD("\0\1\0\3\2h2\0\7\0\x8/}{?dns}"),
		BAD("\0\1\0\3\2h2\0\7\0\x8/{{?dns}"),
		BAD("\0\1\0\3\2h2\0\7\0\x5/?dns"),
	};

	check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

/* Commas separate the variables of an expression, and the list of the key's text;
 * so a template with one is written in hex. */
Test(dnr, U51_templates_with_several_variables)
{
	cr_assert_str_eq(ONE(DNS AT "\0\1\0\3\2h2\0\7\0\xa/q{?x,dns}"),
			 "1 dns 192.0.2.53 alpn=h2 key7=2f717b3f782c646e737d");
	cr_assert_not_null(ONE(DNS AT "\0\1\0\3\2h2\0\7\0\x9/q{dns:9}"));
	cr_assert_not_null(ONE(DNS AT "\0\1\0\3\2h2\0\7\0\xa/{a}{?dns}"));
	cr_assert_null(ONE(DNS AT "\0\1\0\3\2h2\0\7\0\xa/q{?x:dns}"));
}

/* One that is wrong leaves the others; a length over the end ends them. */
Test(dnr, wrong_instances_among_good_ones)
{
	option.size = 0;
	ADD("\0\1\3\1a\0" AT DOT);
	add("", 0);
	ADD("\0\1\3\1b\0\4\x7f\0\0\1" DOT);
	ADD("\0\1\3\1c\0" AT DOT);
	option.bytes[option.size++] = 0;
	option.bytes[option.size++] = 99;
	option.bytes[option.size++] = 0;
	parse();
	cr_assert_eq(parameters.n_resolvers, 2);
	cr_assert_str_eq(parameters.resolvers[1], "1 c 192.0.2.53 alpn=dot");
	cr_assert_eq(parameters.flaws.of[FLAW_RESOLVER].n, 3);
}

/* Rendered, a parameter is up to twice as long: the text has its bound. */
Test(dnr, C4_04_longest_text)
{
	uint8_t bytes[600] = { 0, 1, 3, 1, 'a', 0,   4,	  192, 0, 2, 1,
			       0, 1, 0, 4, 3,	'd', 'o', 't', 0, 5 };

	for (size_t size = 0; size <= 300; size++) {
		size_t length = strlen("1 a 192.0.2.1 alpn=dot key5") + (size > 0) + 2 * size;
		const char *text;

		bytes[21] = (uint8_t)(size >> 8);
		bytes[22] = (uint8_t)size;
		text = parse_one(bytes, 23 + size);
		cr_assert_eq(text != NULL, length < MESSAGE_RESOLVER_SIZE, "%zu", size);
		cr_assert_eq(parameters.n_left_out, text == NULL);
		if (text)
			cr_assert_eq(strlen(text), length);
	}
}

Test(dnr, C4_15_truncated_at_every_octet)
{
	static const char whole[] = DNS AT DOT "\0\3\0\2\3\x55";

	for (size_t size = 0; size < sizeof(whole); size++) {
		uint8_t *copy = malloc(size + 2);
		struct reply reply;
		struct message message;

		/* cut with its length right, and with its length as it was */
		for (int lie = 0; lie < 2; lie++) {
			copy[0] = 0;
			copy[1] = (uint8_t)(lie ? sizeof(whole) - 1 : size);
			memcpy(copy + 2, whole, size);
			reply_begin(&reply, MESSAGE_ACK, 1, "192.0.2.10");
			reply_option(&reply, OPTION_ENCRYPTED_DNS, copy, size + 2);
			reply_end(&reply);
			cr_assert_eq(reply_parse(&reply, &message), REASON_NONE);
			cr_assert(message.parameters.n_resolvers <= 1);
			if (lie && size < sizeof(whole) - 1)
				cr_assert_eq(message.parameters.n_resolvers, 0);
		}
		free(copy);
	}
}

/* Whatever comes: texts of the key's type, of one line each. */
Test(dnr, ST_1_C4_31_random_octets)
{
	uint64_t state = 5;
	uint32_t n = 0;

	for (int round = 0; round < 100000; round++) {
		static const uint8_t start[] = { 0, 1, 3, 1, 'a', 0, 4, 192, 0, 2, 1 };
		uint8_t bytes[80];
		size_t size = sizeof(start);

		memcpy(bytes, start, sizeof(start));
		state = state * 6364136223846793005ull + 1442695040888963407ull;
		for (unsigned int key = 0; key < 9 && size < 60; key++) {
			size_t length = state >> (6 * key) & 3;

			if (key == 1 && state >> 50 & 3) {
				memcpy(bytes + size, DOT, sizeof(DOT) - 1);
				size += sizeof(DOT) - 1;
				continue;
			}
			if (state >> (7 * key) & 1)
				continue;
			bytes[size++] = 0;
			bytes[size++] = (uint8_t)key;
			bytes[size++] = 0;
			bytes[size++] = (uint8_t)length;
			for (size_t i = 0; i < length; i++)
				bytes[size++] = (uint8_t)(state >> (5 * (key + i)));
		}
		if (state >> 61 == 0)
			bytes[(state >> 33) % size] ^= (uint8_t)(state >> 20);
		parse_one(bytes, size);
		for (int i = 0; i < parameters.n_resolvers; i++) {
			const char *text = parameters.resolvers[i];

			cr_assert(strlen(text) < MESSAGE_RESOLVER_SIZE);
			for (; *text != '\0'; text++)
				cr_assert(*text >= 0x20 && *text <= 0x7e);
			n++;
		}
	}
	cr_assert(n > 1000, "the octets say too little: %u", n);
}
