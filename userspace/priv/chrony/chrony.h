/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks chronyd to reload its source directories: the one request of its command
 * protocol, version 6, that is needed, and the results. This header is also for the
 * handlers, the supervisor and the watcher; role.c is a process of its own.
 *
 * Integers are in network byte order. Request and reply have 28 octets: requests are
 * padded to the length of their reply, to prevent amplification (chrony's candm.h and
 * pktlength.c; bytes as sent by chronyc 4.3). Pure.
 */
#ifndef CALFPEN_PRIV_CHRONY_CHRONY_H
#define CALFPEN_PRIV_CHRONY_CHRONY_H

#include <stddef.h>
#include <stdint.h>

#define CHRONY_SIZE 28 /* of the request, and at least of the reply */
#define CHRONY_SOCKET "chronyd.sock"

/*
 * The result of a reload: exit code of the role that asks chronyd, and the byte that
 * the supervisor passes to the watcher.
 */
enum chrony_result {
	CHRONY_RELOADED = 0,
	CHRONY_FAILED = 1, /* or another enum role_exit: the role logged why */
	CHRONY_NOT_RUNNING = 2,
	CHRONY_SILENT = 3,
	CHRONY_MALFORMED = 4, /* nothing received was a reply to the request */
	CHRONY_REFUSED = 32,  /* plus chronyd's status, at most CHRONY_STATUS_MAX */
	CHRONY_ERROR = 128,   /* plus an errno below 128, of its directory or socket */
};

#define CHRONY_STATUS_MAX 31 /* higher ones count as this; chronyd's highest is 21 */

/* Write a RELOAD_SOURCES request. `attempt` counts from 0 for the same sequence. */
void chrony_request(uint8_t request[static CHRONY_SIZE], uint32_t sequence, uint16_t attempt);

/* Parse a reply. Returns 0 with chronyd's status in *statusp (0: success), or -EBADMSG
 * if it is not a reply to that request. */
int chrony_reply(const void *bytes, size_t size, uint32_t sequence, uint16_t *statusp);

/* Returns the name of a status of chronyd: "not authorised", or "unknown status". */
const char *chrony_status_name(uint16_t status);

/* Return the enum chrony_result for a refusal and for a positive errno. */
int chrony_refused(uint16_t status);
int chrony_error(int error);

#endif
