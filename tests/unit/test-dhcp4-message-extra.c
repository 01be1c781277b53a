/* SPDX-License-Identifier: Apache-2.0 */
/* Options that the operator adds to our messages. */
#include <criterion/criterion.h>
#include <errno.h>

#include "tests/unit/dhcp4-support.h"

static struct message_sender sender;
static uint8_t bytes[MESSAGE_SIZE_MAX], octets[600];
static size_t size;

static void setup(void)
{
	sender = support_sender();
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)i;
}

TestSuite(extra, .init = setup);

static bool build(enum message_type type)
{
	struct message_request request = { .type = type,
					   .has_server = true,
					   .server = address("192.0.2.1") };

	size = message_build(&sender, &request, bytes, sizeof(bytes));
	return size > 0;
}

/* How often the message has the option, and its octets, joined. */
static unsigned int joined(uint8_t code, uint8_t value[static 600], size_t *np)
{
	unsigned int n_parts = 0;

	*np = 0;
	for (size_t at = AT_OPTIONS; bytes[at] != OPTION_END; at += 2u + bytes[at + 1]) {
		cr_assert(at + 2 + bytes[at + 1] < size);
		if (bytes[at] != code)
			continue;
		n_parts++;
		memcpy(value + *np, bytes + at + 2, bytes[at + 1]);
		*np += bytes[at + 1];
	}
	return n_parts;
}

Test(extra, U49_in_these_messages)
{
	static const struct {
		enum message_type type;
		bool has;
	} rows[] = { { MESSAGE_DISCOVER, true },
		     { MESSAGE_REQUEST, true },
		     { MESSAGE_INFORM, true },
		     { MESSAGE_DECLINE, false },
		     { MESSAGE_RELEASE, false } };
	uint8_t value[600];
	size_t n;

	cr_assert_eq(message_sender_add(&sender, 43, octets + 1, 4), 0);
	cr_assert_eq(message_sender_add(&sender, 118, octets + 7, 4), 0);
	cr_assert_eq(message_sender_add(&sender, 224, octets, 0), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert(build(rows[i].type));
		cr_assert_eq(joined(43, value, &n), rows[i].has, "%zu", i);
		cr_assert_eq(n, rows[i].has ? 4 : 0);
		cr_assert_eq(memcmp(value, octets + 1, n), 0);
		cr_assert_eq(joined(118, value, &n), rows[i].has);
		cr_assert_eq(joined(224, value, &n), rows[i].has, "without octets");
		cr_assert_eq(n, 0);
	}
	message_sender_set_anonymous(&sender, &support_policy, 1);
	cr_assert(build(MESSAGE_DISCOVER));
	cr_assert_eq(joined(43, value, &n), 0, "RFC 7844");
}

Test(extra, U49_codes_of_the_calf)
{
	static const uint8_t refused[] = { 0,  12, 50, 51, 52, 53, 54, 55,  56,	 57, 58,
					   59, 60, 61, 77, 80, 81, 82, 116, 145, 255 };

	for (unsigned int code = 0; code < 256; code++) {
		bool is_refused = memchr(refused, (int)code, sizeof(refused));

		setup();
		cr_assert_eq(message_sender_add(&sender, (uint8_t)code, octets, 1),
			     is_refused ? -EPERM : 0, "%u", code);
		cr_assert_eq(sender.extra_size, is_refused ? 0 : 3);
	}
}

/* RFC 3396: only options whose definition says so are sent in several parts. */
Test(extra, U49_long_ones_are_split_where_allowed)
{
	static const struct {
		uint8_t code;
		size_t n;
		unsigned int n_parts; /* 0: refused */
	} rows[] = { { 66, 255, 1 }, { 66, 256, 0 },  { 43, 255, 1 },
		     { 43, 256, 2 }, { 124, 260, 2 }, { 125, 257, 2 } };
	uint8_t value[600];
	size_t n;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int r;

		setup();
		sender.n_parameters = 1;
		r = message_sender_add(&sender, rows[i].code, octets, rows[i].n);
		cr_assert_eq(r, rows[i].n_parts ? 0 : -EMSGSIZE, "%zu", i);
		cr_assert(build(MESSAGE_REQUEST));
		cr_assert_eq(joined(rows[i].code, value, &n), rows[i].n_parts, "%zu", i);
		cr_assert_eq(n, rows[i].n_parts ? rows[i].n : 0);
		cr_assert_eq(memcmp(value, octets, n), 0);
	}
}

/* What is refused changes nothing, and a message that is too long is not built. */
Test(extra, U49_no_room)
{
	uint16_t before;

	cr_assert_eq(message_sender_add(&sender, 43, octets, 304), 0, "308 in two parts");
	before = sender.extra_size;
	cr_assert_eq(before, MESSAGE_EXTRA_MAX);
	cr_assert_eq(message_sender_add(&sender, 44, octets, 0), -ENOSPC);
	cr_assert_eq(sender.extra_size, before);
	cr_assert_not(build(MESSAGE_REQUEST));
	setup();
	cr_assert_eq(message_sender_add(&sender, 43, octets, 305), -ENOSPC);
	cr_assert_eq(message_sender_add(&sender, 43, octets, 600), -ENOSPC);
	cr_assert_eq(sender.extra_size, 0);
	cr_assert(build(MESSAGE_REQUEST));
}
