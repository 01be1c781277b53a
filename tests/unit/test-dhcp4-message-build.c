/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dhcp4-support.h"

static uint8_t bytes[MESSAGE_SIZE_MAX];
static size_t size;

static struct message_sender sender;

static void setup(void)
{
	sender = support_sender();
}

TestSuite(build, .init = setup);

static struct message_request discover(void)
{
	return (struct message_request){ .type = MESSAGE_DISCOVER, .xid = 0x01020304, .secs = 1 };
}

static void build(const struct message_request *request)
{
	memset(bytes, 0xee, sizeof(bytes));
	size = message_build(&sender, request, bytes, sizeof(bytes));
	cr_assert(size > 0);
}

static const uint8_t *get(uint8_t code, size_t *sizep)
{
	return request_option(bytes, size, code, sizep);
}

Test(build, V4_01_V4_02_fixed_part)
{
	static const uint8_t head[] = { 1, 1, 6, 0, 1, 2, 3, 4, 0, 1, 0, 0 };
	struct message_request request = discover();
	size_t n;

	build(&request);
	cr_assert_eq(memcmp(bytes, head, sizeof(head)), 0);
	cr_assert_eq(memcmp(bytes + AT_CHADDR, support_mac, 6), 0);
	cr_assert_eq(request_be32(bytes, AT_COOKIE), 0x63825363);
	cr_assert_eq(*get(OPTION_MESSAGE_TYPE, &n), MESSAGE_DISCOVER);
	cr_assert_not_null(memchr(bytes + AT_OPTIONS, OPTION_END, size - AT_OPTIONS));
}

Test(build, Q02_type_is_the_first_option)
{
	struct message_request request = discover();

	build(&request);
	cr_assert_eq(bytes[AT_OPTIONS], OPTION_MESSAGE_TYPE);
}

Test(build, V4_05_Q16_discover)
{
	struct message_request request = discover();

	build(&request);
	cr_assert_eq(request_be32(bytes, AT_CIADDR), 0);
	cr_assert_not(request_has(bytes, size, OPTION_SERVER_ID));
	cr_assert_not(request_has(bytes, size, OPTION_REQUESTED_ADDRESS));
}

Test(build, V4_09_request_with_server_and_address)
{
	struct message_request request = discover();

	request.type = MESSAGE_REQUEST;
	request.has_server = true;
	request.server = address("192.0.2.1");
	request.requested = address("192.0.2.10");
	build(&request);
	cr_assert(request_has_address(bytes, size, OPTION_SERVER_ID, "192.0.2.1"));
	cr_assert(request_has_address(bytes, size, OPTION_REQUESTED_ADDRESS, "192.0.2.10"));
}

/* Q17: the server that has no address is named as it named itself. */
Test(build, Q17_server_0)
{
	struct message_request request = discover();

	request.type = MESSAGE_REQUEST;
	request.has_server = true;
	build(&request);
	cr_assert(request_has_address(bytes, size, OPTION_SERVER_ID, "0.0.0.0"));
}

Test(build, V4_11_Q07_client_identifier_is_the_mac)
{
	static const uint8_t id[] = { 1, 2, 0, 0, 0, 0x77, 2 };
	struct message_request request = discover();
	const uint8_t *value;
	size_t n = 0;

	build(&request);
	value = get(OPTION_CLIENT_ID, &n);
	cr_assert(value && n == sizeof(id) && memcmp(value, id, n) == 0);
}

Test(build, V4_12_V4_45_Q08_Q09_parameter_list)
{
	static const uint8_t list[] = { 121, 249, 1, 3, 33, 6, 15, 119, 26, 42, 114, 162 };
	static const enum message_type types[] = { MESSAGE_DISCOVER, MESSAGE_REQUEST };

	for (size_t i = 0; i < 2; i++) {
		struct message_request request = discover();
		const uint8_t *value;
		size_t n = 0;

		request.type = types[i];
		build(&request);
		value = get(OPTION_PARAMETER_LIST, &n);
		cr_assert(value && n == sizeof(list) && memcmp(value, list, n) == 0);
	}
}

Test(build, V4_13_Q05_message_size)
{
	struct message_request request = discover();
	const uint8_t *value;
	size_t n = 0;

	build(&request);
	value = get(OPTION_MESSAGE_SIZE, &n);
	cr_assert(value && n == 2);
	cr_assert_eq(value[0] << 8 | value[1], MESSAGE_SIZE_ANNOUNCED);
	cr_assert(MESSAGE_SIZE_ANNOUNCED >= 576);
}

Test(build, Q03_padded_to_300)
{
	struct message_request request = discover();

	build(&request);
	cr_assert_eq(size, 300);
}

Test(build, Q04_C4_29_longest_message)
{
	struct message_request request = discover();
	const uint8_t *value;
	size_t n = 0;

	request.type = MESSAGE_REQUEST;
	request.has_server = true;
	request.server = request.requested = request.ciaddr = address("192.0.2.10");
	memset(sender.host_name, 'a', sizeof(sender.host_name) - 1);
	build(&request);
	cr_assert(size > 300 && size <= MESSAGE_SIZE_MAX);
	cr_assert_eq(bytes[size - 1], OPTION_END, "padded beyond 300");
	value = get(OPTION_HOST_NAME, &n);
	cr_assert(value && n == 63);
	for (size_t room = 0; room < size; room++)
		cr_assert_eq(message_build(&sender, &request, bytes, room), 0);
}

Test(build, V4_30_Q14_broadcast_flag)
{
	struct message_request request = discover();

	build(&request);
	cr_assert_eq(bytes[AT_FLAGS], 0);
	request.broadcast = true;
	build(&request);
	cr_assert_eq(bytes[AT_FLAGS], 0x80);
	cr_assert_eq(bytes[AT_FLAGS + 1], 0);
}

/* C4-25: nothing of the buffer before shows in a message. */
Test(build, C4_25_unused_octets_are_zero)
{
	struct message_request request = discover();
	uint8_t *end;

	build(&request);
	for (size_t i = AT_CIADDR; i < AT_CHADDR; i++)
		cr_assert_eq(bytes[i], 0);
	for (size_t i = AT_CHADDR + 6; i < AT_COOKIE; i++)
		cr_assert_eq(bytes[i], 0);
	end = memchr(bytes + AT_OPTIONS, OPTION_END, size - AT_OPTIONS);
	while (++end < bytes + size)
		cr_assert_eq(*end, 0);
}

Test(build, nothing_else_is_sent)
{
	struct message_request request = discover();

	build(&request);
	for (unsigned int code = 0; code < 256; code++) {
		static const uint8_t sent[] = { OPTION_MESSAGE_TYPE, OPTION_CLIENT_ID,
						OPTION_MESSAGE_SIZE, OPTION_PARAMETER_LIST };

		cr_assert_eq(request_has(bytes, size, (uint8_t)code),
			     memchr(sent, (int)code, sizeof(sent)) != NULL, "%u", code);
	}
}
