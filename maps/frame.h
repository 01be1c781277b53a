/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/*
 * The frame filter as shared by kernel and user space: rules from the
 * description, the state that egress leaves for ingress, and the counters.
 */
#ifndef CALFPEN_MAPS_FRAME_H
#define CALFPEN_MAPS_FRAME_H

#include <linux/types.h>

#define FRAME_CALVES_MAX 8  /* with frames, power of two */
#define FRAME_RULES_MAX 8   /* of a calf, power of two */
#define FRAME_XIDS_MAX 64   /* of a calf, direct-mapped, power of two */
#define FRAME_PEERS_MAX 8   /* power of two */
#define FRAME_WATCHED_MAX 4 /* power of two */
/* For how long after our own probe another host's probe is a conflict: the next
 * probe or the announcement follows within 2 s (RFC 5227 1.1). */
#define FRAME_PROBING_NS 5000000000ull
#define FRAME_XID_LIFETIME_NS 120000000000ull /* after the last frame sent with it */
#define FRAME_REPLIES_MAX 8		      /* of a request, power of two */
#define FRAME_REPLIES_KEPT 32		      /* of all requests of a calf, power of two */
#define FRAME_REPLY_BYTES 2048		      /* power of two */
#define FRAME_PRIORITY_TAGS_MAX 2

/* The key exists once the watcher has set a leased address. The supervisor
 * deletes that of a previous run before it loads the programs. */
#define FRAME_QUARANTINE_KEY "/status/quarantine"

/*
 * DOC: several calves
 *
 * Each calf with frame rules has a number, and so have its tap and its entries in each
 * map. Number 0 is for the calf that writes /ip, whose address is the host's: the witness
 * and frame_host are about its leases only. Other calves have no leased address, so they
 * can neither send unicast nor renew, decline or release.
 *
 * Counters and samples are of an owner: 1 + the number of the calf whose rule or tap
 * the frame belongs to; 0: of no calf.
 */
#define FRAME_CALF_HOST 0
#define FRAME_OWNER_NONE 0
#define FRAME_OWNERS_MAX (1 + FRAME_CALVES_MAX)

/* The number of a calf's rule in frame_rules and frame_buckets, and whose it is. */
#define FRAME_RULES_N (FRAME_CALVES_MAX * FRAME_RULES_MAX)
#define FRAME_RULE(calf, i) ((calf)*FRAME_RULES_MAX + (i))
#define FRAME_RULE_CALF(rule) ((rule) / FRAME_RULES_MAX)

/*
 * Checks: one small inline function per protocol. A description gives the name
 * of the check; the rule has its parameters.
 */
enum frame_check {
	FRAME_CHECK_NONE = 0,
	FRAME_CHECK_DHCP4 = 1, /* BOOTP to local_port from any port, and from it to
				* remote_port, up to max_frame */
	FRAME_CHECK_ARP = 2,   /* conflict detection (RFC 5227); rates only */
};

struct frame_rule {
	__u32 check; /* enum frame_check; FRAME_CHECK_NONE ends the rules of a calf */
	__u16 local_port;
	__u16 remote_port;
	__u32 max_frame; /* bytes, Ethernet header included, both directions */
	__u32 reserved;
	__u64 ingress_interval_ns; /* one frame per this many nanoseconds ... */
	__u64 ingress_burst_ns;	   /* ... with this much saved up */
	__u64 egress_interval_ns;
	__u64 egress_burst_ns;
};

/* A transaction seen in a calf's egress, at FRAME_XID(calf, xid in host order). */
#define FRAME_XID(calf, xid) ((calf)*FRAME_XIDS_MAX + ((xid) & (FRAME_XIDS_MAX - 1)))
struct frame_xid {
	__u32 xid;			  /* network order, as in the message */
	__u32 n_replies;		  /* admitted since our last request with it */
	__u64 expires_ns;		  /* CLOCK_BOOTTIME; 0: never seen */
	__u32 replies[FRAME_REPLIES_MAX]; /* signatures of these replies; 0: none */
};

/* An admitted reply, or (one per CPU) the reply that is being checked. */
struct frame_reply {
	__u64 version;	  /* odd: being written */
	__u64 expires_ns; /* that of frame_xid, which differs between any two requests */
	__u32 size;	  /* octets; 0: none */
	__u32 reserved;
	__u64 words[FRAME_REPLY_BYTES / 8]; /* IPv4 addresses and the UDP datagram */
};

/* Sources and server identifiers (option 54) of replies that ingress admitted:
 * the only unicast targets. */
struct frame_peers {
	__u32 next; /* slot that is replaced next */
	__u32 reserved;
	__u32 address[FRAME_PEERS_MAX]; /* network order, 0: empty */
};

/*
 * Addresses that servers gave us (yiaddr of replies that ingress admitted): the
 * calf may probe and announce only these, and only ARP about these may reach
 * it. They are replaced by newer ones and never time out.
 */
struct frame_watched_address {
	__u32 address; /* network order, 0: empty */
	__u32 reserved;
	__u64 probing_until_ns; /* CLOCK_BOOTTIME; 0: not probed, or announced */
};

struct frame_watched {
	__u32 next; /* slot that is replaced next */
	__u32 reserved;
	struct frame_watched_address slot[FRAME_WATCHED_MAX];
};

/*
 * DOC: the witness
 *
 * Each DHCPACK that ingress let through to the host's calf is recorded, so that the
 * process that configures the host need not believe the calf. A record is not
 * changed by an ACK that says something else, and an ACK that says the same
 * once more only renews it. The map is frozen, belongs to the instance and not
 * to one load of the programs, and stays pinned when the instance ends.
 *
 * A record is written by one CPU at a time: `version` is made odd before and even
 * after. A reader copies the map twice, and uses what is the same in both copies
 * and has an even version.
 */
#define FRAME_WITNESSED_MAX 16	      /* power of two */
#define FRAME_WITNESSED_ROUTERS_MAX 8 /* the first ones of option 3 */

/* Options that are read. Bit N of `said` and `kept` is number N. */
enum frame_option {
	FRAME_OPTION_OTHER = 0,
	FRAME_OPTION_TYPE,		  /* 53 */
	FRAME_OPTION_MASK,		  /* 1, a contiguous mask */
	FRAME_OPTION_ROUTER,		  /* 3 */
	FRAME_OPTION_TIME,		  /* 51, not 0 */
	FRAME_OPTION_SERVER,		  /* 54 */
	FRAME_OPTION_CLASSLESS,		  /* 121: that it was there */
	FRAME_OPTION_CLASSLESS_MICROSOFT, /* 249: that it was there */
	_FRAME_OPTION_N,		  /* power of two */
};

/* What an ACK said; addresses and masks in network order. A value counts only if
 * its bit is set in `said`, or in `kept`: then the ACK left it out, and it is that
 * of the newest record before for the same address. */
struct frame_witnessed {
	__u64 version;	  /* odd: being written */
	__u64 request_ns; /* CLOCK_BOOTTIME of the last request with the ACK's xid */
	__u64 ack_ns;	  /* CLOCK_BOOTTIME; 0: the slot was never used */
	__u32 address;	  /* yiaddr */
	__u32 mask;
	__u32 server;
	__u32 time_s;				    /* host order; 0xffffffff: for ever */
	__u32 routers[FRAME_WITNESSED_ROUTERS_MAX]; /* 0: no further one */
	__u32 said;
	__u32 kept;
};

struct frame_witness {
	struct frame_witnessed slot[FRAME_WITNESSED_MAX];
};

/*
 * What the host has: the watcher tells it after each pass by the program host_set, and
 * nothing else can write it. The map is frozen and belongs to the instance, not to one
 * load of the programs. Addresses in network order.
 */
struct frame_host {
	__u32 version;	   /* odd: it is being changed */
	__u32 address;	   /* leased, and on the uplink; 0: none */
	__u32 mask;	   /* of its subnet */
	__u32 other;	   /* an address of the operator's on the uplink, for INFORM; 0: none */
	__u32 family;	   /* of the next hop; 0: none. AF_INET: to what is not in the subnet */
	__u32 next_hop[4]; /* an IPv4 address is in the first word */
	__u32 is_open;	   /* there was a lease: the quarantine ends */
};

/* For how long after its ACK an address counts as in use for address conflicts although
 * the watcher has not told about it yet. */
#define FRAME_FRESH_NS 5000000000ull

/*
 * DOC: the grammar of requests
 *
 * What a DHCP client may say, whatever is in the calf. It is in frozen .rodata, for each
 * calf: the supervisor makes it from the operator's options.
 */
#define FRAME_REQUEST_MAX 996 /* octets of BOOTP: 1,024 with IP and UDP */
#define FRAME_CLIENT_ID_SIZE 256

enum frame_code {
	FRAME_CODE_REFUSED = 0,
	FRAME_CODE_SENT, /* by the calf, or named by the operator */
};

struct frame_grammar {
	__u64 transaction_interval_ns; /* one new transaction per this many nanoseconds ... */
	__u64 transaction_burst_ns;    /* ... with this much saved up */
	__u32 max_size;		       /* octets of BOOTP, at most FRAME_REQUEST_MAX */
	__u32 reserved;
	__u8 codes[256]; /* enum frame_code of each option */
};

/* The client identifier (option 61) of the calf's first request, as long as the programs
 * stay loaded: until the instance starts again, or the uplink is another device or has
 * another MAC. */
enum frame_identity_state {
	FRAME_IDENTITY_NONE = 0, /* there was no request */
	FRAME_IDENTITY_TAKEN,	 /* it is being written */
	FRAME_IDENTITY_KEPT,
};

struct frame_identity {
	__u32 state; /* enum frame_identity_state */
	__u32 size;  /* of the length octet and the identifier; 0: requests have none */
	__u8 bytes[FRAME_CLIENT_ID_SIZE];
};

/* Options of a request that are looked at, in place of enum frame_option. */
enum frame_request_option {
	FRAME_REQUEST_OTHER = 0,
	FRAME_REQUEST_TYPE,	    /* 53 */
	FRAME_REQUEST_ADDRESS,	    /* 50 */
	FRAME_REQUEST_SERVER,	    /* 54 */
	FRAME_REQUEST_SIZE,	    /* 57 */
	FRAME_REQUEST_CLIENT_ID,    /* 61 */
	FRAME_REQUEST_RAPID_COMMIT, /* 80 */
};

/* A message that is being read, one per CPU: a reply from sname on, a request from op
 * on. */
#define FRAME_MESSAGE_BYTES 2048 /* power of two; more than a frame of a tap */

struct frame_option_value {
	__u32 value; /* the first four octets, host order */
	__u32 n;     /* how many of them there are */
	__u32 at;    /* of the first part: where it is ... */
	__u32 size;  /* ... and its octets */
};

/* Where a walk over options is. It is not on the stack, because the verifier
 * would then explore every offset. */
struct frame_walk {
	__u32 at, end;
	__u32 overload; /* option 52 of the field, 0: none */
	/* of a request */
	__u32 is_over; /* END was there */
	__u32 is_bad;
	__u32 reserved;
	__u64 rest; /* what is behind END, or what differs, all combined */
};

struct frame_message {
	struct frame_walk walk;
	struct frame_option_value options[_FRAME_OPTION_N];
	struct frame_witnessed witnessed;    /* the record that is being made */
	__u8 bytes[FRAME_MESSAGE_BYTES + 8]; /* room to read a word at the last octet */
};

/* Token buckets of the generic cell rate algorithm, one word each. */
struct frame_bucket {
	__u64 ingress_ns; /* theoretical arrival time, CLOCK_BOOTTIME */
	__u64 egress_ns;
	__u64 transaction_ns; /* of requests with a new xid */
};

/*
 * Verdict and reason of a frame, counted at FRAME_COUNTER(). Reasons with the
 * same verdict are adjacent, see FRAME_VERDICT() and FRAME_DIRECTION().
 */
enum frame_reason {
	/* ingress on the uplink */
	FRAME_IN_NOT_OURS = 0, /* passed: the host's traffic */
	FRAME_IN_VLAN,	       /* passed: frames of a VLAN belong to the host */
	FRAME_IN_OTHER_CHADDR, /* passed: another client's reply */
	FRAME_IN_FOREIGN_XID,  /* passed, by configuration: a reply to us that was not requested by
			        * the calf */
	FRAME_IN_NO_TAP,       /* passed: the tap does not exist */
	FRAME_IN_ARP_RATE,     /* passed: a conflict, but above the rate limit */
	FRAME_IN_ACCEPTED,     /* redirected into the tap: a reply */
	FRAME_IN_ARP,	       /* redirected into the tap: a conflict */
	FRAME_IN_TRUNCATED,    /* dropped from here on */
	FRAME_IN_TOO_LONG,
	FRAME_IN_FRAGMENT,
	FRAME_IN_IP_HEADER, /* version, header length or total length */
	FRAME_IN_UDP_LENGTH,
	FRAME_IN_NOT_REPLY, /* op is not BOOTREPLY */
	FRAME_IN_HARDWARE,  /* htype or hlen */
	FRAME_IN_COOKIE,
	FRAME_IN_FORCERENEW,  /* never authenticated (RFC 3203, RFC 6704) */
	FRAME_IN_UNKNOWN_XID, /* unsolicited */
	FRAME_IN_REPLAYED,    /* a copy of a reply to our last request */
	FRAME_IN_RATE,
	FRAME_IN_QUARANTINE, /* would pass to the host, but there is no lease yet */
	/* what the calf writes to the tap */
	FRAME_OUT_ACCEPTED, /* broadcast, to the uplink */
	FRAME_OUT_UNICAST,  /* by bpf_redirect_neigh */
	FRAME_OUT_ARP,	    /* probe or announcement, to the uplink */
	FRAME_OUT_VLAN,	    /* dropped from here on */
	FRAME_OUT_NO_RULE,  /* not a protocol of the description */
	FRAME_OUT_TRUNCATED,
	FRAME_OUT_TOO_LONG,
	FRAME_OUT_SOURCE_MAC,
	FRAME_OUT_DESTINATION_MAC, /* broadcast IP to one MAC, or the reverse */
	FRAME_OUT_FRAGMENT,
	FRAME_OUT_IP_HEADER, /* version, header length, options, total length */
	FRAME_OUT_UDP_LENGTH,
	FRAME_OUT_PORT,
	FRAME_OUT_NOT_REQUEST, /* op is not BOOTREQUEST */
	FRAME_OUT_HARDWARE,    /* htype, hlen or chaddr */
	FRAME_OUT_COOKIE,
	FRAME_OUT_SOURCE_ADDRESS, /* neither 0.0.0.0 (broadcast) nor the applied address */
	FRAME_OUT_UNKNOWN_PEER,	  /* unicast to a host that never answered us */
	FRAME_OUT_OWN_ADDRESS,	  /* unicast to an address of this host */
	FRAME_OUT_RATE,
	/* the grammar of requests */
	FRAME_OUT_RELAY,	 /* hops, flags, yiaddr, siaddr, giaddr, or octets that must be 0 */
	FRAME_OUT_MESSAGE,	 /* message type, or options that are not a client's */
	FRAME_OUT_CLIENT_ID,	 /* option 61 is not that of the first request */
	FRAME_OUT_CIADDR,	 /* not the applied address, or not for this type */
	FRAME_OUT_NOT_WITNESSED, /* DECLINE or RELEASE of what no server gave */
	FRAME_OUT_TRANSACTIONS,	 /* too many new ones */
	FRAME_OUT_ARP_HEADER,	 /* types, sizes, no request, or MACs inside */
	FRAME_OUT_ARP_ADDRESS,	 /* neither probe nor announcement of a watched address */
	/* what the host's stack sends into the tap */
	FRAME_HOST_NOISE, /* dropped */
	_FRAME_REASON_N,
};

/* Names as `calfpen status` and the metrics page print them, in enum order. */
#define FRAME_REASON_NAMES                                                                         \
	{                                                                                          \
		"in_not_ours", "in_vlan", "in_other_chaddr", "in_foreign_xid", "in_no_tap",        \
			"in_arp_rate", "in_accepted", "in_arp", "in_truncated", "in_too_long",     \
			"in_fragment", "in_ip_header", "in_udp_length", "in_not_reply",            \
			"in_hardware", "in_cookie", "in_forcerenew", "in_unknown_xid",             \
			"in_replayed", "in_rate", "in_quarantine", "out_accepted", "out_unicast",  \
			"out_arp", "out_vlan", "out_no_rule", "out_truncated", "out_too_long",     \
			"out_source_mac", "out_destination_mac", "out_fragment", "out_ip_header",  \
			"out_udp_length", "out_port", "out_not_request", "out_hardware",           \
			"out_cookie", "out_source_address", "out_unknown_peer", "out_own_address", \
			"out_rate", "out_relay", "out_message", "out_client_id", "out_ciaddr",     \
			"out_not_witnessed", "out_transactions", "out_arp_header",                 \
			"out_arp_address", "host_noise"                                            \
	}

enum frame_verdict { FRAME_PASSED, FRAME_DELIVERED, FRAME_SENT, FRAME_DROPPED };
enum frame_direction { FRAME_FROM_UPLINK, FRAME_FROM_CALF, FRAME_FROM_HOST };

#define FRAME_VERDICT(reason)                              \
	((reason) < FRAME_IN_ACCEPTED  ? FRAME_PASSED :    \
	 (reason) <= FRAME_IN_ARP      ? FRAME_DELIVERED : \
	 (reason) < FRAME_OUT_ACCEPTED ? FRAME_DROPPED :   \
	 (reason) <= FRAME_OUT_ARP     ? FRAME_SENT :      \
					 FRAME_DROPPED)
#define FRAME_DIRECTION(reason)                              \
	((reason) < FRAME_OUT_ACCEPTED ? FRAME_FROM_UPLINK : \
	 (reason) < FRAME_HOST_NOISE   ? FRAME_FROM_CALF :   \
					 FRAME_FROM_HOST)

/* The index in frame_counters. */
#define FRAME_COUNTER(owner, reason) ((owner)*_FRAME_REASON_N + (reason))

/* The counter of one CPU. */
struct frame_counter {
	__u64 packets;
	__u64 bytes;
	__u64 quiet; /* the kernel's tick in which no more frames are sampled */
};

/*
 * DOC: samples
 *
 * The last frames of every reason from FRAME_SAMPLED_FIRST on: frames that were
 * dropped, frames for the calf, frames from the calf, and frames that passed to
 * the host although they look like replies to the calf. Of the reasons before
 * FRAME_SAMPLED_ALL, which say nothing about that, only those are kept: replies
 * to our MAC in a VLAN, and replies to another MAC with an xid of ours. Each reason has its own ring and rate, so that a flood of one
 * kind takes no room from the samples of another. Readers consume nothing, so
 * there may be many.
 *
 * A slot is written by one CPU at a time: `version` is made odd before and even
 * after; a CPU that finds it odd drops the sample. A reader copies the bytes
 * between two reads of the same even version (three lookups, because one lookup
 * copies in no particular order).
 */
#define FRAME_SAMPLED_FIRST FRAME_IN_VLAN
#define FRAME_SAMPLED_ALL FRAME_IN_FOREIGN_XID
#define FRAME_SAMPLED_N (_FRAME_REASON_N - FRAME_SAMPLED_FIRST)
#define FRAME_SAMPLES_EACH 8 /* slots of a reason, power of two */
#define FRAME_SAMPLES_N (FRAME_SAMPLED_N * FRAME_SAMPLES_EACH)
#define FRAME_SAMPLE_BYTES 512		      /* bytes kept of a frame, power of two */
#define FRAME_SAMPLE_INTERVAL_NS 100000000ull /* one sample per reason and interval ... */
#define FRAME_SAMPLE_BURST_NS 600000000ull    /* ... with this much saved up */

/* The slot of the sample of a reason with this number. */
#define FRAME_SAMPLE_SLOT(reason, number)                             \
	(((__u32)(reason)-FRAME_SAMPLED_FIRST) * FRAME_SAMPLES_EACH + \
	 (__u32)((number) & (FRAME_SAMPLES_EACH - 1)))

struct frame_sample {
	__u64 version; /* odd: being written */
	__u64 number;  /* 1, 2, ... of its reason; 0: the slot was never used */
	__u64 boot_ns; /* CLOCK_BOOTTIME */
	__u16 reason;
	__u16 owner;
	__u32 size;	 /* of the frame, without the tag below */
	__u32 captured;	 /* number of its first bytes in `bytes` */
	__u16 vlan_type; /* of a tag that the kernel keeps separately, network order; 0: none */
	__u16 vlan_tci;	 /* host order */
	__u8 bytes[FRAME_SAMPLE_BYTES];
};

/* One per sampled reason, counted from FRAME_SAMPLED_FIRST. */
struct frame_sampler {
	__u64 arrival_ns; /* theoretical arrival time, CLOCK_BOOTTIME */
	__u64 n_samples;  /* number of the newest sample */
};

/* Whether the quarantine of the host has ended, and what ended it. */
enum frame_quarantine_opened {
	FRAME_QUARANTINE_CLOSED = 0,
	FRAME_QUARANTINE_LEASE,
	FRAME_QUARANTINE_DEADLINE,
};

struct frame_quarantine {
	__u64 deadline_ns; /* CLOCK_BOOTTIME; 0: there is no quarantine */
	__u64 opened_ns;   /* when the first frame passed; 0: none passed yet */
	__u32 opened_by;   /* enum frame_quarantine_opened; does not change once set */
	__u32 reserved;
};

/* The rule for datagrams to a port. */
struct frame_port {
	__u16 port; /* network order */
	__u16 rule; /* FRAME_RULE() */
};

/* Frozen .rodata of the frame programs, set before they are loaded: the verifier removes
 * what there is not. */
struct frame_config {
	__u32 uplink_ifindex;
	__u32 mark;		      /* random; a tc-mode redirect into the tap carries it */
	__u8 mac[6];		      /* of the uplink */
	__u8 pass_foreign;	      /* pass replies to us with a foreign xid to the host */
	__u8 quarantine;	      /* quarantine the host until frame_quarantine is opened */
	__u32 taps[FRAME_CALVES_MAX]; /* index of each calf's tap; 0: no such calf */
	__u32 n_ports;
	struct frame_port ports[FRAME_RULES_N];
	__u16 has_arp;
	__u16 arp_rule; /* FRAME_RULE() */
};

_Static_assert(sizeof(struct frame_rule) == 48, "frame_rule layout");
_Static_assert(sizeof(struct frame_xid) == 16 + 4 * FRAME_REPLIES_MAX, "frame_xid layout");
_Static_assert(sizeof(struct frame_reply) == 24 + FRAME_REPLY_BYTES, "frame_reply layout");
_Static_assert(sizeof(struct frame_peers) == 40, "frame_peers layout");
_Static_assert(sizeof(struct frame_watched) == 8 + 16 * FRAME_WATCHED_MAX, "frame_watched layout");
_Static_assert(sizeof(struct frame_witnessed) == 80, "frame_witnessed layout");
_Static_assert(_FRAME_OPTION_N == 8, "a power of two");
_Static_assert((int)FRAME_REQUEST_RAPID_COMMIT < (int)_FRAME_OPTION_N, "there is room for each");
_Static_assert(sizeof(struct frame_host) == 40, "frame_host layout");
_Static_assert(sizeof(struct frame_identity) == 264, "frame_identity layout");
_Static_assert(sizeof(struct frame_bucket) == 24, "frame_bucket layout");
_Static_assert(sizeof(struct frame_quarantine) == 24, "frame_quarantine layout");
_Static_assert(sizeof(struct frame_config) == 24 + 4 * (FRAME_CALVES_MAX + FRAME_RULES_N),
	       "frame_config layout");
_Static_assert(sizeof(struct frame_counter) == 24, "frame_counter layout");
_Static_assert(sizeof(struct frame_sample) == 40 + FRAME_SAMPLE_BYTES, "frame_sample layout");
_Static_assert(sizeof(struct frame_sampler) == 16, "frame_sampler layout");

#endif
