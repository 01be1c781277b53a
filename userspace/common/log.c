/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "userspace/common/sanitise.h"

#define LOG_TAG_SIZE 32
#define LOG_LINE_SIZE 1280 /* a value of the store and some words around it */

static struct {
	char tag[LOG_TAG_SIZE];
	int fd;
	enum log_level level;
} log_state = { .tag = "calfpen", .fd = STDERR_FILENO, .level = LOG_LEVEL_INFO };

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

void log_init(const char *tag, int fd, enum log_level level)
{
	sanitise(log_state.tag, sizeof(log_state.tag), tag, strlen(tag));
	log_state.fd = fd;
	log_state.level = level;
}

/* Return how many bytes snprintf() wrote into a buffer of `size`, given its
 * result. */
static size_t written(int wanted, size_t size)
{
	if (wanted < 0)
		return 0;
	return (size_t)wanted < size ? (size_t)wanted : size - 1;
}

void log_message(enum log_level level, const char *format, ...)
{
	char line[LOG_LINE_SIZE];
	int saved_errno = errno;
	size_t length, head;
	ssize_t n_written;
	va_list arguments;

	if (level > log_state.level)
		return;
	head = written(snprintf(line, sizeof(line) - 1, "<%s> %s: ", level_names[level],
				log_state.tag),
		       sizeof(line) - 1);
	va_start(arguments, format);
	length = head + written(vsnprintf(line + head, sizeof(line) - 1 - head, format, arguments),
				sizeof(line) - 1 - head);
	va_end(arguments);
	sanitise(line + head, sizeof(line) - head, line + head, length - head);
	line[length] = '\n';
	/* A failing log must not stop the program. */
	n_written = write(log_state.fd, line, length + 1);
	(void)n_written;
	errno = saved_errno;
}
