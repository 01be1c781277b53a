/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address conflict detection (RFC 5227) as a pure state machine: probe an
 * address, announce it, defend it. No I/O, no clock, no allocation.
 *
 * The caller calls conflict_timeout() when conflict->deadline_ns has passed and
 * conflict_receive() for every ARP packet; it carries out the actions at once.
 * The caller decides whether the address is used while it is being probed.
 */
#ifndef CALFPEN_CALF_DHCP4_CLIENT_ACD_H
#define CALFPEN_CALF_DHCP4_CLIENT_ACD_H

#include <stdbool.h>
#include <stdint.h>

#include "userspace/calf/net/arp.h"

/* RFC 5227 section 1.1, with its names */
#define CONFLICT_PROBE_WAIT_MS 1000
#define CONFLICT_PROBE_NUM 3
#define CONFLICT_PROBE_MIN_MS 1000
#define CONFLICT_PROBE_MAX_MS 2000
#define CONFLICT_ANNOUNCE_WAIT_MS 2000
#define CONFLICT_ANNOUNCE_NUM 2
#define CONFLICT_ANNOUNCE_INTERVAL_MS 2000
#define CONFLICT_DEFEND_INTERVAL_MS 10000

#define CONFLICT_NEVER UINT64_MAX

struct conflict_config {
	uint8_t mac[6];
	bool defend_always; /* never give the address up; section 2.4 (c) */
	bool watch_probes;  /* other hosts' probes for the address are conflicts while we probe;
			     * must be false if the host already has the address, because then it
			     * answers them */
};

enum conflict_phase {
	CONFLICT_IDLE = 0,
	CONFLICT_PROBING,
	CONFLICT_ANNOUNCING, /* this and the next: the address is ours */
	CONFLICT_DEFENDING,
};

struct conflict {
	struct conflict_config config;
	enum conflict_phase phase;
	struct in_addr address;
	uint64_t deadline_ns; /* CONFLICT_NEVER: none */
	uint32_t n_sent;      /* of the phase */
	uint64_t defended_ns; /* last announcement made against a conflict */
	bool has_defended;
};

#define CONFLICT_NULL ((struct conflict){ .deadline_ns = CONFLICT_NEVER })

enum conflict_result {
	CONFLICT_NOTHING = 0,
	CONFLICT_FREE,	   /* probing is over: the address may be used */
	CONFLICT_DEFENDED, /* another host uses it; we keep it */
	CONFLICT_LOST,	   /* another host uses it: give it up; the phase is CONFLICT_IDLE now */
};

struct conflict_actions {
	bool send;
	struct arp_frame frame; /* probe or announcement */
	enum conflict_result result;
};

/* Start to probe `address` and drop all previous state. */
void conflict_start(struct conflict *conflict, const struct conflict_config *config,
		    struct in_addr address, uint64_t now_ns, uint32_t random);

/* Return to CONFLICT_IDLE, because the address is no longer ours. */
void conflict_stop(struct conflict *conflict);

/* Handle a timeout. Does nothing before the deadline. *actions is
 * overwritten. */
void conflict_timeout(struct conflict *conflict, uint64_t now_ns, uint32_t random,
		      struct conflict_actions *actions);

/* Return whether a packet is a conflict: another MAC says that it has the
 * address, or also probes it. */
bool conflict_is_claimed(const struct conflict *conflict, const struct arp_frame *frame);

/* Handle an ARP packet from any host. *actions is overwritten. */
void conflict_receive(struct conflict *conflict, const struct arp_frame *frame, uint64_t now_ns,
		      struct conflict_actions *actions);

#endif
