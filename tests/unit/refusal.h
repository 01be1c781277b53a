/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors of a scripted gateway. None has the text that the real gateway sends
 * with this code, because nothing may depend on a text.
 */
#ifndef CALFPEN_TESTS_UNIT_REFUSAL_H
#define CALFPEN_TESTS_UNIT_REFUSAL_H

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "userspace/common/wire.h"

struct refusal {
	enum wire_code code;
	const char *text;
};

#define REFUSAL(_name, _code, _text) \
	static const struct refusal _name __attribute__((unused)) = { (_code), (_text) }

REFUSAL(refusal_failed, WIRE_CODE_FAILED, "broken");
REFUSAL(refusal_not_found, WIRE_CODE_NOT_FOUND, "not there");
REFUSAL(refusal_denied, WIRE_CODE_NOT_ALLOWED, "denied");
REFUSAL(refusal_wrong, WIRE_CODE_WRONG_TYPE, "wrong");
REFUSAL(refusal_quota, WIRE_CODE_QUOTA_EXCEEDED, "used up");
REFUSAL(refusal_conflict, WIRE_CODE_CONFLICT, "changed");
REFUSAL(refusal_busy, WIRE_CODE_TRY_AGAIN, "busy");
REFUSAL(refusal_watches, WIRE_CODE_TOO_MANY_WATCHES, "watches enough");

/* Answer the request `id` with this error. */
static inline void refusal_write(int fd, int32_t id, const struct refusal *refusal)
{
	uint8_t frame[WIRE_RESPONSE_MAX];
	int n = wire_encode_response(id, WIRE_ERROR, refusal->code, refusal->text,
				     strlen(refusal->text), 0, frame, sizeof(frame));

	cr_assert_gt(n, 0);
	cr_assert_eq(write(fd, frame, (size_t)n), n);
}

#endif
