/* SPDX-License-Identifier: Apache-2.0 */
/* Options that are shorter, longer or more than they should be. */
#include "tests/unit/dhcp4-parse.h"

/* One option of `size` octets 1, 2, 3, ... in a message of its own. */
static void parse_option(uint8_t code, size_t size)
{
	uint8_t bytes[255];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i + 1);
	parse_one(code, bytes, size);
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

Test(parse_lengths, V4_38_C4_01_C4_22_lengths_of_all_fixed_options)
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
Test(parse_lengths, C4_22_C4_24_short_options_of_every_code)
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
			message.parameters.flaws = plain.parameters.flaws;
			cr_assert_eq(memcmp(&plain, &message, sizeof(plain)), 0, "%u, %zu octets",
				     code, size);
		}
	}
}

/* What follows the first value of a longer one is nothing: not a route, not
 * the next option, not a second server. */
Test(parse_lengths, Q31_longer_options_say_nothing_more)
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

/*
 * A server whose configuration sets 54, asked for 54, sends it twice (dnsmasq):
 * RFC 3396 joins the two to eight octets, of which the first four count. The
 * octets are those of such an OFFER, options only.
 */
Test(parse_lengths, Q31_server_identifier_that_is_sent_twice)
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

Test(parse_lengths, Q31_options_that_are_sent_twice)
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

Test(parse_lengths, C4_16_address_lists_with_a_ragged_tail)
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

Test(parse_lengths, C4_24_name_servers_of_every_length)
{
	for (size_t size = 0; size <= 255; size++) {
		parse_option(OPTION_NAME_SERVER, size);
		cr_assert(message.parameters.n_name_servers <= MESSAGE_NAME_SERVERS_MAX);
	}
}

Test(parse_lengths, at_most_eight_name_servers)
{
	uint8_t bytes[63 * 4];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i % 4 == 3 ? i / 4 : 10);
	begin();
	reply_option(&reply, OPTION_NAME_SERVER, bytes, sizeof(bytes));
	end_and_parse();
	cr_assert_eq(message.parameters.n_name_servers, MESSAGE_NAME_SERVERS_MAX);
}

Test(parse_lengths, C4_04_longest_message_text)
{
	char text[255];

	memset(text, 0x01, sizeof(text));
	begin();
	reply_option(&reply, OPTION_MESSAGE, text, 255);
	reply_option(&reply, OPTION_MESSAGE, text, 255);
	end_and_parse();
	cr_assert_eq(strlen(message.text), MESSAGE_TEXT_SIZE - 1);
}

/* Kept completely, so that it can be compared with our longest one. */
Test(parse_lengths, V4_52_C4_29_client_identifier_of_every_length)
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

Test(parse_lengths, V4_35_C4_12_long_messages)
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

Test(parse_lengths, Q33_host_name_of_length_0)
{
	begin();
	reply_option(&reply, OPTION_HOST_NAME, "", 0);
	reply_u32(&reply, OPTION_LEASE_TIME, 100);
	end_and_parse();
	cr_assert_eq(message.lease_s, 100);
}

/* An option of which more was sent than a frame can hold is not believed. */
Test(parse_lengths, joined_option_that_is_too_long)
{
	uint8_t text[255] = { 3 };

	begin();
	for (int i = 0; i < 7; i++)
		reply_option(&reply, OPTION_LEASE_TIME, text, 255);
	end_and_parse();
	cr_assert_eq(message.lease_s, 0);
}
