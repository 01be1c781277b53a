/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: opening, rotating and reopening the log, and finding the end of its chain
 *
 * The chain goes on from the last line of the newest file. This process knows which one
 * that should be if it has written it, and so does the head below /run. If it is another
 * one, the log was changed: this is logged and recorded, and the chain goes on from what
 * should be there, so that `calfpen audit --verify` finds the place, too.
 *
 * Which of the records in the reserves are in the log already is in the head, too. After a
 * boot, when there is no head, it is found by the hash that the first one that is not has.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "userspace/common/clock.h"
#include "userspace/common/directory.h"
#include "userspace/common/log.h"
#include "userspace/priv/audit/audit-private.h"
#include "userspace/priv/audit/segments.h"

#define ROTATE_RETRY_NS NS_PER_S

bool audit_is_open(const struct audit *audit)
{
	return audit->file.fd >= 0 || audit->stream.fd >= 0;
}

void audit_close_log(struct audit *audit)
{
	if (audit->is_polled)
		loop_remove_fd(audit->loop, audit->stream.fd);
	audit->is_polled = false;
	audit_stream_close(&audit->stream);
	audit_file_close(&audit->file);
	audit->is_part_kept = false;
}

void audit_open_stream(struct audit *audit, int fd)
{
	audit_stream_use(&audit->stream, fd, audit->found.is_cut);
	audit->found.is_cut = false;
	memcpy(audit->log_last, CHAIN_START, CHAIN_SIZE);
	audit->is_linked = true;
	if (!audit_is_waiting(audit))
		memcpy(audit->last, CHAIN_START, CHAIN_SIZE);
}

/* opening */

static int make_directory(const char *path)
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
 * A file is opened for reading, too, for the chain; a pipe is not, because then it would
 * have a reader. O_NONBLOCK, because nothing may wait for that. Returns a descriptor, or a
 * negative errno.
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

int audit_check(const char *path)
{
	int r = make_directory(path), fd = open_file(path);

	return fd == -ENOENT && r ? r : fd;
}

static void begin_record(const struct audit *audit, struct record *record)
{
	const struct audit_entry begin = {
		.wall_ns = clock_now_ns(CLOCK_REALTIME),
		.subject = "audit",
		.verb = AUDIT_BEGIN,
		.verdict = "ok",
		.segment = audit->segment + 1,
	};

	record_init(record, &begin, audit->log_last);
}

static void note_begin(struct audit *audit, const struct record *record)
{
	audit->segment++;
	audit_note_written(audit, record);
}

/* The first record that waits is in the log already. (Those of a reserve that could not be
 * opened at the start are not counted.) */
static void forget_first(struct audit *audit, struct audit_reserve *reserve, size_t length)
{
	audit_reserve_pop(reserve, length);
	if (audit->n_waiting)
		audit->n_waiting--;
}

/* After a boot: forget those that wait up to the one that follows the log, unless none
 * does. */
static void resume(struct audit *audit, const struct audit_end *tail)
{
	char hash[CHAIN_SIZE] = "";
	uint64_t at[AUDIT_RESERVES], n_waiting = audit->n_waiting;
	size_t length = 0;

	for (int i = 0; i < AUDIT_RESERVES; i++)
		at[i] = audit->reserves[i].at;
	for (int i = 0; i < AUDIT_RESERVES; i++) {
		struct audit_reserve *reserve = &audit->reserves[i];
		const char *line;

		while ((line = audit_reserve_first(reserve, &length))) {
			const char *previous = chain_previous(line, length - 1);

			if (previous && !strncmp(previous, tail->hash, CHAIN_SIZE - 1))
				return;
			chain_hash(line, length - 1, hash);
			forget_first(audit, reserve, length);
		}
	}
	if (!strcmp(hash, tail->hash))
		return;
	for (int i = 0; i < AUDIT_RESERVES; i++)
		audit->reserves[i].at = at[i];
	audit->n_waiting = n_waiting;
}

/* The last line of the log may be the first one that waits: it was written, but the process
 * was killed before that was noted. */
static void forget_written(struct audit *audit, const struct audit_end *tail)
{
	for (int i = 0; i < AUDIT_RESERVES; i++) {
		struct audit_reserve *reserve = &audit->reserves[i];
		struct record record;
		const char *line = audit_reserve_first(reserve, &record.length);
		char hash[CHAIN_SIZE];

		if (!line)
			continue;
		memcpy(record.text, line, record.length);
		record_link(&record, tail->previous);
		chain_hash(record.text, record.length - 1, hash);
		if (!strcmp(hash, tail->hash))
			forget_first(audit, reserve, record.length);
		return;
	}
}

/* Where the chain goes on: see above. */
static const char *find_link(struct audit *audit, const struct audit_end *tail)
{
	const char *found = tail->hash[0] ? tail->hash : CHAIN_START;
	const char *expected = audit->found.log_hash;

	if (!expected[0] && tail->hash[0])
		resume(audit, tail);
	if (!expected[0] || !strcmp(expected, tail->hash))
		return found;
	if (tail->previous[0] && !strcmp(expected, tail->previous)) {
		forget_written(audit, tail);
		return found;
	}
	audit->is_mismatch = true;
	return expected;
}

/* Read the end of the file before this one, if there is one. */
static void read_older(const struct audit *audit, struct audit_end *endp)
{
	char path[PATH_MAX];
	int fd = -1;

	if (!audit_segment_path(audit->path, 1, path))
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return;
	(void)audit_file_read_end(fd, endp);
	(void)close(fd);
}

static void link_to(struct audit *audit, const struct audit_end *end)
{
	struct audit_end older = { .size = 0 };
	const struct audit_end *tail = end;

	if (audit->is_linked)
		return;
	if (!end->size) {
		read_older(audit, &older);
		tail = &older;
	}
	audit->segment = tail->segment ? tail->segment : audit->found.segment;
	memcpy(audit->log_last, find_link(audit, tail), CHAIN_SIZE);
	audit->is_linked = true;
	if (audit->is_mismatch)
		log_error("audit log %s: its end is not what was written last: lines were removed "
			  "or altered, or the file was replaced",
			  audit->path);
}

/* The new file, in which at least the record of its begin is. */
static int use_file(struct audit *audit, int fd)
{
	struct audit_end end;
	struct record record;
	int r = audit_file_read_end(fd, &end);

	if (r) {
		(void)close(fd);
		return r;
	}
	link_to(audit, &end);
	audit_file_use(&audit->file, fd, &end);
	if (end.size) {
		if (end.segment)
			audit->segment = end.segment;
		if (!audit_is_waiting(audit))
			memcpy(audit->last, audit->log_last, CHAIN_SIZE);
		return 0;
	}
	begin_record(audit, &record);
	r = audit_file_append(&audit->file, record.text, record.length);
	if (r)
		audit_file_close(&audit->file);
	else
		note_begin(audit, &record);
	return r;
}

/* If this fails, nothing may be appended before it: then the log is opened again later. */
static int record_mismatch(struct audit *audit)
{
	const struct audit_entry mismatch = {
		.wall_ns = clock_now_ns(CLOCK_REALTIME),
		.subject = "audit",
		.verb = AUDIT_MISMATCH,
		.verdict = "error",
		.reason = "the end of the log is not what was written last",
	};
	struct record record;
	int r;

	record_init(&record, &mismatch, audit->log_last);
	r = audit_file_append(&audit->file, record.text, record.length);
	if (r) {
		audit_file_close(&audit->file);
		return r;
	}
	audit->is_mismatch = false;
	audit_note_written(audit, &record);
	return 0;
}

static int use(struct audit *audit, int fd)
{
	struct stat status;
	int r = fstat(fd, &status) ? -errno : 0;

	if (r) {
		(void)close(fd);
		return r;
	}
	if (!S_ISREG(status.st_mode)) {
		audit_open_stream(audit, fd);
		return 0;
	}
	r = use_file(audit, fd);
	return r || !audit->is_mismatch ? r : record_mismatch(audit);
}

int audit_open_log(struct audit *audit)
{
	int fd = audit_check(audit->path);

	return fd < 0 ? fd : use(audit, fd);
}

/* At the start: what the records in the reserve, or the head, say. */
void audit_find_last(struct audit *audit)
{
	size_t length;

	if (audit->found.hash[0])
		memcpy(audit->last, audit->found.hash, CHAIN_SIZE);
	for (int i = 0; i < AUDIT_RESERVES; i++) {
		struct audit_reserve *reserve = &audit->reserves[i];
		uint64_t at = audit->found.drained[i];
		const char *line;

		/* it was emptied after that was noted */
		at = at > reserve->used ? reserve->used : at;
		reserve->at = at;

		while ((line = audit_reserve_first(reserve, &length))) {
			chain_hash(line, length - 1, audit->last);
			audit->n_waiting++;
			audit_reserve_pop(reserve, length);
		}
		reserve->at = at;
	}
}

/* rotation */

static bool has_name(const struct audit *audit)
{
	struct stat named, open;

	return !lstat(audit->path, &named) && !fstat(audit->file.fd, &open) &&
	       named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

static int rotate(struct audit *audit)
{
	struct audit_file next = AUDIT_FILE_NULL(next);
	struct record record;
	int r = audit_segments_create(audit->path);

	if (r < 0)
		return r;
	next.fd = r;
	begin_record(audit, &record);
	r = audit_file_append(&next, record.text, record.length);
	if (!r)
		r = audit_segments_rotate(audit->path, audit->settings.n_files);
	if (r) {
		audit_file_close(&next);
		audit_segments_discard(audit->path);
		return r;
	}
	audit_file_close(&audit->file);
	audit->file = next;
	note_begin(audit, &record);
	return 0;
}

/* A log that cannot be rotated grows, because that is better than to lose records. */
static void try_to_rotate(struct audit *audit)
{
	uint64_t now_ns = clock_now_ns(CLOCK_BOOTTIME);
	int r;

	if (now_ns < audit->rotate_ns)
		return;
	r = rotate(audit);
	if (r && !audit->rotate_ns)
		log_error("audit log %s: cannot rotate it: %s; retrying", audit->path,
			  strerror(-r));
	audit->rotate_ns = r ? now_ns + ROTATE_RETRY_NS : 0;
}

int audit_make_room(struct audit *audit, size_t length)
{
	const struct audit_settings *settings = &audit->settings;
	int r = audit_file_look(&audit->file);
	bool is_full = settings->max_size && audit->file.end + length > settings->max_size;

	if (r < 0)
		return r;
	if (r == AUDIT_FILE_GONE || (is_full && !has_name(audit))) {
		log_warning("audit log %s: was removed or renamed; opening it again", audit->path);
		audit_close_log(audit);
		return audit_open_log(audit);
	}
	if (is_full && audit->file.end)
		try_to_rotate(audit);
	return 0;
}

int audit_reopen(struct audit *audit)
{
	int fd, r;

	if (!audit->path)
		return 0;
	(void)audit_retry(audit);
	fd = open_file(audit->path);
	if (fd < 0) {
		log_error("audit log %s: cannot reopen: %s; continuing %s", audit->path,
			  audit_strerror(fd),
			  audit_is_open(audit) ? "with the old file" : "without it");
		return fd;
	}
	if (audit->file.fd >= 0 && has_name(audit)) {
		(void)close(fd);
		return audit->error;
	}
	audit->found.is_cut = audit_stream_is_cut(&audit->stream);
	audit_close_log(audit);
	r = use(audit, fd);
	if (r)
		audit->error = r;
	else
		audit_note_works(audit);
	return r ? r : audit_retry(audit);
}
