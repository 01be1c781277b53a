// SPDX-License-Identifier: Apache-2.0
#include "userspace/priv/handlers/handler.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/log.h"

int handler_fail(struct handler_context *context, int error, const char *format, ...)
{
	char text[HANDLER_ERROR_SIZE], whole[2 * HANDLER_ERROR_SIZE];
	va_list arguments;

	if (context->error[0])
		return error;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	(void)snprintf(whole, sizeof(whole), "%s: %s", text, strerror(-error));
	(void)log_sanitise(context->error, sizeof(context->error), whole, strlen(whole));
	return error;
}

int handler_first(int error, int r)
{
	return error ? error : r;
}
