/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log: JSON lines, one per change of the store, per refused request, and
 * per event that the supervisor reports. The supervisor and the watcher use it.
 *
 * Each line is one write() on a descriptor opened with O_APPEND, so that both
 * processes can share the file (file.h). To rotate it, rename it and send SIGUSR2 to the
 * supervisor: both processes reopen it by its path. Nothing here allocates.
 *
 *   {"time":"2026-11-24T02:15:25.123456Z","seq":17,"revision":17,
 *    "subject":"dhcp4","verb":"commit","path":"/ip","verdict":"ok",
 *    "value":"192.0.2.5/24","uid":1878000000,"pid":4711}
 *
 * A value that a handler does not apply because of policy is {"verb":"configure",
 * "verdict":"refused"} with a reason, and the revision that wrote the key.
 *
 * seq numbers the records of a ring without gaps: for changes it is the revision,
 * for refusals a separate number. A record is written before it is released from
 * the ring: after a crash between the two the last record appears twice, with equal
 * seq, but none is missing. Changes are applied first (watcher/ring.c).
 */
#ifndef CALFPEN_PRIV_AUDIT_AUDIT_H
#define CALFPEN_PRIV_AUDIT_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maps/kv.h"
#include "userspace/common/outlet.h"
#include "userspace/common/syslog.h"
#include "userspace/priv/audit/file.h"

struct audit {
	const char *name; /* in messages: the path, or what the descriptor is; NULL: no log */
	const char *path; /* the caller's; must outlive this; NULL: a descriptor */
	struct audit_file file;
	struct outlet stream;  /* instead of a file: a pipe, terminal or socket */
	uint64_t n_lost;       /* lines lost since the last successful write */
	int error;	       /* of the last line in the log, or of opening it */
	int directory_error;   /* of creating the directory, the reason if the file is missing */
	struct syslog *syslog; /* the caller's; NULL: none */
};

#define AUDIT_NULL(_x) ((struct audit){ .file = AUDIT_FILE_NULL(), .stream = OUTLET_NULL() })

struct audit_entry {
	uint64_t wall_ns;  /* CLOCK_REALTIME of the event */
	uint64_t sequence; /* 0: left out */
	uint64_t revision; /* 0: left out */
	const char *subject;
	const char *verb;
	const char *path;    /* NULL: left out */
	const char *verdict; /* "ok", or the name of an errno */
	const char *value;   /* NULL: left out */
	const char *reason;  /* NULL: left out */
	uint32_t suppressed; /* 0: left out */
	bool has_caller;     /* uid and pid are known */
	uint32_t uid;
	uint32_t pid;
};

/*
 * Open the log for appending, mode 0600, and create its directory, mode 0700, if it
 * is missing. It may be a named pipe, which must have a reader, or a character device;
 * nothing waits for them. A symbolic link is not followed. `path` must outlive the log.
 * Returns 0, or a negative errno for audit_strerror(), not logged: then records are
 * lost, which is reported as for a full disk, until it can be opened. Each record tries
 * to, and so does audit_retry().
 */
int audit_open(struct audit *audit, const char *path);
/* Write to this descriptor instead, which is closed by audit_close(); `name` must outlive
 * the log. Returns 0, or a negative errno, not logged. */
int audit_open_fd(struct audit *audit, int fd, const char *name);
/* Let this event loop, which must outlive the log, write what waits for a slow reader of a
 * pipe. Returns 0 or -ENOSPC. */
int audit_watch(struct audit *audit, struct loop *loop);
/*
 * Count the records that wait for a slow reader in this memory, too, which outlives the
 * process. What it contains when this is called is lost: it waited in a process that
 * was killed.
 */
void audit_share_waiting(struct audit *audit, uint64_t *n_waitingp);
/* Create the directory of this file as audit_open() does. Returns 0 or a negative
 * errno. */
int audit_make_directory(const char *path);
/* Return the descriptor that is written to, or -1. */
int audit_fd(const struct audit *audit);
/* If records could not be written, or the log not be opened, try again, and log if it
 * works. Returns 0, or a negative errno of the log. */
int audit_retry(struct audit *audit);
/*
 * Reopen the log by its path after log rotation. Its directory must be writable by
 * uid 0 without CAP_DAC_OVERRIDE, that is, owned by root. On failure, which is
 * logged, lines are still written to the old file. Does nothing for a descriptor.
 * Returns 0, or a negative errno.
 */
int audit_reopen(struct audit *audit);
/* From now on send each line to syslog, too, if it is open; records that are lost there
 * are reported as for the file. `syslog` must be closed before the log. */
void audit_to_syslog(struct audit *audit, struct syslog *syslog);
/* Write what waits, for at most `wait_ns`, and close the log; report lines that were lost
 * and not yet reported. No-op on AUDIT_NULL. */
void audit_close(struct audit *audit, uint64_t wait_ns);
/* Return the reason why the log cannot be opened or written to. */
const char *audit_strerror(int error);
/* Describe why records are lost, or wait for longer than a slow reader takes: "PATH:
 * REASON; records are lost". Returns false if they are not. */
bool audit_describe_error(const struct audit *audit, char *text, size_t size);

/*
 * Append one line, without waiting. A failure (disk full, too many lines waiting for a
 * slow reader) is logged once when it starts and once when it ends, with the number of
 * lost lines, which is then written to the audit log, too: {"verb":"lost"}. The caller
 * continues in any case.
 */
void audit_write(struct audit *audit, const struct audit_entry *entry);

/* Append a line about a message that violated its protocol: {"verb":"malformed"}. */
void audit_malformed(struct audit *audit, const char *subject, const char *reason);

/* pure parts */

/* Format one line, newline included. Bytes outside 0x20..0x7e are written as \u00XX,
 * texts are truncated to KV_VALUE_MAX bytes. Returns the length. */
size_t audit_format(const struct audit_entry *entry, char line[static AUDIT_LINE_SIZE]);
/* Returns the name of a verdict of the gate: "EACCES" for -EACCES, "ok" for 0, NULL
 * for a number that the gate does not return. */
const char *audit_verdict(int verdict);

#endif
