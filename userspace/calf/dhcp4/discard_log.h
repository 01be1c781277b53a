/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers "why was this offer ignored?": every discarded message is counted by
 * its reason, and logged once per reason and server; so is every value of a
 * lease that is ignored, by its flaw. Memory is bounded: servers
 * beyond the limit share one entry, so that forged addresses cannot flood the
 * log.
 */
#ifndef CALFPEN_CALF_DHCP4_DISCARD_LOG_H
#define CALFPEN_CALF_DHCP4_DISCARD_LOG_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "userspace/calf/dhcp4/message/flaw.h"
#include "userspace/calf/dhcp4/message/reason.h"
#include "userspace/calf/sdk/calf.h"

#define DISCARD_LOG_SERVERS_MAX 16

struct discard_log {
	struct calf *calf;
	uint32_t n_servers;
	struct {
		struct in_addr server;
		uint64_t logged;		/* bit per reason, then per flaw */
	} servers[DISCARD_LOG_SERVERS_MAX + 1]; /* the last: all others */
};

_Static_assert((int)_REASON_N + (int)_FLAW_N <= 64, "a bit for each");

/* Start an empty log. `calf`, which has the counters, must outlive it. */
void discard_log_init(struct discard_log *log, struct calf *calf);

/* Count a discarded message. Returns true if the caller is to log it, because
 * none from this server was discarded for this reason before. */
bool discard_log_count(struct discard_log *log, enum reason reason, struct in_addr server);

/* Count a discarded message and log it unless that was done before. `server` is
 * option 54 or the IP source, or 0.0.0.0 if the frame has neither. */
void discard_log_add(struct discard_log *log, enum reason reason, struct in_addr server);

/* Count the flaws of a lease, and log each kind unless that was done before. */
void discard_log_flaws(struct discard_log *log, const struct flaws *flaws, struct in_addr server);

#endif
