/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends log lines and audit records to the syslog daemon of this host in the format
 * that its socket expects: that of syslog(3), without the time.
 *
 *   <86>calfpen-eth0[4711]: TEXT
 *
 * RFC 5424 is for the network: on /dev/log, rsyslog takes its version for the
 * program's name, and journald leaves its whole header in the message. The daemon
 * adds the time, because that of syslog(3) is local, without year and zone; an audit
 * record itself contains it exactly.
 *
 * All processes of an instance share one socket, because only the supervisor may
 * connect it. It does so again when a daemon has been restarted; the others ask it
 * to by an eventfd, whose value is ignored. What the daemon does not take at once
 * waits in each process (outlet.h): Linux lets a socket queue no more than
 * net.unix.max_dgram_qlen messages, 10 by default.
 */
#ifndef CALFPEN_COMMON_SYSLOG_H
#define CALFPEN_COMMON_SYSLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/common/outlet.h"

#define SYSLOG_PATH "/dev/log"
#define SYSLOG_TEXT_MAX 8192 /* more than the longest audit record */

struct syslog {
	struct outlet outlet;
	int ask_fd;
	const char *path; /* to connect to; NULL: ask the supervisor */
	bool is_missing;  /* logged that no daemon takes messages */
	char source[64];  /* "calfpen-INSTANCE[PID]" */
	/* Called when nothing waits any more, to report records that were lost. */
	void (*on_empty)(void *data);
	void *data;
};

#define SYSLOG_NULL(_x) ((struct syslog){ .outlet = OUTLET_NULL(), .ask_fd = -1 })

/*
 * Create the socket, connect it to `path`, which must outlive it, and send each log
 * line of this process from now on: facility daemon. If no daemon is there yet, that
 * is logged, and messages wait. Returns 0, or a negative errno, logged.
 */
int syslog_open(struct syslog *syslog, const char *path, const char *instance);
/* Do the same in another process, which inherited the socket and the eventfd. If `fd` is
 * no socket but, say, /dev/null, there is no syslog. Returns as syslog_open(). */
int syslog_inherit(struct syslog *syslog, int fd, int ask_fd, const char *instance);
bool syslog_is_open(const struct syslog *syslog);
/* Let this event loop, which must outlive it, send what waits. Returns 0 or -ENOSPC. */
int syslog_watch(struct syslog *syslog, struct loop *loop);
/* Send an audit record, facility authpriv, severity warning or info: `length` printable
 * bytes, at most SYSLOG_TEXT_MAX. Returns as outlet_send(). */
int syslog_send_record(struct syslog *syslog, bool is_warning, const char *text, size_t length);
/* Connect the socket again, for another process, after syslog_open() only. Returns 0, or
 * a negative errno, of which the first one is logged. */
int syslog_connect(struct syslog *syslog);
/* Send what waits, for at most `wait_ns`, close, and log how much was lost. No-op on
 * SYSLOG_NULL. */
void syslog_close(struct syslog *syslog, uint64_t wait_ns);

#endif
