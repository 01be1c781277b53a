/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/pen/report.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int report_fd = STDERR_FILENO;
static bool report_is_json;

int pen_report_to(const char *path, bool is_json)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	report_fd = fd;
	report_is_json = is_json;
	return 0;
}

/* In one write(), so that the lines of two processes do not mix. */
static void write_line(const char *level, const char *text)
{
	json_t *entry = json_pack("{s:s, s:s}", "level", level, "msg", text);
	char *json = report_is_json && entry ? json_dumps(entry, 0) : NULL;
	char line[1280];
	int n = json ? snprintf(line, sizeof(line), "%s\n", json) :
		       snprintf(line, sizeof(line), "calfpen-pen: %s: %s\n", level, text);

	if (n >= (int)sizeof(line))
		n = (int)sizeof(line) - 1;
	if (write(report_fd, line, (size_t)n) < 0) {
		/* nobody left to tell */
	}
	free(json);
	json_decref(entry);
}

/* Names of a bundle are foreign text: keep them on one line, in ASCII. */
__attribute__((format(printf, 2, 0))) static void report(const char *level, const char *format,
							 va_list arguments)
{
	char text[1024];

	vsnprintf(text, sizeof(text), format, arguments);
	for (char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	write_line(level, text);
}

int pen_fail(int r, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report("error", format, arguments);
	va_end(arguments);
	return r;
}

void pen_warn(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report("warning", format, arguments);
	va_end(arguments);
}
