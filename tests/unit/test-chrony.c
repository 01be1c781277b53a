/* SPDX-License-Identifier: Apache-2.0 */
/* One request of chronyd's command protocol, and every reply to it. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "userspace/priv/chrony/chrony.h"

#define SEQUENCE 0xbecc3e34u

/* Both as chronyc 4.3 and chronyd 4.3 exchange them for "reload sources". */
static const uint8_t request_of_chronyc[CHRONY_SIZE] = "\x06\x01\0\0\0\x46\0\0\xbe\xcc\x3e\x34";
static const uint8_t reply_of_chronyd[CHRONY_SIZE] =
	"\x06\x02\0\0\0\x46\0\x01\0\0\0\0\0\0\0\0\xbe\xcc\x3e\x34";

Test(chrony, request)
{
	uint8_t request[CHRONY_SIZE];

	memset(request, 0xff, sizeof(request));
	chrony_request(request, SEQUENCE, 0);
	cr_expect_arr_eq(request, request_of_chronyc, CHRONY_SIZE);
	chrony_request(request, SEQUENCE, 0x0102);
	cr_expect_eq(request[6], 1);
	cr_expect_eq(request[7], 2);
}

Test(chrony, reply)
{
	uint8_t longer[600] = { 0 };
	uint16_t status = 77;

	cr_expect_eq(chrony_reply(reply_of_chronyd, CHRONY_SIZE, SEQUENCE, &status), 0);
	cr_expect_eq(status, 0);
	memcpy(longer, reply_of_chronyd, CHRONY_SIZE); /* as a later version may send it */
	cr_expect_eq(chrony_reply(longer, sizeof(longer), SEQUENCE, &status), 0);
	cr_expect_eq(chrony_reply(reply_of_chronyd, CHRONY_SIZE, SEQUENCE + 1, &status), -EBADMSG);
}

Test(chrony, refusals)
{
	uint8_t reply[CHRONY_SIZE];
	uint16_t status = 0;

	memcpy(reply, reply_of_chronyd, CHRONY_SIZE);
	reply[9] = 2;
	cr_expect_eq(chrony_reply(reply, CHRONY_SIZE, SEQUENCE, &status), 0);
	cr_expect_eq(status, 2);
	cr_expect_str_eq(chrony_status_name(status), "not authorised");
	reply[8] = 0xff;
	cr_expect_eq(chrony_reply(reply, CHRONY_SIZE, SEQUENCE, &status), 0);
	cr_expect_eq(status, 0xff02);
	/* a chronyd of another version reports only the mismatch */
	reply[0] = 5;
	reply[8] = 0;
	reply[9] = 18;
	cr_expect_eq(chrony_reply(reply, CHRONY_SIZE, SEQUENCE, &status), 0);
	cr_expect_eq(status, 18);
	cr_expect_str_eq(chrony_status_name(status), "protocol version mismatch");
	/* the data of a refusal are ignored */
	reply[0] = 6;
	reply[9] = 1;
	reply[7] = 9;
	cr_expect_eq(chrony_reply(reply, CHRONY_SIZE, SEQUENCE, &status), 0);
	cr_expect_eq(status, 1);
}

Test(chrony, malformed)
{
	static const struct {
		const char *what;
		size_t at;
		uint8_t byte;
	} rows[] = {
		{ "version 5", 0, 5 },	   { "version 7", 0, 7 },
		{ "version 0", 0, 0 },	   { "a request", 1, 1 },
		{ "no type", 1, 0 },	   { "res1", 2, 1 },
		{ "res2", 3, 1 },	   { "another command", 5, 0x45 },
		{ "command, high", 4, 1 }, { "no form", 7, 0 },
		{ "another form", 7, 2 },  { "form, high", 6, 1 },
		{ "sequence", 16, 0xbf },  { "sequence, low", 19, 0x35 },
	};
	uint8_t reply[CHRONY_SIZE];
	uint16_t status = 77;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memcpy(reply, reply_of_chronyd, CHRONY_SIZE);
		reply[rows[i].at] = rows[i].byte;
		cr_expect_eq(chrony_reply(reply, CHRONY_SIZE, SEQUENCE, &status), -EBADMSG, "%s",
			     rows[i].what);
	}
	/* versions before 4 are not supported */
	memcpy(reply, reply_of_chronyd, CHRONY_SIZE);
	reply[0] = 3;
	reply[9] = 18;
	cr_expect_eq(chrony_reply(reply, CHRONY_SIZE, SEQUENCE, &status), -EBADMSG);
	cr_expect_eq(status, 77, "written on success only");
}

Test(chrony, cut_short)
{
	uint16_t status;
	size_t size;

	for (size = 0; size < CHRONY_SIZE; size++)
		cr_expect_eq(chrony_reply(reply_of_chronyd, size, SEQUENCE, &status), -EBADMSG,
			     "%zu octets", size);
	/* sequence 0 is not what an empty answer says */
	cr_expect_eq(chrony_reply("", 0, 0, &status), -EBADMSG);
}

/* Results are exit codes: no two mean the same, none is lost in eight bits. */
Test(chrony, results)
{
	unsigned int i;

	cr_expect_eq(chrony_refused(2), CHRONY_REFUSED + 2);
	cr_expect_eq(chrony_refused(0xffff), CHRONY_REFUSED + CHRONY_STATUS_MAX);
	cr_expect_lt(CHRONY_REFUSED + CHRONY_STATUS_MAX, 77); /* ROLE_EXIT_CONFINE */
	for (i = 1; i < 128; i++)
		cr_expect_eq(chrony_error((int)i), CHRONY_ERROR + (int)i);
	cr_expect_eq(chrony_error(128), CHRONY_ERROR + EIO);
	cr_expect_eq(chrony_error(0), CHRONY_ERROR + EIO);
	cr_expect_eq(chrony_error(-5), CHRONY_ERROR + EIO);
	for (i = 0; i < 70000; i++)
		cr_expect(strlen(chrony_status_name((uint16_t)i)) > 3);
}
