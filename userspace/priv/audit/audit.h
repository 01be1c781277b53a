/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log: JSON lines, one per change of the store, per refused
 * request, and per event that the supervisor reports. Each line is one
 * write() on a descriptor opened with O_APPEND, so the supervisor and the
 * watcher share the file. Whoever rotates it renames it and sends SIGHUP to
 * the supervisor: both open it anew by its path. Nothing here allocates.
 *
 *   {"time":"2026-11-24T02:15:25.123456Z","seq":17,"revision":17,
 *    "subject":"dhcp4","verb":"commit","path":"/ip","verdict":"ok",
 *    "value":"192.0.2.5/24","uid":1878000000,"pid":4711}
 *
 * What a handler keeps from the host by policy is {"verb":"configure",
 * "verdict":"refused"} with a reason, and the revision that wrote the key.
 *
 * seq counts a ring without gaps: of changes it is the revision, of refusals
 * a number of their own. A record is written before it leaves the ring: after
 * a crash between the two the last one stands twice, with equal seq; none is
 * missing. Changes are acted on first (watcher/ring.c).
 */
#ifndef CALFPEN_PRIV_AUDIT_AUDIT_H
#define CALFPEN_PRIV_AUDIT_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maps/kv.h"
#include "userspace/priv/audit/syslog.h"

#define AUDIT_LINE_SIZE 8192 /* the longest line with its newline and NUL */

struct audit {
	int fd;
	const char *path; /* caller's, outlives this */
	uint64_t n_lost;  /* lines that could not be written since the last that could */
	bool torn;	  /* the last line was cut: begin a new one */
	struct audit_syslog syslog;
	uint64_t n_syslog_lost;
};

#define AUDIT_NULL(_x) ((struct audit){ .fd = -1, .syslog = AUDIT_SYSLOG_NULL() })

struct audit_entry {
	uint64_t wall_ns;  /* CLOCK_REALTIME of what happened */
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
 * Open the log for appending, mode 0600, and make its directory, mode 0700,
 * if it is missing. A store that cannot be audited must not run: callers end
 * on failure. 0, or a negative errno after one logged line that names the
 * path.
 */
int audit_open(struct audit *audit, const char *path);
/*
 * Open it anew by its path, for whoever has renamed it. Its directory must be
 * writable for uid 0 without CAP_DAC_OVERRIDE: our owner's. On failure, which
 * is logged, lines go on into the old file. 0, or a negative errno.
 */
int audit_reopen(struct audit *audit);
/* From now on each line goes to syslog too. 0, or a negative errno, logged.
 * While there is no daemon lines are lost there, which is told as of the file. */
int audit_to_syslog(struct audit *audit, const char *instance);
/* No-op on AUDIT_NULL. */
void audit_close(struct audit *audit);

/*
 * Append one line. A failure (disk full) is logged once when it begins and
 * once when it is over, with the number of lost lines, which the log itself
 * then states too: {"verb":"lost"}. The caller goes on.
 */
void audit_write(struct audit *audit, const struct audit_entry *entry);

/* A control message that broke the protocol: {"verb":"malformed"}. */
void audit_malformed(struct audit *audit, const char *subject, const char *reason);

/* pure parts */

/* Format one line, newline included; its length. Bytes outside 0x20..0x7e are
 * written as \u00XX, texts are cut at KV_VALUE_MAX bytes. */
size_t audit_format(const struct audit_entry *entry, char line[static AUDIT_LINE_SIZE]);
/* "EACCES" of -EACCES as the gate answers it, "ok" of 0, else NULL. */
const char *audit_verdict(int verdict);

#endif
