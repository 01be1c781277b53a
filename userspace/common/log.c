/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/log.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "userspace/common/backoff.h"
#include "userspace/common/clock.h"
#include "userspace/common/nowait.h"
#include "userspace/common/sanitise.h"

#define LOG_TAG_SIZE 32
#define LOG_LINE_SIZE 1280 /* a value of the store and some words around it */
/* poll() reports that a pipe has room for this much. */
_Static_assert(LOG_LINE_SIZE < PIPE_BUF, "a line fits into a pipe that is not full");

static struct {
	char tag[LOG_TAG_SIZE];
	int fd;
	enum log_level level;
	enum nowait how;
	bool is_journal;     /* journald reads it */
	bool is_torn;	     /* the last line was truncated: begin a new one */
	uint64_t n_lost;     /* lines since the last one that was written */
	int lost_errno;	     /* why the last of them was lost */
	uint32_t n_failures; /* to report them */
	uint64_t retry_ns;
	char *kept_error; /* log_keep_errors() */
	size_t kept_size;
	bool is_kept_logged;
	log_take_fn also; /* log_also() */
	void *also_data;
} log_state = { .tag = "calfpen", .fd = STDERR_FILENO, .level = LOG_LEVEL_INFO };

/* A line under construction, after a newline that ends a truncated one. */
struct line {
	size_t length; /* of the text, its newline included */
	size_t level;  /* of that, the level */
	size_t head;   /* of that, level and tag */
	char bytes[1 + LOG_LINE_SIZE];
};

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

int log_priority(enum log_level level)
{
	static const int priorities[] = {
		[LOG_LEVEL_ERROR] = LOG_ERR,
		[LOG_LEVEL_WARNING] = LOG_WARNING,
		[LOG_LEVEL_INFO] = LOG_INFO,
		[LOG_LEVEL_DEBUG] = LOG_DEBUG,
	};

	return priorities[level];
}

/* $JOURNAL_STREAM is inherited even if descriptor 2 has been redirected, so it has
 * device and inode of the stream: systemd.exec(5). */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat status;
	char own[48];

	if (!stream || fstat(fd, &status))
		return false;
	(void)snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)status.st_dev,
		       (uintmax_t)status.st_ino);
	return strcmp(stream, own) == 0;
}

void log_init(const char *tag, int fd, enum log_level level)
{
	sanitise(log_state.tag, sizeof(log_state.tag), tag, strlen(tag));
	log_state.fd = fd;
	log_state.level = level;
	log_state.how = nowait_how(fd);
	log_state.is_journal = is_journal(fd);
}

/* Return how many bytes snprintf() wrote into a buffer of `size`, given its
 * result. */
static size_t written(int wanted, size_t size)
{
	if (wanted < 0)
		return 0;
	return (size_t)wanted < size ? (size_t)wanted : size - 1;
}

__attribute__((format(printf, 3, 0))) static void compose(struct line *line, enum log_level level,
							  const char *format, va_list arguments)
{
	char *text = &line->bytes[1];
	size_t head;
	int n;

	n = log_state.is_journal ? snprintf(text, LOG_LINE_SIZE - 1, "<%d>", log_priority(level)) :
				   snprintf(text, LOG_LINE_SIZE - 1, "<%s> ", level_names[level]);
	line->level = written(n, LOG_LINE_SIZE - 1);
	n = snprintf(text + line->level, LOG_LINE_SIZE - 1 - line->level, "%s: ", log_state.tag);
	head = line->level + written(n, LOG_LINE_SIZE - 1 - line->level);
	line->bytes[0] = '\n';
	line->head = head;
	line->length =
		head + written(vsnprintf(text + head, LOG_LINE_SIZE - 1 - head, format, arguments),
			       LOG_LINE_SIZE - 1 - head);
	sanitise(text + head, LOG_LINE_SIZE - head, text + head, line->length - head);
	text[line->length++] = '\n';
}

/* Returns true if all of the line was written. */
static bool put(const struct line *line)
{
	size_t skip = log_state.is_torn ? 0 : 1, size = line->length + 1 - skip;
	ssize_t n;

	do
		n = nowait_write(log_state.fd, log_state.how, line->bytes + skip, size);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		log_state.is_torn = (size_t)n < size;
	if (n == (ssize_t)size)
		return true;
	log_state.lost_errno = n < 0 ? errno : EAGAIN;
	return false;
}

__attribute__((format(printf, 1, 2))) static bool put_warning(const char *format, ...)
{
	struct line line;
	va_list arguments;

	va_start(arguments, format);
	compose(&line, LOG_LEVEL_WARNING, format, arguments);
	va_end(arguments);
	return put(&line);
}

/* Returns true if no line is lost, or how many were is now in the log. */
static bool report_lost(void)
{
	/* The reason changes if the report itself fails. */
	const char *why = log_state.lost_errno == EAGAIN ? "its reader did not keep up" :
							   strerrordesc_np(log_state.lost_errno);

	if (!log_state.n_lost)
		return true;
	if (!put_warning("log: lost %llu lines: %s", (unsigned long long)log_state.n_lost, why))
		return false;
	log_state.n_lost = 0;
	return true;
}

static void count_lost(void)
{
	if (log_state.n_lost++)
		return;
	log_state.n_failures = 1;
	log_state.retry_ns = clock_now_ns(CLOCK_BOOTTIME) +
			     backoff_ns(log_state.n_failures, BACKOFF_MIN_NS, BACKOFF_MAX_NS);
}

uint64_t log_report_lost(void)
{
	int saved_errno = errno;
	uint64_t now_ns;

	if (!log_state.n_lost)
		return UINT64_MAX;
	now_ns = clock_now_ns(CLOCK_BOOTTIME);
	if (now_ns >= log_state.retry_ns) {
		if (report_lost()) {
			errno = saved_errno;
			return UINT64_MAX;
		}
		log_state.n_failures++;
		log_state.retry_ns =
			now_ns + backoff_ns(log_state.n_failures, BACKOFF_MIN_NS, BACKOFF_MAX_NS);
	}
	errno = saved_errno;
	return log_state.retry_ns - now_ns;
}

void log_keep_errors(char *text, size_t size, bool is_logged)
{
	log_state.kept_error = text;
	log_state.kept_size = size;
	log_state.is_kept_logged = is_logged;
}

void log_also(log_take_fn take, void *data)
{
	log_state.also = take;
	log_state.also_data = data;
}

/* Returns false if a process before this one has logged the same. */
static bool keep_error(const struct line *line)
{
	const char *text = line->bytes + 1 + line->head;
	size_t length = line->length - line->head - 1;

	if (length > log_state.kept_size)
		length = log_state.kept_size;
	if (log_state.is_kept_logged &&
	    strnlen(log_state.kept_error, log_state.kept_size) == length &&
	    !memcmp(log_state.kept_error, text, length))
		return false;
	log_state.is_kept_logged = false;
	memcpy(log_state.kept_error, text, length);
	memset(log_state.kept_error + length, 0, log_state.kept_size - length);
	return true;
}

void log_message(enum log_level level, const char *format, ...)
{
	int saved_errno = errno;
	struct line line;
	va_list arguments;

	if (level > log_state.level)
		return;
	va_start(arguments, format);
	compose(&line, level, format, arguments);
	va_end(arguments);
	if (level == LOG_LEVEL_ERROR && log_state.kept_error && !keep_error(&line)) {
		if (log_state.level < LOG_LEVEL_DEBUG)
			return;
		level = LOG_LEVEL_DEBUG;
		va_start(arguments, format);
		compose(&line, level, format, arguments);
		va_end(arguments);
	}
	if (!report_lost() || !put(&line))
		count_lost();
	if (log_state.also)
		log_state.also(log_state.also_data, level, line.bytes + 1 + line.level,
			       line.length - line.level - 1);
	errno = saved_errno;
}
