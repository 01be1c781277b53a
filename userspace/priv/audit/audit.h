/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log: JSON lines, one per change of the store and per refused request. The
 * watcher is its only writer. Nothing here allocates or waits.
 *
 *   {"time":"2026-11-24T02:15:25.123456Z","seq":17,"revision":17,
 *    "subject":"dhcp4","verb":"commit","path":"/ip","verdict":"ok",
 *    "value":"192.0.2.5/24","uid":1878000000,"pid":4711,"prev":"..."}
 *
 * A value that a handler does not apply because of policy is {"verb":"configure",
 * "verdict":"refused"} with a reason, and the revision that wrote the key.
 *
 * seq numbers the records of a ring without gaps: for changes it is the revision,
 * for refusals a separate number. A record is written before it is released from
 * the ring: after a crash between the two the last record appears twice, with equal
 * seq, but none is missing. Changes are applied first (watcher/ring.c).
 *
 * Each line has the hash of the one before it (common/chain.h). A file begins with
 * {"subject":"audit","verb":"begin","segment":N}, is rotated when it gets too large, and
 * is opened again by its path on SIGUSR2. What it does not take waits in one reserve
 * beside it, then in another one below /run (reserve.h), and is written in order before
 * anything newer. A record that these do not take either is refused, so that it stays in
 * its ring, or is lost and counted, as the settings say.
 */
#ifndef CALFPEN_PRIV_AUDIT_AUDIT_H
#define CALFPEN_PRIV_AUDIT_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/common/audit_head.h"
#include "userspace/common/loop.h"
#include "userspace/common/syslog.h"
#include "userspace/priv/audit/entry.h"
#include "userspace/priv/audit/file.h"
#include "userspace/priv/audit/reserve.h"
#include "userspace/priv/audit/stream.h"

struct audit_settings {
	const char *run_directory; /* of the last reserve and the head; NULL: neither */
	uint64_t max_size;	   /* bytes of a file until it is rotated; 0: never */
	unsigned int n_files;	   /* that stay, the newest included, at least 2 */
	bool may_lose;		   /* records that nothing takes, instead of refusing them */
	struct syslog *syslog;	   /* that gets each line, too, if it is open; NULL: none */
};

/* What happens to records, the worst last. */
enum audit_level {
	AUDIT_WORKS,
	AUDIT_RESERVED, /* they go to a reserve */
	AUDIT_FULL,	/* nothing takes them */
};

struct audit {
	const char *name; /* in messages: the path, or what the descriptor is; NULL: no log */
	const char *path; /* NULL: a descriptor */
	uint64_t log;	  /* audit_head_log() of the path, or 0 */
	struct audit_settings settings;
	struct audit_file file;
	struct audit_stream stream; /* instead of a file */
	struct audit_reserve reserves[AUDIT_RESERVES];
	struct audit_head_page *head; /* NULL: none */
	struct audit_head found;      /* in it at the start; "": nothing */
	char last[CHAIN_SIZE];	      /* hash of the last record, wherever that is */
	char log_last[CHAIN_SIZE];    /* of the last one in the log itself */
	bool is_linked;		      /* `log_last` is known */
	bool is_part_kept;	      /* the stream has a part of what waits first */
	bool is_refusing;	      /* since nothing took a record */
	bool is_mismatch;	      /* the end of the log is not what was written */
	uint32_t segment;	      /* of the file; 0: not known */
	uint64_t n_waiting;	      /* records in reserves */
	uint64_t n_lost;	      /* since the last successful write */
	int error;		      /* why the log takes nothing; 0: it does */
	uint64_t retry_ns;	      /* CLOCK_BOOTTIME: then it is tried again */
	uint64_t rotate_ns;	      /* CLOCK_BOOTTIME: no rotation before */
	enum audit_level level;	      /* that was logged */
	struct loop *loop;	      /* the caller's; NULL: none */
	bool is_polled;		      /* the stream is, by `loop` */
};

#define AUDIT_NULL(_x)                                                               \
	((struct audit){ .file = AUDIT_FILE_NULL(),                                  \
			 .stream = AUDIT_STREAM_NULL(),                              \
			 .reserves = { AUDIT_RESERVE_NULL(), AUDIT_RESERVE_NULL() }, \
			 .last = CHAIN_START,                                        \
			 .log_last = CHAIN_START })

/*
 * Open the log for appending, mode 0600, and create its directory, mode 0700, if it
 * is missing. It may be a named pipe, which must have a reader, or a character device;
 * nothing waits for them. A symbolic link is not followed. `path` and what the settings
 * point to must outlive the log. If it cannot be opened, that is tried again.
 * Returns 0, or a negative errno for audit_strerror(), not logged.
 */
int audit_open(struct audit *audit, const char *path, const struct audit_settings *settings);
/* Write to this descriptor instead, which is closed by audit_close(); `name` must outlive
 * the log. Returns 0, or a negative errno, not logged. */
int audit_open_fd(struct audit *audit, int fd, const char *name,
		  const struct audit_settings *settings);
/* No log, but perhaps syslog. */
void audit_open_none(struct audit *audit, const struct audit_settings *settings);
/* Check whether audit_open() could open it, and create the directory and the file if they
 * are missing. Returns a descriptor, or a negative errno for audit_strerror(). */
int audit_check(const char *path);
/* Let this event loop, which must outlive the log, write what waits for a slow reader of a
 * pipe. */
void audit_watch(struct audit *audit, struct loop *loop);
/* If records could not be written, or the log not be opened, try again, now. Returns 0, or a
 * negative errno of the log. */
int audit_retry(struct audit *audit);
/*
 * Reopen the log by its path after log rotation. Its directory must be writable by
 * uid 0 without CAP_DAC_OVERRIDE, that is, owned by root. On failure, which is
 * logged, lines are still written to the old file. Does nothing for a descriptor.
 * Returns 0, or a negative errno.
 */
int audit_reopen(struct audit *audit);
/* Write what waits, for at most `wait_ns`, and close the log; what still waits is in the
 * reserve for the next one. Close syslog after that, because it gets the last records, too.
 * No-op on AUDIT_NULL. */
void audit_close(struct audit *audit, uint64_t wait_ns);
/* Describe what is wrong: "PATH: REASON; records are lost". Returns false if nothing is. */
bool audit_describe_error(const struct audit *audit, char *text, size_t size);

/*
 * Append one record, without waiting. The log says once when the log takes nothing any
 * more, when the reserve is full, and when that is over. Returns 0; or -EAGAIN if nothing
 * takes the record: keep it.
 */
int audit_write(struct audit *audit, const struct audit_entry *entry);

#endif
