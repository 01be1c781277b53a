/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 5424 over the local syslog socket:
 *
 *   <86>1 2026-11-24T02:15:25.123456Z host calfpen-eth0 4711 audit - TEXT
 *
 * Each message goes to the socket by its path, so a syslog daemon that was
 * restarted gets the next one; nothing waits for it. rsyslog takes the header
 * apart only with sysSock.useSpecialParser="off"; its default, and journald,
 * leave it as text before the message.
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
	char source[352]; /* "HOST APP-NAME PROCID" */
};

#define AUDIT_SYSLOG_NULL(_x) ((struct audit_syslog){ .fd = -1 })

/* `path` must outlive it. Needs no daemon yet. 0, or a negative errno. */
int audit_syslog_open(struct audit_syslog *log, const char *path, const char *instance);
/* No-op on AUDIT_SYSLOG_NULL. */
void audit_syslog_close(struct audit_syslog *log);
/* Send `length` printable bytes, as a warning or for information: 0, or a
 * negative errno (-EAGAIN: its queue is full). */
int audit_syslog_send(const struct audit_syslog *log, uint64_t wall_ns, bool is_warning,
		      const char *text, size_t length);

#endif
