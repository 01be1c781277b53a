/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address conflict detection (RFC 5227) as a pure state machine: probe an
 * address, announce it, defend it. No I/O, no clock, no allocation.
 *
 * The caller calls conflict_timeout() when conflict->deadline_ns has passed
 * and conflict_receive() for every ARP packet; it carries out the actions at
 * once. Whether the address is used while it is probed is the caller's to
 * decide.
 */
#ifndef CALFPEN_CALF_DHCP4_CLIENT_ACD_H
#define CALFPEN_CALF_DHCP4_CLIENT_ACD_H

#include <stdbool.h>
#include <stdint.h>

#include "userspace/calf/net/arp.h"

/* RFC 5227 section 1.1, by its names */
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
	bool watch_probes;  /* others' probes for it are conflicts while we probe;
			      * wrong if it is in use: then the host answers them */
};

enum conflict_phase {
	CONFLICT_IDLE = 0,
	CONFLICT_PROBING,
	CONFLICT_ANNOUNCING, /* the address is ours; so also in the next */
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
	CONFLICT_DEFENDED, /* another host uses it; it is kept */
	CONFLICT_LOST,	   /* another host uses it: give it up; now CONFLICT_IDLE */
};

struct conflict_actions {
	bool send;
	struct arp_frame frame; /* probe or announcement */
	enum conflict_result result;
};

/* Begin with `address`; what was going on before is forgotten. */
void conflict_start(struct conflict *conflict, const struct conflict_config *config,
		    struct in_addr address, uint64_t now_ns, uint32_t random);

/* CONFLICT_IDLE: the address is not ours any more. */
void conflict_stop(struct conflict *conflict);

/* *actions is written whole. Before the deadline nothing happens. */
void conflict_timeout(struct conflict *conflict, uint64_t now_ns, uint32_t random,
		      struct conflict_actions *actions);

/* Any packet, of anybody. */
void conflict_receive(struct conflict *conflict, const struct arp_frame *frame, uint64_t now_ns,
		      struct conflict_actions *actions);

#endif
