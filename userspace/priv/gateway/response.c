/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/gateway/response.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/log.h"

void gateway_response_refuse(struct gateway_response *response, enum wire_code code,
			     const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(response->text, WIRE_ERROR_MAX + 1, format, arguments);
	va_end(arguments);
	response->tag = WIRE_ERROR;
	response->code = code;
	response->length = strlen(response->text);
	response->revision = 0;
}

static void refuse_path(struct gateway_response *response, const char *display)
{
	gateway_response_refuse(response, WIRE_CODE_NOT_ALLOWED, "%s is not an allowed path",
				display);
}

struct refusal {
	enum wire_code code;
	const char *text;
};

/* Returns the error for an errno of the store other than EACCES, whose text names the
 * path. WIRE_CODE_FAILED: no request should cause this errno. */
static struct refusal refusal_of(int error)
{
	switch (error) {
	case ENOENT:
		return (struct refusal){ WIRE_CODE_NOT_FOUND, "err-not-found" };
	case EMSGSIZE:
		return (struct refusal){ WIRE_CODE_VALUE_TOO_LARGE, "value too large" };
	case EBADMSG:
		return (struct refusal){ WIRE_CODE_WRONG_TYPE, "wrong type" };
	case EUCLEAN:
		return (struct refusal){ WIRE_CODE_WRONG_TYPE, "stored value has the wrong type" };
	case EDQUOT:
	case ENOSPC:
		return (struct refusal){ WIRE_CODE_QUOTA_EXCEEDED, "quota exceeded" };
	case EFBIG:
		return (struct refusal){ WIRE_CODE_QUOTA_EXCEEDED, "too much to audit" };
	case ESTALE:
		return (struct refusal){ WIRE_CODE_CONFLICT, "conflict" };
	case EBUSY:
	case EAGAIN:
		return (struct refusal){ WIRE_CODE_TRY_AGAIN, "try again" };
	case E2BIG:
		return (struct refusal){ WIRE_CODE_TOO_MANY_CHANGES, "too many changes" };
	case EUSERS:
		return (struct refusal){ WIRE_CODE_TOO_MANY_WATCHES, "too many watches" };
	default:
		return (struct refusal){ WIRE_CODE_FAILED, "store failed" };
	}
}

void gateway_response_verdict(struct gateway_response *response, int verdict, const char *display)
{
	struct refusal refusal;

	if (verdict == 0)
		return;
	if (verdict == -EACCES) {
		refuse_path(response, display);
		return;
	}
	refusal = refusal_of(-verdict);
	if (refusal.code == WIRE_CODE_FAILED)
		log_error("gateway: the store refused /%s: %s", display, strerrorname_np(-verdict));
	gateway_response_refuse(response, refusal.code, "%s", refusal.text);
}

int gateway_response_encode(const struct gateway_response *response, int32_t id, uint8_t *buffer,
			    size_t size)
{
	return wire_encode_response(id, response->tag, response->code, response->text,
				    response->length, response->revision, buffer, size);
}
