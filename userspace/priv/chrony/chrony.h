/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chronyd is told to read its source directories again: the one request of
 * its command protocol, version 6, that is needed, and what comes of it.
 * Integers are in network order. Request and reply have 28 octets: requests
 * are padded to the length of their reply, so that nothing is amplified
 * (chrony's candm.h and pktlength.c; bytes as chronyc 4.3 sends them). Pure.
 */
#ifndef CALFPEN_PRIV_CHRONY_CHRONY_H
#define CALFPEN_PRIV_CHRONY_CHRONY_H

#include <stddef.h>
#include <stdint.h>

#define CHRONY_SIZE 28 /* of the request, and at least of the reply */
#define CHRONY_SOCKET "chronyd.sock"

/*
 * What came of it: exit code of the role that asks chronyd, and the byte that
 * the supervisor hands to the watcher for it.
 */
enum chrony_result {
	CHRONY_RELOADED = 0,
	CHRONY_FAILED = 1, /* or another enum role_exit: the role logged why */
	CHRONY_NOT_RUNNING = 2,
	CHRONY_SILENT = 3,
	CHRONY_MALFORMED = 4, /* all that came was no answer to the request */
	CHRONY_REFUSED = 32,  /* plus its status, at most CHRONY_STATUS_MAX */
	CHRONY_ERROR = 128,   /* plus an errno below 128, of its directory or socket */
};

#define CHRONY_STATUS_MAX 31 /* higher ones count as this; chronyd's end at 21 */

/* RELOAD_SOURCES. `attempt` counts from 0 while the sequence is the same. */
void chrony_request(uint8_t request[static CHRONY_SIZE], uint32_t sequence, uint16_t attempt);

/* 0 and chronyd's status, 0 for success; -EBADMSG: no answer to that request. */
int chrony_reply(const void *bytes, size_t size, uint32_t sequence, uint16_t *statusp);

/* "not authorised"; "unknown status". */
const char *chrony_status_name(uint16_t status);

/* An enum chrony_result for a refusal, and for a positive errno. */
int chrony_refused(uint16_t status);
int chrony_error(int error);

#endif
