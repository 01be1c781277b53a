/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records for the syslog daemon of this host, in the form that its socket is
 * for: what syslog(3) sends, without the time.
 *
 *   <86>calfpen-eth0[4711]: TEXT
 *
 * RFC 5424 is for the network: on /dev/log rsyslog takes its version for the
 * program's name, and journald leaves all of its header in the message. The
 * time is left to the daemon, since what syslog(3) sends is local, without
 * year and zone; the record itself has it exactly.
 *
 * Each message goes to the socket by its path, so a syslog daemon that was
 * restarted gets the next one; nothing waits for it.
 */
#ifndef CALFPEN_PRIV_AUDIT_SYSLOG_H
#define CALFPEN_PRIV_AUDIT_SYSLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUDIT_SYSLOG_PATH "/dev/log"

struct audit_syslog {
	int fd; /* not connected; -1: syslog is not wanted */
	const char *path;
	char source[64]; /* "calfpen-INSTANCE[PID]" */
};

#define AUDIT_SYSLOG_NULL(_x) ((struct audit_syslog){ .fd = -1 })

/* `path` must outlive it. Needs no daemon yet. 0, or a negative errno. */
int audit_syslog_open(struct audit_syslog *log, const char *path, const char *instance);
/* No-op on AUDIT_SYSLOG_NULL. */
void audit_syslog_close(struct audit_syslog *log);
/* Send `length` printable bytes, as a warning or for information: 0, or a
 * negative errno (-EAGAIN: its queue is full). */
int audit_syslog_send(const struct audit_syslog *log, bool is_warning, const char *text,
		      size_t length);

#endif
