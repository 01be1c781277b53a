/* SPDX-License-Identifier: Apache-2.0 */
/* The message's fixed part, and options by the rule of their type. */
#include "tests/unit/dhcp4-parse.h"

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
	parse_one(OPTION_DOMAIN_NAME, "example.org", 11);
	cr_assert_str_eq(message.parameters.domain, "example.org");
	parse_one(OPTION_DOMAIN_NAME, "example.org\0\0\0", 14);
	cr_assert_str_eq(message.parameters.domain, "example.org");
	parse_one(OPTION_DOMAIN_NAME, "example\0org", 11);
	cr_assert_str_eq(message.parameters.domain, "");
	parse_one(OPTION_DOMAIN_NAME, "\0\0", 2);
	cr_assert_str_eq(message.parameters.domain, "");
	parse_one(OPTION_DOMAIN_NAME, "", 0);
	cr_assert_str_eq(message.parameters.domain, "");
}

Test(parse, Q52_control_octets_of_the_servers_message)
{
	parse_one(OPTION_MESSAGE, "no \x1b[31mlease\n<error> x\x7f\xff", 24);
	cr_assert_str_eq(message.text, "no ?[31mlease?<error> x?");
	parse_one(OPTION_MESSAGE, "bye\0\0", 5);
	cr_assert_str_eq(message.text, "bye");
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

/* The BOOTP text fields hold no options unless option 52 says so, and are never
 * used as text. */
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

/* C4-05, C4-06, C4-26, C4-31: any octets, in a time and memory that are
 * bounded; sanitizers see the rest. */
Test(parse, C4_26_C4_31_random_messages)
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
