/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/audit/audit.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "userspace/common/clock.h"
#include "userspace/common/log.h"
#include "userspace/priv/audit/audit-private.h"

#define RETRY_NS NS_PER_S

static void set_head(struct audit *audit)
{
	struct audit_head head = {
		.log = audit->stream.fd < 0 ? audit->log : 0,
		.segment = audit->segment,
		.is_cut = audit_stream_is_cut(&audit->stream),
	};

	if (!audit->head)
		return;
	memcpy(head.hash, audit->last, CHAIN_SIZE);
	if (audit->is_linked)
		memcpy(head.log_hash, audit->log_last, CHAIN_SIZE);
	for (int i = 0; i < AUDIT_RESERVES; i++)
		head.drained[i] = audit->reserves[i].at;
	audit_head_set(audit->head, &head);
}

void audit_note_last(struct audit *audit, const struct record *record)
{
	chain_hash(record->text, record->length - 1, audit->last);
	set_head(audit);
	audit_send_to_syslog(audit, record);
}

void audit_note_written(struct audit *audit, const struct record *record)
{
	chain_hash(record->text, record->length - 1, audit->log_last);
	if (!audit_is_waiting(audit))
		memcpy(audit->last, audit->log_last, CHAIN_SIZE);
	set_head(audit);
	audit_send_to_syslog(audit, record);
}

/* reserves */

bool audit_is_waiting(const struct audit *audit)
{
	return !audit_reserve_is_empty(&audit->reserves[0]) ||
	       !audit_reserve_is_empty(&audit->reserves[1]);
}

static void prepare_reserves(struct audit *audit)
{
	for (int i = 0; i < AUDIT_RESERVES; i++)
		(void)audit_reserve_prepare(&audit->reserves[i]);
}

/* Once the second one is used, the first one is not, so that the order is kept. */
static int keep(struct audit *audit, struct record *record)
{
	struct audit_reserve *first = &audit->reserves[0], *second = &audit->reserves[1];
	int r = -ENOSPC;

	record_link(record, audit->last);
	if (audit->is_refusing)
		return r;
	if (audit_reserve_is_empty(second))
		r = audit_reserve_append(first, record->text, record->length);
	if (r)
		r = audit_reserve_append(second, record->text, record->length);
	if (!r)
		audit->n_waiting++;
	return r;
}

static const struct audit_reserve *reserve_in_use(const struct audit *audit)
{
	const struct audit_reserve *first = &audit->reserves[0], *second = &audit->reserves[1];

	return audit_reserve_is_empty(second) && first->is_allocated ? first : second;
}

/* the log itself */

/* Append a record that follows what is in the log. */
static int append(struct audit *audit, struct record *record)
{
	int r = audit->file.fd >= 0 ? audit_make_room(audit, record->length) : 0;

	if (r)
		return r;
	record_link(record, audit->log_last);
	if (audit->file.fd >= 0)
		return audit_file_append(&audit->file, record->text, record->length);
	return audit_stream_append(&audit->stream, record->text, record->length);
}

/* Write the rest of a line of which the stream has a part. */
static int complete(struct audit *audit)
{
	struct audit_stream *stream = &audit->stream;
	size_t skip = stream->line[0] == '\n', length = stream->length;
	int r = audit_stream_complete(stream);

	if (audit_stream_is_cut(stream))
		return r;
	if (!r)
		chain_hash(stream->line + skip, length - skip - 1, audit->log_last);
	if (!r && audit->is_part_kept)
		for (int i = 0; i < AUDIT_RESERVES; i++)
			if (audit_reserve_first(&audit->reserves[i], &length)) {
				audit_reserve_pop(&audit->reserves[i], length);
				break;
			}
	audit->is_part_kept = false;
	set_head(audit);
	return r;
}

static int drain_reserve(struct audit *audit, struct audit_reserve *reserve)
{
	struct record record;
	const char *line;
	int r;

	while ((line = audit_reserve_first(reserve, &record.length))) {
		memcpy(record.text, line, record.length);
		r = append(audit, &record);
		if (r) {
			audit->is_part_kept = audit_stream_is_cut(&audit->stream);
			return r;
		}
		chain_hash(record.text, record.length - 1, audit->log_last);
		audit_reserve_pop(reserve, record.length);
		set_head(audit);
	}
	return audit_reserve_is_empty(reserve) ? 0 : -EIO;
}

/* Write what waits to the log, in order. */
static int drain(struct audit *audit)
{
	bool was_cut = audit_stream_is_cut(&audit->stream);
	int r = was_cut ? complete(audit) : 0;

	if (!r && !was_cut && !audit_is_waiting(audit))
		return 0;
	for (int i = 0; !r && i < AUDIT_RESERVES; i++)
		r = drain_reserve(audit, &audit->reserves[i]);
	if (r) {
		set_head(audit); /* a part of a line may have been taken */
		return r;
	}
	for (int i = 0; i < AUDIT_RESERVES; i++)
		audit_reserve_reset(&audit->reserves[i]);
	memcpy(audit->last, audit->log_last, CHAIN_SIZE);
	set_head(audit);
	audit_note_works(audit);
	return 0;
}

/* the state of the log */

static bool has_reserve(const struct audit *audit)
{
	return audit->reserves[0].is_allocated || audit->reserves[1].is_allocated;
}

static enum audit_level level_of(const struct audit *audit)
{
	if (!audit->error)
		return AUDIT_WORKS;
	if (audit->is_refusing || !has_reserve(audit))
		return AUDIT_FULL;
	/* A reader may be slow for a while. */
	if (audit->error == -EAGAIN && reserve_in_use(audit)->used < AUDIT_RESERVE_SIZE / 2)
		return AUDIT_WORKS;
	return AUDIT_RESERVED;
}

static const char *when_full(const struct audit *audit)
{
	return audit->settings.may_lose ? "records are lost" : "calves are refused";
}

/* Log it once when things change. */
static void note_level(struct audit *audit)
{
	enum audit_level level = level_of(audit);

	if (level == AUDIT_RESERVED && audit->level < level)
		log_error("audit log %s: %s; records go to %s; when it is full, %s", audit->name,
			  audit_strerror(audit->error), reserve_in_use(audit)->path,
			  when_full(audit));
	if (level == AUDIT_FULL && audit->level < level)
		log_error("audit log %s: %s, and there is no room in the reserve; %s", audit->name,
			  audit_strerror(audit->error), when_full(audit));
	audit->level = level;
}

void audit_note_works(struct audit *audit)
{
	if (audit->level != AUDIT_WORKS)
		log_warning("audit log %s: writable again; %" PRIu64
			    " records waited in the reserve, %" PRIu64 " were lost",
			    audit->name, audit->n_waiting, audit->n_lost);
	audit->error = 0;
	audit->is_refusing = false;
	audit->n_waiting = 0;
	audit->level = AUDIT_WORKS;
	prepare_reserves(audit); /* that could not be made before */
}

static int on_writable(struct loop *loop, int fd, short revents, void *data)
{
	struct audit *audit = data;

	(void)revents;
	loop_remove_fd(loop, fd);
	audit->is_polled = false;
	(void)audit_retry(audit);
	return 0;
}

static void fail(struct audit *audit, int error)
{
	audit->error = error;
	audit->retry_ns = clock_now_ns(CLOCK_BOOTTIME) + RETRY_NS;
	if (error != -EAGAIN || !audit->loop || audit->is_polled || audit->stream.fd < 0)
		return;
	audit->is_polled = !loop_add_fd(audit->loop, audit->stream.fd, POLLOUT, on_writable, audit);
}

/* Records that were lost are a record, at their place. */
static int report_lost(struct audit *audit)
{
	char reason[RECORD_REASON_SIZE];
	struct record record;
	int r;

	record_init_lost(&record, audit->n_lost, audit->log_last, reason);
	r = append(audit, &record);
	if (r)
		return r;
	audit_note_written(audit, &record);
	audit_note_works(audit);
	audit->n_lost = 0;
	return 0;
}

/* Open the log if it is not, and write what is older than the next record. Returns 0, or a
 * negative errno, also if it is too early to try that again. */
static int make_ready(struct audit *audit)
{
	bool is_open = audit_is_open(audit);
	int r = 0;

	if (audit->error && clock_now_ns(CLOCK_BOOTTIME) < audit->retry_ns)
		return audit->error;
	if (!is_open)
		r = audit->path ? audit_open_log(audit) : audit->error;
	if (!r)
		r = drain(audit);
	if (!r && audit->n_lost)
		r = report_lost(audit);
	if (r)
		fail(audit, r);
	else if (!is_open)
		audit_note_works(audit);
	return r;
}

static int put(struct audit *audit, struct record *record)
{
	int r = make_ready(audit);
	bool is_part = false;

	if (!r) {
		r = append(audit, record);
		is_part = audit_stream_is_cut(&audit->stream);
		if (r)
			fail(audit, r);
	}
	if (!r) {
		audit_note_written(audit, record);
		if (audit->error)
			audit_note_works(audit);
		return 0;
	}
	r = keep(audit, record);
	if (r)
		return r;
	audit->is_part_kept |= is_part;
	audit_note_last(audit, record);
	return 0;
}

int audit_write(struct audit *audit, const struct audit_entry *entry)
{
	struct record record;
	int r;

	if (!audit->name && !audit->settings.syslog)
		return 0;
	record_init(&record, entry, audit->last);
	if (!audit->name) {
		audit_note_last(audit, &record);
		return 0;
	}
	r = put(audit, &record);
	audit->is_refusing |= r != 0;
	if (r && audit->settings.may_lose) {
		audit->n_lost++;
		audit_send_to_syslog(audit, &record);
		r = 0;
	}
	note_level(audit);
	return r ? -EAGAIN : 0;
}

int audit_retry(struct audit *audit)
{
	audit->retry_ns = 0;
	if (audit->name && (audit->error || audit_is_waiting(audit))) {
		prepare_reserves(audit);
		if (!audit_is_waiting(audit) && has_reserve(audit))
			audit->is_refusing = false;
		(void)make_ready(audit);
		note_level(audit);
	}
	audit_retry_syslog(audit);
	return audit->error;
}

bool audit_describe_error(const struct audit *audit, char *text, size_t size)
{
	const char *reason = audit_strerror(audit->error);

	switch (audit->level) {
	case AUDIT_RESERVED:
		(void)snprintf(text, size, "%.*s: %s; records go to %s; when it is full, %s",
			       (int)size / 3, audit->name, reason, reserve_in_use(audit)->path,
			       when_full(audit));
		return true;
	case AUDIT_FULL:
		(void)snprintf(text, size, "%.*s: %s; the reserve is full; %s", (int)size / 3,
			       audit->name, reason, when_full(audit));
		return true;
	case AUDIT_WORKS:
		break;
	}
	return audit_describe_syslog(audit, text, size);
}

/* opening and closing */

static void set_path(char path[static PATH_MAX], const char *directory, const char *name)
{
	if (!directory || snprintf(path, PATH_MAX, "%s/%s", directory, name) >= PATH_MAX)
		path[0] = '\0';
}

/* What the head says, unless it is of another log. */
static void read_head(struct audit *audit)
{
	struct audit_head *found = &audit->found;

	if (!audit->head || audit_head_get(audit->head, found) || found->log == audit->log)
		return;
	found->hash[0] = found->log_hash[0] = '\0';
	found->drained[0] = 0; /* that reserve is another file, too */
}

static void init(struct audit *audit, const char *name, const char *log,
		 const struct audit_settings *settings)
{
	char path[PATH_MAX];
	int r = 0;

	*audit = AUDIT_NULL(*audit);
	audit->name = name;
	audit->path = log;
	audit->log = log ? audit_head_log(log) : 0;
	audit->settings = *settings;
	set_path(audit->reserves[1].path, settings->run_directory, AUDIT_RESERVE_NAME);
	set_path(path, settings->run_directory, AUDIT_HEAD_NAME);
	if (path[0])
		r = audit_head_open(path, &audit->head);
	if (r)
		log_warning("%s: %s; it cannot be checked whether the end of the audit log is "
			    "missing",
			    path, strerror(-r));
	read_head(audit);
	audit_use_syslog(audit);
}

void audit_open_none(struct audit *audit, const struct audit_settings *settings)
{
	init(audit, NULL, NULL, settings);
	audit->reserves[1].path[0] = '\0';
	audit_find_last(audit);
}

static int begin(struct audit *audit)
{
	int r;

	prepare_reserves(audit);
	audit_find_last(audit);
	r = make_ready(audit);
	for (int i = 0; i < AUDIT_RESERVES && !audit_is_waiting(audit); i++)
		audit_reserve_reset(&audit->reserves[i]);
	prepare_reserves(audit); /* if the directory was missing */
	note_level(audit);
	return r;
}

int audit_open(struct audit *audit, const char *path, const struct audit_settings *settings)
{
	struct stat status;

	init(audit, path, path, settings);
	/* Nothing is put beside a pipe or a device. */
	if ((lstat(path, &status) || S_ISREG(status.st_mode)) &&
	    audit_reserve_path(path, audit->reserves[0].path))
		audit->reserves[0].path[0] = '\0';
	return begin(audit);
}

int audit_open_fd(struct audit *audit, int fd, const char *name,
		  const struct audit_settings *settings)
{
	init(audit, name, NULL, settings);
	audit_open_stream(audit, fd);
	return begin(audit);
}

void audit_watch(struct audit *audit, struct loop *loop)
{
	audit->loop = loop;
	if (audit->error)
		(void)audit_retry(audit);
}

void audit_close(struct audit *audit, uint64_t wait_ns)
{
	uint64_t until_ns = clock_now_ns(CLOCK_BOOTTIME) + wait_ns;
	struct audit closed = AUDIT_NULL(closed);

	do
		(void)audit_retry(audit);
	while (audit->error == -EAGAIN && audit->stream.fd >= 0 &&
	       nowait_await(audit->stream.fd, until_ns));
	if (audit_is_waiting(audit))
		log_warning("audit log %s: %" PRIu64 " records wait in %s for the next start",
			    audit->name, audit->n_waiting, reserve_in_use(audit)->path);
	if (audit->n_lost)
		log_error("audit log %s: %" PRIu64 " records could not be written", audit->name,
			  audit->n_lost);
	audit_close_log(audit);
	for (int i = 0; i < AUDIT_RESERVES; i++)
		audit_reserve_close(&audit->reserves[i]);
	audit_head_close(audit->head);
	/* Syslog, which is closed later, reports what it has lost when it can. */
	closed.settings.syslog = audit->settings.syslog;
	memcpy(closed.last, audit->last, CHAIN_SIZE);
	*audit = closed;
}
