/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DHCP client of RFC 2131 section 4.4 as a pure state machine:
 * (state, event, now, random) -> actions. It does no I/O, reads no clock,
 * allocates nothing and has no globals; the same events give the same actions.
 *
 * The caller calls client_step() with CLIENT_START once, with CLIENT_TIMEOUT
 * when client->deadline_ns has passed, and with CLIENT_MESSAGE for every
 * message that message_parse() took; it carries out the actions at once.
 */
#ifndef CALFPEN_CALF_DHCP4_CLIENT_H
#define CALFPEN_CALF_DHCP4_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "userspace/calf/dhcp4/message.h"

#define CLIENT_NEVER UINT64_MAX
#define CLIENT_INFINITE UINT32_MAX /* a lease time in seconds */

/* Defaults and limits; the reason for each is in client.c. */
#define CLIENT_START_DELAY_MS 10
#define CLIENT_FIRST_RETRANSMISSION_MS 4000
#define CLIENT_RETRANSMISSION_MAX_MS 64000
#define CLIENT_REQUEST_TRIES 5
#define CLIENT_RENEW_RETRANSMISSION_MIN_S 60
#define CLIENT_LEASE_MIN_S 30
#define CLIENT_LEASE_FALLBACK_S 3600
#define CLIENT_NAK_DELAY_MAX_S 300

enum client_conflict {
	CLIENT_CONFLICT_PARALLEL = 0, /* probe while the address is in use */
	CLIENT_CONFLICT_WAIT,	      /* probe first */
	CLIENT_CONFLICT_OFF,
};

#define CLIENT_SERVERS_MAX 8

struct client_config {
	struct message_sender sender;
	bool broadcast;		/* set the BROADCAST flag */
	bool no_rapid_commit;	/* never send option 80 */
	bool accept_link_local; /* an address of 169.254/16 */
	bool no_reboot;		/* no INIT-REBOOT (RFC 7844 on a new link) */
	bool release_at_stop;
	bool defend_always; /* an address in conflict is not given up (RFC 5227 2.4 c) */
	enum client_conflict conflict;
	uint32_t start_delay_ms; /* start after a tenth of it up to all of it */
	uint32_t first_retransmission_ms;
	uint32_t fallback_lease_s; /* of an ACK without lease time */
	struct in_addr requested;  /* asked for first; 0.0.0.0: none */
	struct in_addr inform;	   /* a static address: only DHCPINFORM; 0.0.0.0: none */
	uint8_t n_allowed;	   /* servers by option 54; 0: all */
	uint8_t n_denied;
	struct in_addr allowed[CLIENT_SERVERS_MAX];
	struct in_addr denied[CLIENT_SERVERS_MAX];
};

enum client_state {
	CLIENT_INIT = 0,
	CLIENT_SELECTING,
	CLIENT_REQUESTING,
	CLIENT_BOUND,
	CLIENT_RENEWING,
	CLIENT_REBINDING,
	_CLIENT_STATE_N,
};

/* A lease; times are on the clock of the events. */
struct client_lease {
	struct in_addr address;
	uint8_t prefix_length;
	struct in_addr server; /* 0.0.0.0: it did not say */
	uint32_t time_s;       /* CLIENT_INFINITE: no end */
	uint32_t t1_s;
	uint32_t t2_s;
	uint64_t start_ns; /* when the REQUEST was sent */
	uint64_t t1_ns;	   /* CLIENT_NEVER if infinite, so also t2, expires */
	uint64_t t2_ns;
	uint64_t expires_ns;
	struct message_parameters parameters;
};

struct client {
	struct client_config config;
	enum client_state state;
	uint64_t deadline_ns; /* CLIENT_NEVER: none */
	uint32_t xid;
	uint16_t secs;
	uint32_t n_sent;	/* transmissions of the present message */
	uint64_t began_ns;	/* acquisition or renewal: for secs */
	uint64_t first_sent_ns; /* the present REQUEST */
	uint64_t last_sent_ns;
	uint32_t n_naks;	/* of REQUESTING, since the last lease */
	struct in_addr offered; /* SELECTING's choice */
	struct in_addr offered_server;
	struct client_lease lease; /* from BOUND on */
};

enum client_event_type { CLIENT_START, CLIENT_TIMEOUT, CLIENT_MESSAGE };

struct client_event {
	enum client_event_type type;
	uint64_t now_ns;	       /* CLOCK_BOOTTIME */
	uint32_t random[3];	       /* fresh for every event */
	const struct message *message; /* CLIENT_MESSAGE */
};

enum client_lease_action {
	CLIENT_LEASE_KEEP = 0,
	CLIENT_LEASE_SET,  /* client->lease is new or renewed */
	CLIENT_LEASE_LOST, /* stop using it at once */
};

struct client_actions {
	bool send;
	struct message_request request;
	struct in_addr source;	    /* of the IP header */
	struct in_addr destination; /* 255.255.255.255: broadcast the frame too */
	enum client_lease_action lease;
	enum reason discarded; /* REASON_NONE: the message was used */
};

/* State INIT, no deadline; `config` is copied. */
void client_init(struct client *client, const struct client_config *config);

/* One event. *actions is written whole. A timeout before the deadline does
 * nothing. */
void client_step(struct client *client, const struct client_event *event,
		 struct client_actions *actions);

/* "BOUND". */
const char *client_state_name(enum client_state state);

/* client_lease.c: what a message grants, given when its REQUEST was sent. */

/*
 * Fill *lease from an ACK that came in answer to a request sent at `start_ns`:
 * lease time missing or 0 is an hour, below 30 s it is 30 s; T1 and T2 as
 * given if 0 < T1 < T2 < lease, else half and seven eighths; both shifted by
 * up to 1/64 of the lease, from random[0] and random[1]; the mask of the
 * address's class if there is none.
 */
void client_lease_init(struct client_lease *lease, const struct message *ack, uint64_t start_ns,
		       const uint32_t random[2]);

/* True if a host may be given the address: unicast, not link-local. */
bool client_lease_is_address(struct in_addr address);

#endif
