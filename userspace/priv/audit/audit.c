/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/audit/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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
		{ -EUSERS, "EUSERS" }, { -EFBIG, "EFBIG" },
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
	if (entry->reason)
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

const char *audit_strerror(int error)
{
	switch (-error) {
	case ELOOP:
		return "is a symbolic link, which is not followed; name the file itself";
	case EPIPE:
		return "nobody reads it";
	case ENOTSUP:
		return "is no file, pipe or character device";
	case ENOBUFS:
		return "its reader does not keep up";
	default:
		return strerror(-error);
	}
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

/*
 * A file is opened for reading, too, to see whether its last line is whole; a pipe is
 * not, because then it would have a reader. O_NONBLOCK, because nothing may wait for
 * that. Returns a descriptor, or a negative errno.
 */
static int open_file(const char *path)
{
	struct stat status;
	bool is_new = lstat(path, &status) < 0;
	int flags = O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, fd;

	if (!is_new && (S_ISSOCK(status.st_mode) || S_ISBLK(status.st_mode)))
		return -ENOTSUP;
	flags |= is_new || S_ISREG(status.st_mode) ? O_RDWR : O_WRONLY;
	fd = open(path, flags, 0600);
	if (fd < 0 && errno == ENXIO && !is_new && S_ISFIFO(status.st_mode))
		return -EPIPE;
	return fd < 0 ? -errno : fd;
}

int audit_fd(const struct audit *audit)
{
	return audit->file.fd >= 0 ? audit->file.fd : audit->stream.fd;
}

static bool is_open(const struct audit *audit)
{
	return audit_fd(audit) >= 0;
}

/* Take `fd`, also on failure. */
static int use(struct audit *audit, int fd)
{
	struct stat status;
	int r = fstat(fd, &status) ? -errno : 0;

	if (r)
		(void)close(fd);
	else if (S_ISREG(status.st_mode))
		audit_file_init(&audit->file, fd);
	else
		outlet_open(&audit->stream, fd, true);
	return r;
}

/* What the reader does not take within `wait_ns` is lost. */
static void close_stream(struct audit *audit, uint64_t wait_ns)
{
	int fd = outlet_close(&audit->stream, wait_ns);

	audit->n_lost += audit->stream.n_lost[OUTLET_RECORD];
	audit->stream.n_lost[OUTLET_RECORD] = 0;
	if (fd >= 0)
		(void)close(fd);
}

static void close_file(struct audit *audit)
{
	if (audit->file.fd < 0)
		return;
	audit->n_lost += audit_file_complete(&audit->file) != 0;
	(void)close(audit->file.fd);
	audit->file = AUDIT_FILE_NULL(audit->file);
}

static int open_log(struct audit *audit)
{
	int r = open_file(audit->path);

	if (r >= 0)
		r = use(audit, r);
	audit->error = r == -ENOENT && audit->directory_error ? audit->directory_error : r;
	return audit->error;
}

static void on_stream_empty(void *data);

/* The memory for a stream is mapped in any case, because the file may become a pipe. */
static int init(struct audit *audit, const char *name)
{
	int r;

	*audit = AUDIT_NULL(*audit);
	audit->name = name;
	r = outlet_init(&audit->stream);
	audit->stream.on_empty = on_stream_empty;
	audit->stream.data = audit;
	return r;
}

int audit_open(struct audit *audit, const char *path)
{
	int r = init(audit, path);

	if (r)
		return r;
	audit->path = path;
	audit->directory_error = audit_make_directory(path);
	return open_log(audit);
}

int audit_open_fd(struct audit *audit, int fd, const char *name)
{
	int r = init(audit, name);

	audit->error = r ? r : use(audit, fd);
	return audit->error;
}

void audit_share_waiting(struct audit *audit, uint64_t *n_waitingp)
{
	outlet_share_waiting(&audit->stream, n_waitingp);
	audit->n_lost += audit->stream.n_lost[OUTLET_RECORD];
	audit->stream.n_lost[OUTLET_RECORD] = 0;
}

int audit_watch(struct audit *audit, struct loop *loop)
{
	return audit->name ? outlet_watch(&audit->stream, loop) : 0;
}

int audit_reopen(struct audit *audit)
{
	int fd, r;

	if (!audit->path)
		return 0;
	fd = open_file(audit->path);
	if (fd < 0) {
		log_error("audit log %s: cannot reopen: %s; continuing %s", audit->path,
			  audit_strerror(fd), is_open(audit) ? "with the old file" : "without it");
		return fd;
	}
	/* A line that was cut is written to the new file as a whole. */
	if (audit->file.fd >= 0)
		(void)close(audit->file.fd);
	audit->file.fd = -1;
	close_stream(audit, 0);
	r = use(audit, fd);
	if (r || !audit->n_lost)
		audit->error = r;
	return r;
}

/* A formatted entry. */
struct record {
	bool is_warning;
	size_t length; /* of the line, its newline included */
	char text[AUDIT_LINE_SIZE];
};

static void record_init(struct record *record, const struct audit_entry *entry)
{
	record->is_warning = strcmp(entry->verdict, "ok") != 0;
	record->length = audit_format(entry, record->text);
}

/* Why a message was lost: because those before it wait for something. */
static int waiting_error(const struct outlet *outlet, int r)
{
	return r == -ENOBUFS && outlet->error != -EAGAIN ? outlet->error : r;
}

static int to_log(struct audit *audit, const struct record *record)
{
	int r = !is_open(audit) && audit->path ? open_log(audit) : 0;

	if (r)
		return r;
	if (audit->file.fd >= 0)
		return audit_file_append(&audit->file, record->text, record->length);
	r = outlet_send(&audit->stream, OUTLET_RECORD, record->text, record->length);
	return waiting_error(&audit->stream, r);
}

static int to_syslog(struct audit *audit, const struct record *record)
{
	int r = syslog_send_record(audit->syslog, record->is_warning, record->text,
				   record->length - 1);

	return waiting_error(&audit->syslog->outlet, r);
}

/* A destination of lines, and how many of them were lost. */
struct sink {
	const char *name;
	int (*append)(struct audit *audit, const struct record *record);
	uint64_t *n_lostp;
	const struct outlet *outlet; /* in which records may wait */
};

static struct sink log_sink(struct audit *audit)
{
	return (struct sink){ "audit log", to_log, &audit->n_lost, &audit->stream };
}

static struct sink syslog_sink(struct audit *audit)
{
	return (struct sink){ "audit to syslog", to_syslog,
			      &audit->syslog->outlet.n_lost[OUTLET_RECORD],
			      &audit->syslog->outlet };
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

	if (!outlet_has_room(sink->outlet))
		return waiting_error(sink->outlet, -ENOBUFS);
	(void)snprintf(reason, sizeof(reason), "%llu records could not be written",
		       (unsigned long long)*sink->n_lostp);
	record_init(&record, &lost);
	r = sink->append(audit, &record);
	if (r < 0)
		return r;
	*sink->n_lostp = 0;
	log_warning("%s: writable again; %s", sink->name, reason);
	return r;
}

static int deliver(struct audit *audit, const struct sink *sink, const struct record *record)
{
	int r = *sink->n_lostp ? report_lost(audit, sink) : 0;

	if (r >= 0)
		r = sink->append(audit, record);
	if (r < 0 && !(*sink->n_lostp)++)
		log_error("%s: %s; audit records are being lost", sink->name, audit_strerror(r));
	return r;
}

/* Nobody waits for the reader any more. */
static void on_stream_empty(void *data)
{
	struct audit *audit = data;
	const struct sink sink = log_sink(audit);

	if (audit->n_lost)
		(void)report_lost(audit, &sink);
}

/* The state of the log, after appending to it has had this result. */
static int log_error_of(const struct audit *audit, int r)
{
	if (r < 0)
		return r;
	if (r == AUDIT_FILE_CUT)
		return -ENOSPC;
	return audit->stream.error == -EAGAIN ? 0 : audit->stream.error;
}

void audit_write(struct audit *audit, const struct audit_entry *entry)
{
	struct record record;
	struct sink sink;

	record_init(&record, entry);
	if (audit->name) {
		sink = log_sink(audit);
		audit->error = log_error_of(audit, deliver(audit, &sink, &record));
	}
	if (audit->syslog) {
		sink = syslog_sink(audit);
		(void)deliver(audit, &sink, &record);
	}
}

/* Write what is left of earlier records. */
static int resume(struct audit *audit)
{
	if (audit->file.fd >= 0)
		return audit_file_complete(&audit->file);
	outlet_flush(&audit->stream);
	return audit->stream.error == -EAGAIN ? 0 : audit->stream.error;
}

/* Nothing waits for the syslog daemon any more. */
static void on_syslog_empty(void *data)
{
	struct audit *audit = data;
	const struct sink sink = syslog_sink(audit);

	if (*sink.n_lostp)
		(void)report_lost(audit, &sink);
}

static int retry_log(struct audit *audit)
{
	const struct sink sink = log_sink(audit);
	int r;

	if (is_open(audit)) {
		r = resume(audit);
	} else if (!audit->path) {
		return audit->error;
	} else {
		r = open_log(audit);
		if (!r && !audit->n_lost)
			log_info("audit log %s: opened", audit->name);
	}
	return r >= 0 && audit->n_lost ? report_lost(audit, &sink) : r;
}

int audit_retry(struct audit *audit)
{
	if (audit->name && (audit->error || audit->n_lost))
		audit->error = log_error_of(audit, retry_log(audit));
	if (audit->syslog)
		on_syslog_empty(audit);
	return audit->error;
}

bool audit_describe_error(const struct audit *audit, char *text, size_t size)
{
	const struct outlet *syslog = audit->syslog ? &audit->syslog->outlet : NULL;
	bool waits = audit->stream.fd >= 0 && !audit->n_lost;

	if (audit->error)
		(void)snprintf(text, size, "%.*s: %s; records %s", (int)size / 2, audit->name,
			       audit_strerror(audit->error), waits ? "wait" : "are lost");
	else if (syslog && syslog->n_lost[OUTLET_RECORD])
		(void)snprintf(text, size, "syslog: %s; records are lost",
			       audit_strerror(waiting_error(syslog, -ENOBUFS)));
	else
		return false;
	return true;
}

void audit_to_syslog(struct audit *audit, struct syslog *syslog)
{
	if (!syslog_is_open(syslog))
		return;
	audit->syslog = syslog;
	syslog->on_empty = on_syslog_empty;
	syslog->data = audit;
}

void audit_close(struct audit *audit, uint64_t wait_ns)
{
	const struct sink sink = log_sink(audit);

	if (audit->n_lost && audit->name)
		(void)report_lost(audit, &sink);
	close_file(audit);
	close_stream(audit, wait_ns);
	outlet_deinit(&audit->stream);
	/* Nothing follows that could report it later. */
	if (audit->n_lost)
		log_error("%s: %llu records could not be written", sink.name,
			  (unsigned long long)audit->n_lost);
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
