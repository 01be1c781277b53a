/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DHCP client of RFC 2131 section 4.4 as a pure state machine: (state,
 * event, now, random) -> actions. It does no I/O, reads no clock, allocates
 * nothing and has no globals; the same events give the same actions.
 *
 * The caller calls client_step() with CLIENT_START once, with CLIENT_TIMEOUT
 * when client->deadline_ns has passed, with CLIENT_MESSAGE for every message
 * that message_parse() accepted, with CLIENT_ARP for every ARP packet, and with
 * the events of the link and the operator; it carries out the actions at once.
 */
#ifndef CALFPEN_CALF_DHCP4_CLIENT_CLIENT_H
#define CALFPEN_CALF_DHCP4_CLIENT_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "userspace/calf/dhcp4/client/acd.h"
#include "userspace/calf/dhcp4/message/message.h"
#include "userspace/common/lease_time.h"

#define CLIENT_NEVER UINT64_MAX
#define CLIENT_INFINITE UINT32_MAX /* a lease time in seconds */

/* Defaults and limits; client.c gives the reasons. */
#define CLIENT_START_DELAY_MS 2
#define CLIENT_FIRST_RETRANSMISSION_MS 4000
#define CLIENT_RETRANSMISSION_MAX_MS 64000
#define CLIENT_RAPID_COMMIT_TRIES 2
#define CLIENT_REQUEST_TRIES 5
#define CLIENT_REBOOT_TRIES 2
#define CLIENT_RENEW_RETRANSMISSION_MIN_S 60
#define CLIENT_RENEW_BROADCAST_MS 100 /* after a renewal that the operator requested */
#define CLIENT_NAK_DELAY_S 1
#define CLIENT_DECLINE_DELAY_S 10
#define CLIENT_DELAY_MAX_S 300
#define CLIENT_IPV6_ONLY_MIN_S 300 /* MIN_V6ONLY_WAIT, RFC 8925 section 3.4 */

/* A host that claims the third address of ours answers for every address. */
#define CLIENT_PROXY_ADDRESSES 3
/* The third claim of one address by one host is reported to the operator. */
#define CLIENT_INSISTED_CLAIMS 3
#define CLIENT_CLAIMS_MAX 8
/* So many addresses are declined in a row, then one per interval. */
#define CLIENT_DECLINES_MAX 8
#define CLIENT_DECLINE_INTERVAL_S 3600

#define CLIENT_SERVERS_MAX 8

enum client_conflict {
	CLIENT_CONFLICT_PARALLEL = 0, /* the address is used while it is probed */
	CLIENT_CONFLICT_WAIT,	      /* it is used after it was probed */
	CLIENT_CONFLICT_OFF,	      /* no ARP at all */
};

struct client_config {
	struct message_sender sender;
	bool broadcast;		/* set the BROADCAST flag */
	bool no_rapid_commit;	/* no option 80 */
	bool accept_link_local; /* a server may give 169.254/16 */
	bool no_reboot;		/* anonymity: no INIT-REBOOT, no hint in DISCOVER */
	bool release_at_stop;	/* CLIENT_STOP sends RELEASE */
	bool defend_always;	/* acd.h */
	enum client_conflict conflict;
	uint32_t start_delay_ms; /* start after a tenth to all of it */
	uint32_t first_retransmission_ms;
	uint32_t retransmission_max_ms; /* limit of the growing interval; 0: 64 s */
	uint32_t fallback_lease_s;	/* if the server gives none; 0: an hour */
	struct in_addr requested;	/* requested first; 0.0.0.0: none */
	struct in_addr inform;		/* static address, use DHCPINFORM only; 0.0.0.0: no */
	uint8_t n_allowed;		/* servers by option 54; 0: all */
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
	CLIENT_INIT_REBOOT,
	CLIENT_REBOOTING,
	CLIENT_INFORMING, /* DHCPINFORM is sent */
	CLIENT_INFORMED,  /* and answered */
	CLIENT_IPV6_ONLY, /* the network asks us not to use IPv4 (RFC 8925) */
	CLIENT_RELEASED,  /* by the operator: do nothing until CLIENT_RENEW or _STOP */
	_CLIENT_STATE_N,
};

/* A lease; times use the clock of the events. */
struct client_lease {
	struct in_addr address; /* 0.0.0.0: parameters only */
	uint8_t prefix_length;
	struct in_addr server; /* 0.0.0.0: not given */
	uint32_t time_s;       /* CLIENT_INFINITE: no end */
	uint32_t t1_s;
	uint32_t t2_s;
	uint64_t start_ns; /* when the REQUEST was sent */
	uint64_t t1_ns;	   /* CLIENT_NEVER if infinite, as are t2 and expires */
	uint64_t t2_ns;
	uint64_t expires_ns;
	/* Of the last ACK, and what it does not mention as before. */
	struct message_parameters parameters;
	/* The lease began in a previous run: what no ACK has mentioned since is as
	 * the store has it. */
	bool is_continued;
};

/* The saved lease of a previous run (restore.h). */
struct client_saved {
	struct in_addr address;
	uint8_t prefix_length; /* 0: unknown, as after a reboot */
	struct in_addr server;
	uint32_t left_s;    /* upper limit; CLIENT_INFINITE: no end */
	bool is_over;	    /* according to the wall clock, which may be wrong */
	bool is_configured; /* the host still has the address: it was not rebooted */
};

/* A host that had an address of ours, so that we gave it up. */
struct client_claim {
	uint8_t mac[6];
	struct in_addr address;
	uint32_t n;	  /* how often; 0: no claim */
	bool is_declined; /* the server was told */
};

struct client {
	struct client_config config;
	enum client_state state;
	uint64_t deadline_ns; /* the earliest of all deadlines below; CLIENT_NEVER: none */
	uint64_t timer_ns;    /* that of the state */
	bool is_link_down;
	bool must_broadcast;	    /* if the renewal is not answered, send it as INIT-REBOOT */
	bool may_reboot;	    /* INIT-REBOOT comes before DISCOVER */
	bool has_sent_rapid_commit; /* with this xid */
	uint32_t xid;
	uint16_t secs;
	uint32_t n_sent;	/* transmissions of the current message */
	uint64_t began_ns;	/* start of the acquisition or renewal: for secs */
	uint64_t first_sent_ns; /* the transmission that an ACK would answer now */
	uint64_t last_sent_ns;
	uint32_t n_naks;	/* of REQUESTING, since the last lease */
	uint32_t n_conflicts;	/* since a lease was last renewed or the link attached */
	struct in_addr wanted;	/* requested in INIT-REBOOT and DISCOVER */
	struct in_addr offered; /* SELECTING's choice */
	struct in_addr offered_server;
	struct in_addr declined; /* the last declined address, as long as another host may use it */
	struct client_claim claims[CLIENT_CLAIMS_MAX]; /* since the link attached */
	uint32_t n_claims;			       /* the next one replaces the oldest */
	uint64_t declines_ns;  /* when as many addresses may be declined as at first */
	uint8_t server_mac[6]; /* of the frame with the last ACK: the server, or a router or
				* relay before it; zeros: not known */
	/* The lease may outlive BOUND: it is kept while INIT-REBOOT is tried,
	 * until it is over, refused or replaced. */
	bool has_lease;
	bool is_in_use;	  /* the host has the address; otherwise it is still being probed */
	bool is_restored; /* its parameters are unknown */
	struct client_lease lease;
	struct conflict conflict;
};

enum client_event_type {
	CLIENT_START,
	CLIENT_TIMEOUT,
	CLIENT_MESSAGE,
	CLIENT_ARP,
	CLIENT_LINK_UP,	  /* attached, perhaps to another network */
	CLIENT_LINK_DOWN, /* nothing is sent, but the lease timers keep running */
	CLIENT_RENEW,	  /* the operator: renew or retry now */
	CLIENT_RELEASE,	  /* the operator: release the lease */
	CLIENT_STOP,	  /* the last event */
};

#define CLIENT_RANDOM_N 4

struct client_event {
	enum client_event_type type;
	uint64_t now_ns;		  /* CLOCK_BOOTTIME */
	uint32_t random[CLIENT_RANDOM_N]; /* fresh for every event */
	const struct message *message;	  /* CLIENT_MESSAGE */
	const uint8_t *from_mac;	  /* CLIENT_MESSAGE: of the frame; NULL: not known */
	const struct arp_frame *arp;	  /* CLIENT_ARP */
	bool is_hosts_arp;		  /* CLIENT_ARP: from another interface of this host */
	const struct client_saved *saved; /* CLIENT_START; NULL: none */
	bool is_released;		  /* CLIENT_START: the operator released the lease in a
					   * previous run */
};

enum client_lease_action {
	CLIENT_LEASE_KEEP = 0,
	CLIENT_LEASE_SET,  /* client->lease is new or renewed: use it */
	CLIENT_LEASE_LOST, /* stop using it at once */
};

struct client_actions {
	bool send;
	struct message_request request;
	struct in_addr source;	    /* of the IP header */
	struct in_addr destination; /* 255.255.255.255: broadcast the frame too */
	bool send_arp;
	struct arp_frame arp;
	enum client_lease_action lease;
	enum conflict_result conflict;
	bool is_insisted;      /* CONFLICT_LOST: again for the same address and by the same host */
	enum reason discarded; /* REASON_NONE: the message or ARP packet was used */
};

/* Set the state to INIT without a deadline; `config` is copied. */
void client_init(struct client *client, const struct client_config *config);

/* Handle one event. *actions is overwritten. A timeout before the deadline does
 * nothing. */
void client_step(struct client *client, const struct client_event *event,
		 struct client_actions *actions);

/* Return the name of a state: "INIT-REBOOT". */
const char *client_state_name(enum client_state state);

/* lease.c: the lease that a message grants, given when its REQUEST was sent. */

/* Return the duration of the lease: the lease time; if that is missing or 0,
 * that of `before` (NULL: a new lease), otherwise config->fallback_lease_s; at
 * least 30 s. CLIENT_INFINITE: no end. */
uint32_t client_lease_time_s(const struct client_config *config, const struct message *ack,
			     const struct client_lease *before);

/* Return the prefix length of the lease: that of option 1; if that is missing,
 * that of `before` (NULL: a new lease), otherwise that of the address's
 * class. */
uint8_t client_lease_prefix_length(const struct message *ack, const struct client_lease *before);

/*
 * Fill *lease from an ACK to a request sent at `start_ns`. T1 and T2 are those
 * of the ACK if 0 < T1 < T2 < lease, otherwise half and seven eighths; both are
 * shifted by up to 1/64 of the lease, using random[0] and random[1]. If there
 * is no mask, use that of the address's class.
 *
 * If the ACK extends the lease `before` (NULL: it grants a new one), everything
 * that it does not mention stays: mask, parameters, server, lease time, and with
 * the same lease time T1 and T2. `before` must not be `lease`.
 */
void client_lease_init(struct client_lease *lease, const struct client_config *config,
		       const struct message *ack, const struct client_lease *before,
		       uint64_t start_ns, const uint32_t random[2]);

/* Return whether a host may be given the address: unicast, and link-local only
 * if so configured. */
bool client_lease_is_address(const struct client_config *config, struct in_addr address);

#endif
