/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends records to the syslog daemon of this host in the format that its socket
 * expects: that of syslog(3), without the time.
 *
 *   <86>calfpen-eth0[4711]: TEXT
 *
 * RFC 5424 is for the network: on /dev/log, rsyslog takes its version for the
 * program's name, and journald leaves its whole header in the message. The daemon
 * adds the time, because that of syslog(3) is local, without year and zone; the
 * record itself contains it exactly.
 *
 * Each message is sent to the path of the socket, so that a restarted syslog daemon
 * receives the next one. Sending never waits.
 */
#ifndef CALFPEN_PRIV_AUDIT_SYSLOG_H
#define CALFPEN_PRIV_AUDIT_SYSLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUDIT_SYSLOG_PATH "/dev/log"

struct audit_syslog {
	int fd; /* not connected; -1: no audit to syslog */
	const char *path;
	char source[64]; /* "calfpen-INSTANCE[PID]" */
};

#define AUDIT_SYSLOG_NULL(_x) ((struct audit_syslog){ .fd = -1 })

/* Open a socket. `path` must outlive it; no daemon is needed yet. Returns 0, or a
 * negative errno. */
int audit_syslog_open(struct audit_syslog *log, const char *path, const char *instance);
/* Close the socket. No-op on AUDIT_SYSLOG_NULL. */
void audit_syslog_close(struct audit_syslog *log);
/* Send `length` printable bytes with severity warning or info. Returns 0, or a
 * negative errno (-EAGAIN: the daemon's queue is full). */
int audit_syslog_send(const struct audit_syslog *log, bool is_warning, const char *text,
		      size_t length);

#endif
