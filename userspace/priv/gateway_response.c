/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/gateway_response.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/log.h"

void gateway_response_refuse(struct gateway_response *response, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(response->text, WIRE_ERROR_MAX + 1, format, arguments);
	va_end(arguments);
	response->tag = WIRE_ERROR;
	response->length = strlen(response->text);
	response->revision = 0;
}

void gateway_response_refuse_path(struct gateway_response *response, const char *display)
{
	gateway_response_refuse(response, "%s is not an allowed path", display);
}

/* What is said of each errno; -EACCES names the path instead. */
static const char *verdict_text(int error)
{
	switch (error) {
	case ENOENT:
		return "err-not-found";
	case EMSGSIZE:
		return "value too large";
	case EBADMSG:
		return "wrong type";
	case EDQUOT:
	case ENOSPC:
		return "quota exceeded";
	case ESTALE:
		return "conflict";
	case EBUSY:
	case EAGAIN:
		return "try again";
	case E2BIG:
		return "too many changes";
	case EUSERS:
		return "too many watches";
	default:
		return NULL;
	}
}

void gateway_response_verdict(struct gateway_response *response, int verdict, const char *display)
{
	const char *text = verdict_text(-verdict);

	if (verdict == 0)
		return;
	if (verdict == -EACCES) {
		gateway_response_refuse_path(response, display);
		return;
	}
	if (!text) {
		log_error("gateway: the store refused /%s: %s", display, strerrorname_np(-verdict));
		text = "store failed";
	}
	gateway_response_refuse(response, "%s", text);
}

int gateway_response_encode(const struct gateway_response *response, int32_t id, uint8_t *buffer,
			    size_t size)
{
	return wire_encode_response(id, response->tag, WIRE_CODE_NONE, response->text,
				    response->length, response->revision, buffer, size);
}
