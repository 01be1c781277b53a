/* SPDX-License-Identifier: Apache-2.0 */
/* What we send, octet by octet. */
#include <criterion/criterion.h>

#include "tests/unit/dhcp4-support.h"

static uint8_t bytes[MESSAGE_SIZE_MAX];
static size_t size;
static struct message_sender sender;

static const enum message_type types[] = { MESSAGE_DISCOVER, MESSAGE_REQUEST, MESSAGE_DECLINE,
					   MESSAGE_RELEASE, MESSAGE_INFORM };
#define N_TYPES (sizeof(types) / sizeof(types[0]))

static void setup(void)
{
	sender = support_sender();
}

TestSuite(build, .init = setup);

static struct message_request request_of(enum message_type type)
{
	return (struct message_request){ .type = type, .xid = 0x01020304, .secs = 1 };
}

/* With everything there is to say; the builder chooses. */
static struct message_request full_request(enum message_type type)
{
	struct message_request request = request_of(type);

	request.broadcast = request.rapid_commit = request.has_server = true;
	request.ciaddr = address("192.0.2.10");
	request.requested = address("192.0.2.11");
	request.server = address("192.0.2.1");
	strcpy(request.text, "why");
	return request;
}

static void full_sender(void)
{
	strcpy(sender.host_name, "calf");
	strcpy(sender.vendor_class, "calfpen");
	strcpy(sender.user_class, "stable");
}

static void build(const struct message_request *request)
{
	memset(bytes, 0xee, sizeof(bytes));
	size = message_build(&sender, request, bytes, sizeof(bytes));
	cr_assert(size > 0);
}

static void build_type(enum message_type type)
{
	struct message_request request = request_of(type);

	build(&request);
}

/* All octets of an option, its instances joined; SIZE_MAX: there is none. */
static size_t joined(uint8_t code, uint8_t value[static 600])
{
	size_t at = AT_OPTIONS, n = 0;
	bool found = false;

	while (bytes[at] != OPTION_END) {
		cr_assert(at + 2 + bytes[at + 1] < size);
		if (bytes[at] == code) {
			found = true;
			memcpy(value + n, bytes + at + 2, bytes[at + 1]);
			n += bytes[at + 1];
		}
		at += 2u + bytes[at + 1];
	}
	return found ? n : SIZE_MAX;
}

static void assert_option(uint8_t code, const void *expected, size_t n)
{
	uint8_t value[600];

	cr_assert_eq(joined(code, value), n, "option %u", code);
	cr_assert_eq(memcmp(value, expected, n), 0, "option %u", code);
}

#define assert_text(_code, _text) assert_option(_code, _text, sizeof(_text) - 1)

static void assert_absent(uint8_t code)
{
	cr_assert_not(request_has(bytes, size, code), "option %u", code);
}

Test(build, V4_01_V4_02_fixed_part)
{
	static const uint8_t head[] = { 1, 1, 6, 0, 1, 2, 3, 4, 0, 1, 0, 0 };

	build_type(MESSAGE_DISCOVER);
	cr_assert_eq(memcmp(bytes, head, sizeof(head)), 0);
	cr_assert_eq(memcmp(bytes + AT_CHADDR, support_mac, 6), 0);
	cr_assert_eq(request_be32(bytes, AT_COOKIE), 0x63825363);
	cr_assert_not_null(memchr(bytes + AT_OPTIONS, OPTION_END, size - AT_OPTIONS));
}

Test(build, V4_01_V4_02_Q02_Q53_every_type)
{
	for (size_t i = 0; i < N_TYPES; i++) {
		struct message_request request = full_request(types[i]);

		build(&request);
		cr_assert_eq(bytes[AT_OPTIONS], OPTION_MESSAGE_TYPE, "first");
		cr_assert_eq(bytes[AT_OPTIONS + 1], 1);
		cr_assert_eq(bytes[AT_OPTIONS + 2], types[i]);
		cr_assert_eq(memcmp(bytes, "\1\1\6\0", 4), 0, "BOOTREQUEST, Ethernet");
		cr_assert_eq(memcmp(bytes + AT_CHADDR, support_mac, 6), 0);
	}
}

/*
 * Table 5 of RFC 2131: what each message has and has not, given everything.
 * V4-05, V4-27, V4-28, V4-31, V4-53, Q16.
 */
Test(build, V4_05_V4_27_V4_28_V4_31_V4_53_Q16_contents)
{
	static const uint8_t codes[] = { 12, 50, 51, 54, 55, 56, 57, 60, 61, 77, 80, 81 };
	static const struct {
		const char *present; /* of the codes above, in their order */
		bool ciaddr, time;
	} rows[] = {
		{ "xx..x.xxxxx.", false, true },  /* DISCOVER */
		{ "xx.xx.xxxx..", true, true },	  /* REQUEST */
		{ ".x.x.x..x...", false, false }, /* DECLINE */
		{ "...x.x..x...", true, false },  /* RELEASE */
		{ "x...x.xxxx..", true, true },	  /* INFORM */
	};

	full_sender();
	for (size_t i = 0; i < N_TYPES; i++) {
		struct message_request request = full_request(types[i]);

		build(&request);
		for (size_t j = 0; j < sizeof(codes); j++)
			cr_assert_eq(request_has(bytes, size, codes[j]), rows[i].present[j] == 'x',
				     "type %u, option %u", types[i], codes[j]);
		cr_assert_eq(request_be32(bytes, AT_CIADDR) != 0, rows[i].ciaddr);
		cr_assert_eq(memcmp(bytes + AT_SECS, rows[i].time ? "\0\1\x80\0" : "\0\0\0\0", 4),
			     0, "secs and flags of type %u", types[i]);
	}
}

Test(build, nothing_else_is_sent)
{
	static const uint8_t sent[] = { OPTION_MESSAGE_TYPE, OPTION_CLIENT_ID, OPTION_MESSAGE_SIZE,
					OPTION_PARAMETER_LIST };

	build_type(MESSAGE_DISCOVER);
	for (unsigned int code = 1; code < 255; code++)
		cr_assert_eq(request_has(bytes, size, (uint8_t)code),
			     memchr(sent, (int)code, sizeof(sent)) != NULL, "%u", code);
}

Test(build, V4_09_request_with_server_and_address)
{
	struct message_request request = full_request(MESSAGE_REQUEST);

	build(&request);
	cr_assert(request_has_address(bytes, size, OPTION_SERVER_ID, "192.0.2.1"));
	cr_assert(request_has_address(bytes, size, OPTION_REQUESTED_ADDRESS, "192.0.2.11"));
}

/* Q17: the server that has no address is named as it named itself. */
Test(build, Q17_server_0)
{
	struct message_request request = request_of(MESSAGE_REQUEST);

	request.has_server = true;
	build(&request);
	cr_assert(request_has_address(bytes, size, OPTION_SERVER_ID, "0.0.0.0"));
}

/* The same in every message, also in the last one. */
Test(build, V4_11_Q06_Q07_client_identifier)
{
	for (size_t i = 0; i < N_TYPES; i++) {
		setup();
		build_type(types[i]);
		assert_text(OPTION_CLIENT_ID, "\1\2\0\0\0\x77\2");
		message_sender_set_duid(&sender, 7, NULL, 0);
		build_type(types[i]);
		assert_text(OPTION_CLIENT_ID, "\xff\0\0\0\7\0\3\0\1\2\0\0\0\x77\2");
		sender.client_id_size = 0;
		build_type(types[i]);
		assert_absent(OPTION_CLIENT_ID);
	}
}

Test(build, V4_12_V4_45_Q08_Q09_parameter_list)
{
	static const uint8_t list[] = { 121, 249, 1, 3, 33, 6, 15, 119, 26, 42, 114, 162 };
	static const enum message_type asking[] = { MESSAGE_DISCOVER, MESSAGE_REQUEST,
						    MESSAGE_INFORM };

	for (size_t i = 0; i < 3; i++) {
		build_type(asking[i]);
		assert_option(OPTION_PARAMETER_LIST, list, sizeof(list));
	}
}

Test(build, V4_13_Q05_message_size)
{
	build_type(MESSAGE_DISCOVER);
	assert_text(OPTION_MESSAGE_SIZE, "\x05\xc0");
	cr_assert_eq(MESSAGE_SIZE_ANNOUNCED, 0x05c0);
	cr_assert(MESSAGE_SIZE_ANNOUNCED >= 576);
}

Test(build, Q03_padded_to_300)
{
	for (size_t i = 0; i < N_TYPES; i++) {
		build_type(types[i]);
		cr_assert_eq(size, 300);
	}
}

Test(build, V4_30_Q14_broadcast_flag)
{
	struct message_request request = request_of(MESSAGE_DISCOVER);

	build(&request);
	cr_assert_eq(memcmp(bytes + AT_FLAGS, "\0\0", 2), 0);
	request.broadcast = true;
	build(&request);
	cr_assert_eq(memcmp(bytes + AT_FLAGS, "\x80\0", 2), 0);
}

Test(build, V4_53_Q10_rapid_commit)
{
	struct message_request request = request_of(MESSAGE_DISCOVER);

	build(&request);
	assert_absent(OPTION_RAPID_COMMIT);
	request.rapid_commit = true;
	build(&request);
	assert_option(OPTION_RAPID_COMMIT, "", 0);
	request.type = MESSAGE_REQUEST;
	build(&request);
	assert_absent(OPTION_RAPID_COMMIT);
}

/* RFC 4702: S and E, no result codes, the name in wire form with its root. */
Test(build, Q11_fqdn_instead_of_host_name)
{
	strcpy(sender.host_name, "calf");
	build_type(MESSAGE_REQUEST);
	assert_text(OPTION_HOST_NAME, "calf");
	assert_absent(OPTION_FQDN);
	strcpy(sender.fqdn, "calf.example.org");
	build_type(MESSAGE_REQUEST);
	assert_text(OPTION_FQDN, "\5\0\0\4calf\7example\3org\0");
	assert_absent(OPTION_HOST_NAME);
}

Test(build, Q11_C4_29_longest_fqdn_is_split)
{
	char expected[3 + 255] = "\5\0\0";
	size_t at = 3;

	for (int i = 0; i < 253; i++)
		sender.fqdn[i] = i % 64 == 63 ? '.' : 'a';
	for (size_t length = 63, left = 253; left > 0; at += 1 + length) {
		length = left < 63 ? left : 63;
		expected[at] = (char)length;
		memset(expected + at + 1, 'a', length);
		left -= length + (left > length);
	}
	cr_assert_eq(at + 1, sizeof(expected));
	sender.n_parameters = 4; /* make room */
	build_type(MESSAGE_REQUEST);
	assert_option(OPTION_FQDN, expected, sizeof(expected));
}

Test(build, vendor_class)
{
	strcpy(sender.vendor_class, "calfpen 1");
	build_type(MESSAGE_DISCOVER);
	assert_text(OPTION_VENDOR_CLASS, "calfpen 1");
}

/* RFC 3004: a class behind its length; RFC 3396 where that makes 256 octets. */
Test(build, C4_19_user_class_of_every_length)
{
	for (size_t n = 0; n < MESSAGE_CLASS_SIZE; n++) {
		uint8_t expected[1 + MESSAGE_CLASS_SIZE] = { (uint8_t)n };

		setup();
		memset(sender.user_class, 'u', n);
		memset(expected + 1, 'u', n);
		build_type(MESSAGE_DISCOVER);
		if (n == 0)
			assert_absent(OPTION_USER_CLASS);
		else
			assert_option(OPTION_USER_CLASS, expected, 1 + n);
	}
}

Test(build, V4_51_anonymous)
{
	struct message_request request = request_of(MESSAGE_DISCOVER);

	full_sender();
	strcpy(sender.fqdn, "calf.example.org");
	message_sender_set_anonymous(&sender, &support_policy, 99);
	build(&request);
	assert_absent(OPTION_HOST_NAME);
	assert_absent(OPTION_FQDN);
	assert_absent(OPTION_VENDOR_CLASS);
	assert_absent(OPTION_USER_CLASS);
	assert_text(OPTION_CLIENT_ID, "\1\2\0\0\0\x77\2");
}

Test(build, Q04_C4_29_longest_message)
{
	struct message_request request = full_request(MESSAGE_REQUEST);

	sender.client_id_size = MESSAGE_CLIENT_ID_MAX;
	memset(sender.client_id, 0xa5, sizeof(sender.client_id));
	build(&request);
	cr_assert(size > 300 && size <= MESSAGE_SIZE_MAX);
	cr_assert_eq(bytes[size - 1], OPTION_END, "padded beyond 300");
	for (size_t room = 0; room < size; room++)
		cr_assert_eq(message_build(&sender, &request, bytes, room), 0);
	full_sender();
	cr_assert_eq(message_build(&sender, &request, bytes, sizeof(bytes)), 0, "does not fit");
}

/* The message has the reason for the server, if there is room for it. */
Test(build, text_of_decline_and_release)
{
	struct message_request request = full_request(MESSAGE_DECLINE);

	build(&request);
	assert_text(OPTION_MESSAGE, "why");
	memset(request.text, 't', sizeof(request.text) - 1);
	build(&request);
	assert_option(OPTION_MESSAGE, request.text, 255);
	sender.client_id_size = MESSAGE_CLIENT_ID_MAX;
	build(&request);
	assert_absent(OPTION_MESSAGE);
	cr_assert(request_has(bytes, size, OPTION_SERVER_ID));
}

/* C4-25: nothing of the buffer before shows in a message. */
Test(build, C4_25_unused_octets_are_zero)
{
	full_sender();
	for (size_t i = 0; i < N_TYPES; i++) {
		struct message_request request = full_request(types[i]);
		uint8_t other[MESSAGE_SIZE_MAX];
		size_t at = AT_OPTIONS;

		build(&request);
		memset(other, 0x11, sizeof(other));
		cr_assert_eq(message_build(&sender, &request, other, sizeof(other)), size);
		cr_assert_eq(memcmp(bytes, other, size), 0);
		for (size_t j = AT_YIADDR; j < AT_CHADDR; j++)
			cr_assert_eq(bytes[j], 0);
		for (size_t j = AT_CHADDR + 6; j < AT_COOKIE; j++)
			cr_assert_eq(bytes[j], 0);
		while (bytes[at] != OPTION_END)
			at += 2u + bytes[at + 1];
		while (++at < size)
			cr_assert_eq(bytes[at], 0);
	}
}

/* What we send, read as a reply is: the same options come out. */
Test(build, fixed_point_of_building_and_parsing)
{
	static struct message message;

	for (size_t i = 0; i < N_TYPES; i++) {
		struct message_request request = full_request(types[i]);

		support_policy.use_host_name = true;
		full_sender();
		build(&request);
		bytes[0] = 2;
		cr_assert_eq(parse_bytes(bytes, size, &message), REASON_NONE);
		cr_assert_eq(message.type, types[i]);
		cr_assert_eq(message.xid, request.xid);
		cr_assert_eq(memcmp(message.chaddr, support_mac, 6), 0);
		cr_assert_eq(message.client_id_size, sender.client_id_size);
		cr_assert_eq(memcmp(message.client_id, sender.client_id, sender.client_id_size), 0);
		cr_assert_eq(message.has_rapid_commit, types[i] == MESSAGE_DISCOVER);
		cr_assert_eq(message.has_server, request_has(bytes, size, OPTION_SERVER_ID));
		if (request_has(bytes, size, OPTION_HOST_NAME))
			cr_assert_str_eq(message.parameters.host_name, "calf");
		if (request_has(bytes, size, OPTION_MESSAGE))
			cr_assert_str_eq(message.text, "why");
	}
}
