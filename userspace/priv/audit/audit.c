/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/audit/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "userspace/common/clock.h"
#include "userspace/common/directory.h"
#include "userspace/common/log.h"

/* A line under construction; an element that does not fit is left out as a whole. */
struct line {
	char *text;
	size_t size;
	size_t at;
};

static void line_put(struct line *line, const char *text, size_t length)
{
	if (length >= line->size - line->at)
		return;
	memcpy(line->text + line->at, text, length);
	line->at += length;
	line->text[line->at] = '\0';
}

static void line_text(struct line *line, const char *name, const char *text)
{
	size_t i, length = strnlen(text, KV_VALUE_MAX);

	line_put(line, ",\"", 2);
	line_put(line, name, strlen(name));
	line_put(line, "\":\"", 3);
	for (i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];
		char escape[8];

		if (byte == '"' || byte == '\\') {
			line_put(line, "\\", 1);
			line_put(line, &text[i], 1);
		} else if (byte >= 0x20 && byte <= 0x7e) {
			line_put(line, &text[i], 1);
		} else {
			(void)snprintf(escape, sizeof(escape), "\\u%04x", byte);
			line_put(line, escape, 6);
		}
	}
	line_put(line, "\"", 1);
}

static void line_number(struct line *line, const char *name, uint64_t number)
{
	char text[64];
	int length = snprintf(text, sizeof(text), ",\"%s\":%llu", name, (unsigned long long)number);

	line_put(line, text, (size_t)length);
}

const char *audit_verdict(int verdict)
{
	static const struct {
		int number;
		const char *name;
	} names[] = {
		{ 0, "ok" },	       { -EBUSY, "EBUSY" },	  { -EDQUOT, "EDQUOT" },
		{ -EFAULT, "EFAULT" }, { -EINVAL, "EINVAL" },	  { -EILSEQ, "EILSEQ" },
		{ -EACCES, "EACCES" }, { -EMSGSIZE, "EMSGSIZE" }, { -EBADMSG, "EBADMSG" },
		{ -ENOSPC, "ENOSPC" }, { -EAGAIN, "EAGAIN" },	  { -ENOENT, "ENOENT" },
		{ -ESTALE, "ESTALE" }, { -EEXIST, "EEXIST" },	  { -E2BIG, "E2BIG" },
		{ -EUSERS, "EUSERS" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].number == verdict)
			return names[i].name;
	return NULL;
}

size_t audit_format(const struct audit_entry *entry, char text[static AUDIT_LINE_SIZE])
{
	struct line line = { .text = text, .size = AUDIT_LINE_SIZE };
	char when[CLOCK_TEXT_SIZE];

	clock_format_utc(entry->wall_ns, when);
	line_put(&line, "{\"time\":\"", 9);
	line_put(&line, when, strlen(when));
	line_put(&line, "\"", 1);
	if (entry->sequence)
		line_number(&line, "seq", entry->sequence);
	if (entry->revision)
		line_number(&line, "revision", entry->revision);
	line_text(&line, "subject", entry->subject);
	line_text(&line, "verb", entry->verb);
	if (entry->path)
		line_text(&line, "path", entry->path);
	line_text(&line, "verdict", entry->verdict);
	if (entry->value)
		line_text(&line, "value", entry->value);
	else if (entry->reason)
		line_text(&line, "reason", entry->reason);
	if (entry->suppressed)
		line_number(&line, "suppressed", entry->suppressed);
	if (entry->has_caller) {
		line_number(&line, "uid", entry->uid);
		line_number(&line, "pid", entry->pid);
	}
	line_put(&line, "}\n", 2);
	return line.at;
}

/* O_NONBLOCK, because the path may be a pipe that nobody reads. */
static int open_file(const char *path)
{
	int fd =
		open(path,
		     O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK,
		     0600);

	return fd < 0 ? -errno : fd;
}

int audit_make_directory(const char *path)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;

	if (!length || length >= sizeof(directory))
		return 0;
	memcpy(directory, path, length);
	directory[length] = '\0';
	return directory_make(directory, 0700);
}

static int open_log(struct audit *audit)
{
	int fd = open_file(audit->path);

	audit->error = fd == -ENOENT && audit->directory_error ? audit->directory_error :
		       fd < 0				       ? fd :
								 0;
	if (fd < 0)
		return audit->error;
	audit->fd = fd;
	audit->torn = false;
	return 0;
}

int audit_open(struct audit *audit, const char *path)
{
	*audit = AUDIT_NULL(*audit);
	audit->path = path;
	audit->directory_error = audit_make_directory(path);
	return open_log(audit);
}

int audit_reopen(struct audit *audit)
{
	int fd = open_file(audit->path);

	if (fd < 0) {
		log_error("audit log %s: cannot reopen: %s; continuing %s", audit->path,
			  strerror(-fd), audit->fd < 0 ? "without it" : "with the old file");
		return fd;
	}
	if (audit->fd >= 0)
		(void)close(audit->fd);
	audit->fd = fd;
	audit->torn = false;
	if (!audit->n_lost)
		audit->error = 0;
	return 0;
}

int audit_to_syslog(struct audit *audit, const char *instance)
{
	int r = audit_syslog_open(&audit->syslog, AUDIT_SYSLOG_PATH, instance);

	if (r)
		log_error("audit to syslog: cannot open a socket: %s", strerror(-r));
	return r;
}

/* A formatted entry. */
struct record {
	bool is_warning;
	size_t length;			/* of the line, its newline included */
	char text[1 + AUDIT_LINE_SIZE]; /* a newline, then the line */
};

static void record_init(struct record *record, const struct audit_entry *entry)
{
	record->is_warning = strcmp(entry->verdict, "ok") != 0;
	record->text[0] = '\n';
	record->length = audit_format(entry, record->text + 1);
}

/* Append by one write(); if the last line was truncated, end it first. */
static int to_file(struct audit *audit, const struct record *record)
{
	size_t skip, length;
	ssize_t n;
	int r;

	if (audit->fd < 0 && audit->path) {
		r = open_log(audit);
		if (r)
			return r;
	}
	skip = audit->torn ? 0 : 1;
	length = record->length + 1 - skip;
	n = write(audit->fd, record->text + skip, length);
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	audit->torn = (size_t)n < length;
	return audit->torn ? -ENOSPC : 0;
}

static int to_syslog(struct audit *audit, const struct record *record)
{
	return audit_syslog_send(&audit->syslog, record->is_warning, record->text + 1,
				 record->length - 1);
}

/* A destination of lines, and how many of them were lost. */
struct sink {
	const char *name;
	int (*append)(struct audit *audit, const struct record *record);
	uint64_t *n_lostp;
};

static struct sink file_sink(struct audit *audit)
{
	return (struct sink){ "audit log", to_file, &audit->n_lost };
}

static struct sink syslog_sink(struct audit *audit)
{
	return (struct sink){ "audit to syslog", to_syslog, &audit->n_syslog_lost };
}

/* Report how many lines were lost, in the sink, too. Returns 0 if the sink works again,
 * or a negative errno. */
static int report_lost(struct audit *audit, const struct sink *sink)
{
	char reason[64];
	const struct audit_entry lost = {
		.wall_ns = clock_now_ns(CLOCK_REALTIME),
		.subject = "audit",
		.verb = "lost",
		.verdict = "error",
		.reason = reason,
	};
	struct record record;
	int r;

	(void)snprintf(reason, sizeof(reason), "%llu records could not be written",
		       (unsigned long long)*sink->n_lostp);
	record_init(&record, &lost);
	r = sink->append(audit, &record);
	if (r)
		return r;
	log_warning("%s: writable again; %s", sink->name, reason);
	*sink->n_lostp = 0;
	return 0;
}

static int deliver(struct audit *audit, const struct sink *sink, const struct record *record)
{
	int r = *sink->n_lostp ? report_lost(audit, sink) : 0;

	if (!r)
		r = sink->append(audit, record);
	if (r && !(*sink->n_lostp)++)
		log_error("%s: %s; audit records are being lost", sink->name, strerror(-r));
	return r;
}

void audit_write(struct audit *audit, const struct audit_entry *entry)
{
	const struct sink file = file_sink(audit), syslog = syslog_sink(audit);
	struct record record;

	record_init(&record, entry);
	audit->error = deliver(audit, &file, &record);
	if (audit->syslog.fd >= 0)
		(void)deliver(audit, &syslog, &record);
}

int audit_retry(struct audit *audit)
{
	const struct sink file = file_sink(audit);

	if (!audit->error)
		return 0;
	if (audit->n_lost)
		audit->error = report_lost(audit, &file);
	else if (!open_log(audit))
		log_info("audit log %s: opened", audit->path);
	return audit->error;
}

/* Nothing follows that could report it later. */
static void report_lost_last(struct audit *audit, const struct sink *sink)
{
	if (*sink->n_lostp && report_lost(audit, sink))
		log_error("%s: %llu records could not be written", sink->name,
			  (unsigned long long)*sink->n_lostp);
}

void audit_close(struct audit *audit)
{
	const struct sink file = file_sink(audit), syslog = syslog_sink(audit);

	report_lost_last(audit, &file);
	report_lost_last(audit, &syslog);
	if (audit->fd >= 0)
		(void)close(audit->fd);
	audit_syslog_close(&audit->syslog);
	*audit = AUDIT_NULL(*audit);
}

void audit_malformed(struct audit *audit, const char *subject, const char *reason)
{
	struct audit_entry entry = {
		.wall_ns = clock_now_ns(CLOCK_REALTIME),
		.subject = subject,
		.verb = "malformed",
		.verdict = "EBADMSG",
		.reason = reason,
	};

	audit_write(audit, &entry);
}
