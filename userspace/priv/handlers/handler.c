/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/handlers/handler.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/sanitise.h"

uint32_t handler_metric(const struct handler_context *context)
{
	const struct handler_options *options = context->options;

	return options->metric +
	       (options->metric_adds_index ? (uint32_t)context->uplink_ifindex : 0);
}

uint32_t handler_rank(const struct handler_context *context)
{
	return context->is_carrier_lost ? UINT32_MAX : handler_metric(context);
}

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
	(void)sanitise(context->error, sizeof(context->error), whole, strlen(whole));
	return error;
}

/* Format, replace unprintable bytes, and truncate. */
__attribute__((format(printf, 2, 0))) static void put(char to[static HANDLER_ERROR_SIZE],
						      const char *format, va_list arguments)
{
	char text[2 * HANDLER_ERROR_SIZE];

	(void)vsnprintf(text, sizeof(text), format, arguments);
	(void)sanitise(to, HANDLER_ERROR_SIZE, text, strlen(text));
}

int handler_fail_plainly(struct handler_context *context, int error, const char *format, ...)
{
	va_list arguments;

	if (context->error[0])
		return error;
	va_start(arguments, format);
	put(context->error, format, arguments);
	va_end(arguments);
	return error;
}

void handler_note(struct handler_context *context, const char *format, ...)
{
	va_list arguments;

	if (context->note[0])
		return;
	va_start(arguments, format);
	put(context->note, format, arguments);
	va_end(arguments);
}

static void report(struct handler_context *context, const char *path, const char *reason,
		   bool is_used)
{
	handler_note(context, "%s %s: %s", is_used ? "used in spite of the witness:" : "refused",
		     path, reason);
	if (context->on_refusal)
		context->on_refusal(context->on_refusal_data, path, reason, is_used);
}

void handler_refuse(struct handler_context *context, const char *path, const char *format, ...)
{
	char reason[HANDLER_ERROR_SIZE];
	va_list arguments;

	va_start(arguments, format);
	put(reason, format, arguments);
	va_end(arguments);
	report(context, path, reason, false);
}

bool handler_refuse_unwitnessed(struct handler_context *context, const char *path,
				const char *format, ...)
{
	bool is_used = context->options->witness_warns;
	char reason[HANDLER_ERROR_SIZE];
	va_list arguments;

	va_start(arguments, format);
	put(reason, format, arguments);
	va_end(arguments);
	report(context, path, reason, is_used);
	return !is_used;
}

int handler_drift(struct handler_context *context, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	put(context->error, format, arguments);
	va_end(arguments);
	return HANDLER_DRIFT;
}

int handler_first(int error, int r)
{
	return error ? error : r;
}
