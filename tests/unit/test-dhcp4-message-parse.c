/* SPDX-License-Identifier: Apache-2.0 */
/* The message's fixed part, and every option by the rule of its type. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/unit/dhcp4-support.h"

#define XID 0x12345678

static struct reply reply;
static struct message message;

static void begin(void)
{
	reply_begin(&reply, MESSAGE_OFFER, XID, "192.0.2.10");
}

static void end_and_parse(void)
{
	reply_end(&reply);
	cr_assert_eq(reply_parse(&reply, &message), REASON_NONE);
}

/* One option of `size` octets 1, 2, 3, ... in a message of its own. */
static void parse_option(uint8_t code, size_t size)
{
	uint8_t bytes[255];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i + 1);
	begin();
	reply_option(&reply, code, bytes, size);
	end_and_parse();
}

static void parse_text(uint8_t code, const char *text, size_t size)
{
	begin();
	reply_option(&reply, code, text, size);
	end_and_parse();
}

Test(parse, fixed_part)
{
	begin();
	reply_u32(&reply, OPTION_LEASE_TIME, 7200);
	reply_address(&reply, OPTION_SERVER_ID, "192.0.2.1");
	end_and_parse();
	cr_assert_eq(message.type, MESSAGE_OFFER);
	cr_assert_eq(message.xid, XID);
	cr_assert_eq(message.yiaddr.s_addr, inet_addr("192.0.2.10"));
	cr_assert_eq(memcmp(message.chaddr, support_mac, 6), 0);
	cr_assert(message.has_server);
	cr_assert_eq(message.server.s_addr, inet_addr("192.0.2.1"));
	cr_assert_eq(message.lease_s, 7200);
	cr_assert_eq(message.t1_s, 0);
	cr_assert_not(message.has_client_id);
}

Test(parse, V4_02_cookie)
{
	for (size_t i = 0; i < 4; i++) {
		begin();
		reply.bytes[AT_COOKIE + i] ^= 0x80;
		cr_assert_eq(reply_parse(&reply, &message), REASON_COOKIE);
	}
}

Test(parse, V4_02_message_type_is_needed)
{
	reply_fixed(&reply, XID, "192.0.2.10");
	cr_assert_eq(reply_parse(&reply, &message), REASON_NO_TYPE);
	reply_option(&reply, OPTION_MESSAGE_TYPE, "", 0);
	reply_end(&reply);
	cr_assert_eq(reply_parse(&reply, &message), REASON_NO_TYPE);
}

Test(parse, V4_04_op_and_hardware)
{
	for (unsigned int value = 0; value < 256; value++) {
		begin();
		reply.bytes[0] = (uint8_t)value;
		cr_assert_eq(reply_parse(&reply, &message),
			     value == 2 ? REASON_NONE : REASON_NOT_REPLY);
		begin();
		reply.bytes[1] = (uint8_t)value;
		cr_assert_eq(reply_parse(&reply, &message),
			     value == 1 ? REASON_NONE : REASON_HARDWARE);
		begin();
		reply.bytes[2] = (uint8_t)value;
		cr_assert_eq(reply_parse(&reply, &message),
			     value == 6 ? REASON_NONE : REASON_HARDWARE);
	}
}

/* Cut anywhere: nothing is read behind the end, and what was there counts. */
Test(parse, C4_15_truncated_at_every_byte)
{
	begin();
	reply_u32(&reply, OPTION_LEASE_TIME, 7200);
	reply_address(&reply, OPTION_SUBNET_MASK, "255.255.255.0");
	reply_option(&reply, OPTION_SEARCH, "\3abc\3org\0\1x\xc0\4", 12);
	reply_option(&reply, OPTION_CLASSLESS_ROUTE, "\x18\x0a\1\2\xc0\0\2\1", 8);
	reply_end(&reply);
	for (size_t size = 0; size <= reply.size; size++) {
		enum reason reason = parse_bytes(reply.bytes, size, &message);

		if (size < AT_OPTIONS)
			cr_assert_eq(reason, REASON_TRUNCATED, "%zu", size);
		else if (size < AT_OPTIONS + 3)
			cr_assert_eq(reason, REASON_NO_TYPE, "%zu", size);
		else
			cr_assert_eq(reason, REASON_NONE, "%zu", size);
		if (size >= AT_OPTIONS + 3)
			cr_assert_eq(message.lease_s, size < AT_OPTIONS + 9 ? 0 : 7200);
	}
}

/*
 * Every option of fixed length that is read, each with every length there is:
 * shorter counts as missing, of a longer one the first value counts (Q31).
 * `field` is where it shows; 0 there: it is missing.
 */
static const struct {
	uint8_t code;
	size_t size;
	size_t at;
	size_t n;
	const char *value; /* what the field is then, in host order */
} fixed[] = {
#define FIELD(_field) offsetof(struct message, _field), sizeof(((struct message *)0)->_field)
#define PARAMETER(_field)                            \
	offsetof(struct message, parameters._field), \
		sizeof(((struct message *)0)->parameters._field)
	{ OPTION_SUBNET_MASK, 4, PARAMETER(prefix_length), "\x18" },
	{ OPTION_MTU, 2, PARAMETER(mtu), "\xff\xff" },
	{ OPTION_LEASE_TIME, 4, FIELD(lease_s), "\0\xff\xff\xff" },
	{ OPTION_LEASE_TIME, 4, FIELD(has_lease_time), "\1" },
	{ OPTION_SERVER_ID, 4, FIELD(server), "\xff\xff\xff\0" },
	{ OPTION_SERVER_ID, 4, FIELD(has_server), "\1" },
	{ OPTION_RENEWAL_TIME, 4, FIELD(t1_s), "\0\xff\xff\xff" },
	{ OPTION_REBINDING_TIME, 4, FIELD(t2_s), "\0\xff\xff\xff" },
	{ OPTION_AUTO_CONFIGURE, 1, FIELD(has_auto_configure), "\1" },
};

Test(parse, V4_38_C4_01_C4_22_lengths_of_all_fixed_options)
{
	static const uint8_t bytes[255] = { 255, 255, 255, 0, 9, 9, 9, 9 };
	static const uint8_t zeros[4];

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		for (size_t size = 0; size <= 255; size++) {
			const uint8_t *field = (const uint8_t *)&message + fixed[i].at;
			const void *expected = size < fixed[i].size ? (const void *)zeros :
								      fixed[i].value;

			begin();
			reply_option(&reply, fixed[i].code, bytes, size);
			end_and_parse();
			cr_assert_eq(memcmp(field, expected, fixed[i].n), 0,
				     "option %u, %zu octets", fixed[i].code, size);
		}
	}
	/* 53 is the only one that must be there */
	for (size_t size = 0; size <= 255; size++) {
		reply_fixed(&reply, XID, "192.0.2.10");
		reply_option(&reply, OPTION_MESSAGE_TYPE,
			     "\2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
			     size);
		reply_end(&reply);
		cr_assert_eq(reply_parse(&reply, &message),
			     size == 0 ? REASON_NO_TYPE : REASON_NONE);
	}
}

/*
 * Over all codes there are, not over those we know: what holds three octets or
 * fewer says nothing, but for the few that have or may have so little.
 */
Test(parse, C4_22_C4_24_short_options_of_every_code)
{
	static const uint8_t shorter[] = { OPTION_HOST_NAME,	OPTION_DOMAIN_NAME,
					   OPTION_MTU,		OPTION_OVERLOAD,
					   OPTION_MESSAGE,	OPTION_CLIENT_ID,
					   OPTION_RAPID_COMMIT, OPTION_AUTO_CONFIGURE };
	static struct message plain;

	begin();
	end_and_parse();
	plain = message;
	for (unsigned int code = 1; code < 255; code++) {
		if (memchr(shorter, (int)code, sizeof(shorter)))
			continue;
		for (size_t size = 0; size < 4; size++) {
			begin();
			reply_option(&reply, (uint8_t)code, "\3aa", size);
			end_and_parse();
			cr_assert_eq(memcmp(&plain, &message, sizeof(plain)), 0, "%u, %zu octets",
				     code, size);
		}
	}
}

/* What follows the first value of a longer one is nothing: not a route, not
 * the next option, not a second server. */
Test(parse, Q31_longer_options_say_nothing_more)
{
	static struct message plain;

	for (int n = 4; n <= 12; n += 4) {
		begin();
		reply_option(&reply, OPTION_SERVER_ID, "\xc0\0\2\1\6\4\x8\x8\x8\x8\3\4", (size_t)n);
		end_and_parse();
		if (n == 4)
			plain = message;
		cr_assert_eq(memcmp(&plain, &message, sizeof(plain)), 0);
	}
}

Test(parse, Q28_mask_that_is_none)
{
	static const struct {
		const char *mask;
		uint8_t prefix_length;
	} rows[] = {
		{ "255.255.255.255", 32 }, { "255.255.255.254", 31 }, { "255.255.255.0", 24 },
		{ "255.0.0.0", 8 },	   { "128.0.0.0", 1 },	      { "0.0.0.0", 0 },
		{ "255.0.255.0", 0 },	   { "0.255.255.255", 0 },    { "255.255.255.1", 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin();
		reply_address(&reply, OPTION_SUBNET_MASK, rows[i].mask);
		end_and_parse();
		cr_assert_eq(message.parameters.prefix_length, rows[i].prefix_length, "%s",
			     rows[i].mask);
	}
}

/*
 * A server whose configuration sets 54, asked for 54, sends it twice (dnsmasq):
 * RFC 3396 joins the two to eight octets, of which the first four count. The
 * octets are those of such an OFFER, options only.
 */
Test(parse, Q31_server_identifier_that_is_sent_twice)
{
	static const uint8_t options[] = {
		53,  1, 2,   54, 4, 192, 168, 5,    1,	  51, 4, 0,   0,   0x0e, 0x10, 58,  4, 0,
		0,   7, 8,   59, 4, 0,	 0,   0x0c, 0x4e, 1,  4, 255, 255, 255,	 0,    28,  4, 192,
		168, 5, 255, 54, 4, 192, 168, 5,    2,	  3,  4, 192, 168, 5,	 1,    255,
	};

	reply_fixed(&reply, XID, "192.168.5.77");
	reply_put(&reply, options, sizeof(options));
	cr_assert_eq(reply_parse(&reply, &message), REASON_NONE);
	cr_assert_eq(message.type, MESSAGE_OFFER);
	cr_assert_eq(message.server.s_addr, inet_addr("192.168.5.1"));
	cr_assert_eq(message.lease_s, 3600);
	cr_assert_eq(message.t1_s, 1800);
	cr_assert_eq(message.t2_s, 3150);
	cr_assert_eq(message.parameters.prefix_length, 24);
	cr_assert_eq(message.parameters.gateway.s_addr, inet_addr("192.168.5.1"));
}

Test(parse, Q31_options_that_are_sent_twice)
{
	support_policy.ipv6_mostly = true;
	begin();
	reply_u32(&reply, OPTION_LEASE_TIME, 100);
	reply_u32(&reply, OPTION_LEASE_TIME, 200);
	reply_address(&reply, OPTION_SUBNET_MASK, "255.255.0.0");
	reply_address(&reply, OPTION_SUBNET_MASK, "255.255.255.0");
	reply_option(&reply, OPTION_MESSAGE_TYPE, "\5", 1);
	reply_option(&reply, OPTION_MTU, "\5\xdc", 2);
	reply_option(&reply, OPTION_MTU, "\2\x58", 2);
	reply_u32(&reply, OPTION_IPV6_ONLY, 1800);
	reply_u32(&reply, OPTION_IPV6_ONLY, 1800);
	end_and_parse();
	cr_assert_eq(message.lease_s, 100);
	cr_assert_eq(message.parameters.prefix_length, 16);
	cr_assert_eq(message.type, MESSAGE_OFFER);
	cr_assert_eq(message.parameters.mtu, 1500);
	cr_assert_not(message.parameters.has_ipv6_only, "of this one no other length is valid");
}

Test(parse, Q17_no_server_identifier)
{
	begin();
	end_and_parse();
	cr_assert_not(message.has_server);
	cr_assert_eq(message.server.s_addr, INADDR_ANY);
}

/* Q18: siaddr, giaddr and the IP source say nothing about the server. */
Test(parse, Q18_only_option_54_is_the_server)
{
	struct in_addr other = address("198.51.100.7");

	begin();
	memcpy(reply.bytes + AT_SIADDR, &other, 4);
	memcpy(reply.bytes + AT_GIADDR, &other, 4);
	reply_address(&reply, OPTION_SERVER_ID, "192.0.2.1");
	end_and_parse();
	cr_assert_eq(message.server.s_addr, inet_addr("192.0.2.1"));
}

Test(parse, C4_16_address_lists_with_a_ragged_tail)
{
	static const uint8_t servers[255] = { 192, 0, 2, 1, 192, 0, 2, 2, 192, 0, 2, 3 };

	for (size_t size = 0; size <= 12; size++) {
		begin();
		reply_option(&reply, OPTION_NAME_SERVER, servers, size);
		reply_option(&reply, OPTION_ROUTER, servers, size);
		end_and_parse();
		cr_assert_eq(message.parameters.n_name_servers, size % 4 == 0 ? size / 4 : 0, "%zu",
			     size);
		cr_assert_eq(message.parameters.gateway.s_addr,
			     size > 0 && size % 4 == 0 ? inet_addr("192.0.2.1") : 0, "%zu", size);
	}
}

Test(parse, C4_24_name_servers_of_every_length)
{
	for (size_t size = 0; size <= 255; size++) {
		parse_option(OPTION_NAME_SERVER, size);
		cr_assert(message.parameters.n_name_servers <= MESSAGE_NAME_SERVERS_MAX);
	}
}

Test(parse, Q45_name_servers_that_are_none)
{
	static const char *const servers[] = { "0.0.0.0",    "192.0.2.53", "127.0.0.1",
					       "127.8.9.10", "224.0.0.1",  "255.255.255.255",
					       "192.0.2.54" };
	uint8_t bytes[sizeof(servers) / sizeof(servers[0]) * 4];

	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		struct in_addr server = address(servers[i]);

		memcpy(bytes + 4 * i, &server, 4);
	}
	begin();
	reply_option(&reply, OPTION_NAME_SERVER, bytes, sizeof(bytes));
	end_and_parse();
	cr_assert_eq(message.parameters.n_name_servers, 2);
	cr_assert_eq(message.parameters.name_servers[0].s_addr, inet_addr("192.0.2.53"));
	cr_assert_eq(message.parameters.name_servers[1].s_addr, inet_addr("192.0.2.54"));
}

Test(parse, at_most_eight_name_servers)
{
	uint8_t bytes[63 * 4];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i % 4 == 3 ? i / 4 : 10);
	begin();
	reply_option(&reply, OPTION_NAME_SERVER, bytes, sizeof(bytes));
	end_and_parse();
	cr_assert_eq(message.parameters.n_name_servers, MESSAGE_NAME_SERVERS_MAX);
}

Test(parse, router_that_is_none_is_passed_over)
{
	begin();
	reply_option(&reply, OPTION_ROUTER, "\0\0\0\0\xc0\0\2\1", 8);
	end_and_parse();
	cr_assert_eq(message.parameters.gateway.s_addr, inet_addr("192.0.2.1"));
	begin();
	reply_option(&reply, OPTION_ROUTER, "\0\0\0\0\x7f\0\0\1", 8);
	end_and_parse();
	cr_assert_eq(message.parameters.gateway.s_addr, INADDR_ANY);
}

Test(parse, V4_38_mtu_from_68_up)
{
	static const uint16_t values[] = { 0, 1, 67, 68, 575, 576, 1500, 65535 };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		uint16_t value = htons(values[i]);

		begin();
		reply_option(&reply, OPTION_MTU, &value, 2);
		end_and_parse();
		cr_assert_eq(message.parameters.mtu, values[i] < 68 ? 0 : values[i]);
	}
}

Test(parse, V4_37_Q32_nuls_of_texts)
{
	parse_text(OPTION_DOMAIN_NAME, "example.org", 11);
	cr_assert_str_eq(message.parameters.domain, "example.org");
	parse_text(OPTION_DOMAIN_NAME, "example.org\0\0\0", 14);
	cr_assert_str_eq(message.parameters.domain, "example.org");
	parse_text(OPTION_DOMAIN_NAME, "example\0org", 11);
	cr_assert_str_eq(message.parameters.domain, "");
	parse_text(OPTION_DOMAIN_NAME, "\0\0", 2);
	cr_assert_str_eq(message.parameters.domain, "");
	parse_text(OPTION_DOMAIN_NAME, "", 0);
	cr_assert_str_eq(message.parameters.domain, "");
}

Test(parse, Q52_control_octets_of_the_servers_message)
{
	parse_text(OPTION_MESSAGE, "no \x1b[31mlease\n<error> x\x7f\xff", 24);
	cr_assert_str_eq(message.text, "no ?[31mlease?<error> x?");
	parse_text(OPTION_MESSAGE, "bye\0\0", 5);
	cr_assert_str_eq(message.text, "bye");
}

Test(parse, C4_04_longest_message_text)
{
	char text[255];

	memset(text, 0x01, sizeof(text));
	begin();
	reply_option(&reply, OPTION_MESSAGE, text, 255);
	reply_option(&reply, OPTION_MESSAGE, text, 255);
	end_and_parse();
	cr_assert_eq(strlen(message.text), MESSAGE_TEXT_SIZE - 1);
}

/* Kept whole, so that it can be compared with the longest of ours. */
Test(parse, V4_52_C4_29_client_identifier_of_every_length)
{
	uint8_t bytes[255];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i + 1);
	for (size_t size = 0; size <= 255; size++) {
		parse_option(OPTION_CLIENT_ID, size);
		cr_assert(message.has_client_id);
		cr_assert_eq(message.client_id_size, size);
		cr_assert_eq(memcmp(message.client_id, bytes, size), 0);
	}
	begin();
	reply_option(&reply, OPTION_CLIENT_ID, bytes, 255);
	reply_option(&reply, OPTION_CLIENT_ID, bytes, 7);
	end_and_parse();
	cr_assert_eq(message.client_id_size, 262, "it cannot be ours");
}

/* Its type is all we need of it: client.c ignores it. No authentication makes
 * a difference, so there is nothing secret to compare. */
Test(parse, V4_64_C4_18_C4_19_C4_23_forcerenew)
{
	static struct message plain;

	reply_begin(&reply, MESSAGE_FORCERENEW, XID, "192.0.2.10");
	end_and_parse();
	cr_assert_eq(message.type, MESSAGE_FORCERENEW);
	plain = message;
	for (size_t size = 0; size <= 255; size++) {
		static const uint8_t bytes[255] = { 3, 1, 1 };

		reply_begin(&reply, MESSAGE_FORCERENEW, XID, "192.0.2.10");
		reply_option(&reply, 90, bytes, size);
		end_and_parse();
		cr_assert_eq(memcmp(&plain, &message, sizeof(plain)), 0, "%zu", size);
	}
}

Test(parse, V4_40_unknown_options_are_skipped)
{
	begin();
	for (unsigned int code = 1; code < 255; code++)
		if (code != OPTION_MESSAGE_TYPE && code != OPTION_OVERLOAD)
			reply_option(&reply, (uint8_t)code, "abcdefg", code % 8);
	reply_u32(&reply, 51, 77);
	end_and_parse();
	cr_assert_eq(message.type, MESSAGE_OFFER);
}

Test(parse, V4_35_C4_12_long_messages)
{
	static uint8_t bytes[SUPPORT_SIZE];
	uint8_t text[255];

	/* as large as announced, the last option still counts */
	memset(text, 'x', sizeof(text));
	begin();
	while (reply.size + 257 + 6 + 1 < MESSAGE_SIZE_ANNOUNCED)
		reply_option(&reply, 200, text, 255);
	reply_u32(&reply, OPTION_LEASE_TIME, 99);
	end_and_parse();
	cr_assert_eq(message.lease_s, 99);

	/* and up to what a datagram can be, of any octet */
	for (unsigned int octet = 0; octet < 256; octet++) {
		begin();
		memset(bytes, (int)octet, sizeof(bytes));
		memcpy(bytes, reply.bytes, reply.size);
		cr_assert_eq(parse_bytes(bytes, sizeof(bytes), &message),
			     octet == OPTION_MESSAGE_TYPE ? REASON_NO_TYPE : REASON_NONE);
	}
}

/* BOOTP's texts are no options of ours unless option 52 says so, and are never
 * texts to us. */
Test(parse, C4_10_file_and_sname_are_not_read)
{
	static struct message plain;

	begin();
	reply_u32(&reply, OPTION_LEASE_TIME, 100);
	end_and_parse();
	plain = message;
	begin();
	memcpy(reply.bytes + AT_FILE, "\"; reboot; \x33\4\1\1\1\1", 18);
	memcpy(reply.bytes + AT_SNAME, "\x33\4\1\1\1\1\xff", 7);
	reply_u32(&reply, OPTION_LEASE_TIME, 100);
	end_and_parse();
	cr_assert_eq(memcmp(&plain, &message, sizeof(plain)), 0);
}

Test(parse, Q33_host_name_of_length_0)
{
	begin();
	reply_option(&reply, OPTION_HOST_NAME, "", 0);
	reply_u32(&reply, OPTION_LEASE_TIME, 100);
	end_and_parse();
	cr_assert_eq(message.lease_s, 100);
}

/* An option of which more was sent than a frame can hold is not believed. */
Test(parse, joined_option_that_is_too_long)
{
	uint8_t text[255] = { 3 };

	begin();
	for (int i = 0; i < 7; i++)
		reply_option(&reply, OPTION_LEASE_TIME, text, 255);
	end_and_parse();
	cr_assert_eq(message.lease_s, 0);
}

/* C4-05, C4-06, C4-26, C4-31: any octets, in a time and memory that are
 * bounded; sanitizers see the rest. */
Test(parse, C4_26_C4_31_random_messages, .timeout = 60)
{
	uint64_t state = 99;

	support_policy = (struct message_policy){ .ipv6_mostly = true,
						  .use_host_name = true,
						  .n_options = 3,
						  .options = { 43, 212, 90 } };
	for (int round = 0; round < 100000; round++) {
		begin();
		while (reply.size < 600) {
			uint8_t bytes[255], code;
			size_t size;

			state = state * 6364136223846793005ull + 1442695040888963407ull;
			code = (uint8_t)(state >> 56);
			size = (state >> 40) % 40;
			for (size_t i = 0; i < size; i++)
				bytes[i] = (uint8_t)(state >> (i % 8 * 7));
			reply_option(&reply, code, bytes, size);
		}
		for (int i = 0; i < 4; i++) {
			state = state * 6364136223846793005ull + 1442695040888963407ull;
			reply.bytes[AT_SNAME + (state >> 33) % 500] = (uint8_t)(state >> 20);
		}
		(void)parse_bytes(reply.bytes, (state >> 24) % (reply.size + 1), &message);
	}
}
