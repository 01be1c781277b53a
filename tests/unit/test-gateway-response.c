/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/unit/capture.h"
#include "userspace/priv/gateway/response.h"

#define ERRNO_END 134 /* behind the last errno of Linux */

/* The last byte of the struct's first word, behind the table and the root. */
#define CODE_AT (8 + 8 + 7)

struct row {
	enum wire_code code;
	const char *text;
};

/* Every errno that a request can get from the store. */
static const struct row rows[ERRNO_END] = {
	[ENOENT] = { WIRE_CODE_NOT_FOUND, "err-not-found" },
	[EACCES] = { WIRE_CODE_NOT_ALLOWED, "a/b is not an allowed path" },
	[EMSGSIZE] = { WIRE_CODE_VALUE_TOO_LARGE, "value too large" },
	[EBADMSG] = { WIRE_CODE_WRONG_TYPE, "wrong type" },
	[EUCLEAN] = { WIRE_CODE_WRONG_TYPE, "stored value has the wrong type" },
	[EDQUOT] = { WIRE_CODE_QUOTA_EXCEEDED, "quota exceeded" },
	[EFBIG] = { WIRE_CODE_QUOTA_EXCEEDED, "too much to audit" },
	[ENOSPC] = { WIRE_CODE_QUOTA_EXCEEDED, "quota exceeded" },
	[ESTALE] = { WIRE_CODE_CONFLICT, "conflict" },
	[EBUSY] = { WIRE_CODE_TRY_AGAIN, "try again" },
	[EAGAIN] = { WIRE_CODE_TRY_AGAIN, "try again" },
	[E2BIG] = { WIRE_CODE_TOO_MANY_CHANGES, "too many changes" },
	[EUSERS] = { WIRE_CODE_TOO_MANY_WATCHES, "too many watches" },
};

TestSuite(gateway_response, .init = capture_begin);

Test(gateway_response, every_errno_has_its_code)
{
	for (int error = 1; error < ERRNO_END; error++) {
		bool is_known = rows[error].text;
		struct gateway_response response = { .revision = 7 };

		gateway_response_verdict(&response, -error, "a/b");
		cr_assert_eq(response.tag, WIRE_ERROR);
		cr_assert_eq(response.code, is_known ? rows[error].code : WIRE_CODE_FAILED, "%s",
			     strerrorname_np(error));
		cr_assert_str_eq(response.text, is_known ? rows[error].text : "store failed");
		cr_assert_eq(response.length, strlen(response.text));
		cr_assert_eq(response.revision, 0);
	}
}

Test(gateway_response, only_a_failure_is_logged)
{
	struct gateway_response response = { 0 };

	for (int error = 1; error < ERRNO_END; error++)
		if (rows[error].text)
			gateway_response_verdict(&response, -error, "a/b");
	cr_assert_str_eq(capture_text(), "");
	gateway_response_verdict(&response, -EFAULT, "a/b");
	cr_assert_str_eq(capture_text(), "gateway: the store refused /a/b: EFAULT\n");
}

Test(gateway_response, no_error_has_no_code)
{
	struct gateway_response response = { .revision = 7 };

	gateway_response_verdict(&response, 0, "a/b");
	cr_assert_eq(response.tag, WIRE_OK);
	cr_assert_eq(response.code, WIRE_CODE_NONE);
	cr_assert_eq(response.revision, 7);
}

/* An error is what it was before it had a code but for one byte. */
Test(gateway_response, errors_are_no_longer_than_without_a_code)
{
	for (int error = 1; error < ERRNO_END; error++) {
		struct gateway_response response = { 0 };
		uint8_t before[256], now[256];
		int size, r;

		gateway_response_verdict(&response, -error, "a/b");
		size = wire_encode_response(5, WIRE_ERROR, WIRE_CODE_NONE, response.text,
					    response.length, 0, before, sizeof(before));
		r = gateway_response_encode(&response, 5, now, sizeof(now));
		cr_assert_gt(size, 0);
		cr_assert_eq(r, size);
		cr_assert_eq(now[CODE_AT], response.code);
		now[CODE_AT] = 0;
		cr_assert_arr_eq(now, before, (size_t)size);
	}
}

/* A text is cut, but never the code. */
Test(gateway_response, text_of_any_length)
{
	struct gateway_response response = { 0 };
	char path[512];

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	gateway_response_refuse(&response, WIRE_CODE_UNKNOWN_OPERATION, "%s", path);
	cr_assert_eq(response.length, WIRE_ERROR_MAX);
	cr_assert_eq(response.code, WIRE_CODE_UNKNOWN_OPERATION);
}
