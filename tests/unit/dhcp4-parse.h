/* SPDX-License-Identifier: Apache-2.0 */
/* A reply of a server's that is parsed: `message` is what came of it. */
#ifndef CALFPEN_TESTS_DHCP4_PARSE_H
#define CALFPEN_TESTS_DHCP4_PARSE_H

#include <stdlib.h>

#include "tests/unit/dhcp4-support.h"

#define XID 0x12345678

static struct reply reply;
static struct message message;

static inline void begin(void)
{
	reply_begin(&reply, MESSAGE_OFFER, XID, "192.0.2.10");
}

static inline void end_and_parse(void)
{
	reply_end(&reply);
	cr_assert_eq(reply_parse(&reply, &message), REASON_NONE);
}

/* This option in a message of its own. */
static inline void parse_one(uint8_t code, const void *bytes, size_t size)
{
	begin();
	reply_option(&reply, code, bytes, size);
	end_and_parse();
}

#endif
