// SPDX-License-Identifier: Apache-2.0
#include "userspace/priv/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "userspace/common/log.h"

#define NS_PER_S 1000000000ull
#define SECONDS_PER_DAY 86400u

/* A line under construction; what does not fit is left out, as a whole. */
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

/* Days since 1970 to year, month, day; gmtime() would read /etc/localtime. */
static void date_from_days(uint32_t days, uint32_t *year, uint32_t *month, uint32_t *day)
{
	/* Hinnant's civil_from_days: eras of 400 years that begin in March. */
	uint32_t z = days + 719468u;
	uint32_t era = z / 146097u;
	uint32_t doe = z % 146097u;
	uint32_t yoe = (doe - doe / 1460u + doe / 36524u - doe / 146096u) / 365u;
	uint32_t doy = doe - (365u * yoe + yoe / 4u - yoe / 100u);
	uint32_t mp = (5u * doy + 2u) / 153u;

	*day = doy - (153u * mp + 2u) / 5u + 1u;
	*month = mp < 10u ? mp + 3u : mp - 9u;
	*year = yoe + era * 400u + (*month <= 2u);
}

void audit_format_time(uint64_t wall_ns, char text[static AUDIT_TIME_SIZE])
{
	uint64_t seconds = wall_ns / NS_PER_S;
	uint32_t rest = (uint32_t)(seconds % SECONDS_PER_DAY);
	uint32_t micros = (uint32_t)(wall_ns % NS_PER_S / 1000u);
	uint32_t year, month, day;

	date_from_days((uint32_t)(seconds / SECONDS_PER_DAY), &year, &month, &day);
	(void)snprintf(text, AUDIT_TIME_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ", year % 10000u,
		       month % 100u, day % 100u, rest / 3600u, rest / 60u % 60u, rest % 60u,
		       micros);
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
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].number == verdict)
			return names[i].name;
	return NULL;
}

size_t audit_format(const struct audit_entry *entry, char text[static AUDIT_LINE_SIZE])
{
	struct line line = { .text = text, .size = AUDIT_LINE_SIZE };
	char when[AUDIT_TIME_SIZE];

	audit_format_time(entry->wall_ns, when);
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

/* Make the directory of `path` with all above it; the last is 0700. */
static int make_directory(const char *path)
{
	char directory[PATH_MAX];
	char *last = NULL, *slash;

	if (strlen(path) >= sizeof(directory))
		return -ENAMETOOLONG;
	memcpy(directory, path, strlen(path) + 1);
	last = strrchr(directory, '/');
	if (!last || last == directory)
		return 0;
	*last = '\0';
	for (slash = strchr(directory + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(directory, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(directory, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int audit_open(struct audit *audit, const char *path)
{
	int fd = -1, r = make_directory(path);

	if (!r) {
		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY,
			  0600);
		r = fd < 0 ? -errno : 0;
	}
	if (r) {
		log_error("audit log %s: %s", path, strerror(-r));
		return r;
	}
	*audit = (struct audit){ .fd = fd };
	return 0;
}

void audit_close(struct audit *audit)
{
	if (audit->fd >= 0)
		(void)close(audit->fd);
	*audit = AUDIT_NULL(*audit);
}

static uint64_t wall_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* One write(); a line that was cut is ended before the next. */
static int append(struct audit *audit, const struct audit_entry *entry)
{
	char line[AUDIT_LINE_SIZE + 1];
	size_t length;
	ssize_t n;

	line[0] = '\n';
	length = audit_format(entry, line + 1) + 1;
	n = audit->torn ? write(audit->fd, line, length) : write(audit->fd, line + 1, --length);
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	audit->torn = (size_t)n < length;
	return audit->torn ? -ENOSPC : 0;
}

void audit_write(struct audit *audit, const struct audit_entry *entry)
{
	char reason[64];
	int r;

	if (audit->n_lost) {
		struct audit_entry lost = {
			.wall_ns = wall_now(),
			.subject = "audit",
			.verb = "lost",
			.verdict = "error",
			.reason = reason,
		};

		(void)snprintf(reason, sizeof(reason), "%llu records could not be written",
			       (unsigned long long)audit->n_lost);
		if (!append(audit, &lost)) {
			log_warning("audit log: writable again; %s", reason);
			audit->n_lost = 0;
		}
	}
	r = audit->n_lost ? -ENOSPC : append(audit, entry);
	if (r && !audit->n_lost++)
		log_error("audit log: %s; records are lost until this is over", strerror(-r));
}

void audit_malformed(struct audit *audit, const char *subject, const char *reason)
{
	struct audit_entry entry = {
		.wall_ns = wall_now(),
		.subject = subject,
		.verb = "malformed",
		.verdict = "EBADMSG",
		.reason = reason,
	};

	audit_write(audit, &entry);
}
