/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of `calfpen frames`: reading the samples that the frame programs
 * took (samples.c), naming the calves that they belong to (owners.c), decoding them
 * (decode.c), printing them as text (text.c) and as JSON (json.c), and writing
 * captures for other tools (pcap.c). All but the first are pure. The bytes of a
 * frame come from the network and are untrusted.
 */
#ifndef CALFPEN_CLI_FRAMES_FRAMES_H
#define CALFPEN_CLI_FRAMES_FRAMES_H

#include <jansson.h>
#include <netinet/in.h>
#include <stddef.h>

#include "maps/frame.h"
#include "userspace/cli/cli.h"
#include "userspace/cli/frames/samples.h"

/* owners.c */

/* The calves with frame rules, by owner (maps/frame.h, "several calves"). */
struct frames_owners {
	unsigned int n;			  /* calves that are named */
	char names[FRAME_OWNERS_MAX][32]; /* "": there is none, or it is not known */
};

/* Take the names from state.json; `state` may be NULL. */
void frames_owners_init(struct frames_owners *owners, const json_t *state);
/* Return the name of the calf, or NULL if it is not known or the frame is of no calf. */
const char *frames_owner(const struct frames_owners *owners, uint32_t owner);

/* decode.c */

#define FRAMES_VLANS_MAX 2

/* Headers that are complete. */
enum frames_header {
	FRAMES_ETHERNET = 1 << 0,
	FRAMES_ARP = 1 << 1,
	FRAMES_IPV4 = 1 << 2,
	FRAMES_IPV6 = 1 << 3,
	FRAMES_UDP = 1 << 4,
	FRAMES_DHCP4 = 1 << 5,
};

struct frames_summary {
	unsigned int headers; /* enum frames_header; only these members are set below */
	bool is_cut;	      /* decoding ended where the sample was truncated */
	const char *problem;  /* the first error in the frame, or NULL */
	/* Set by the caller after decoding: the frame is from the calf, which
	 * leaves it to the filter to find the next hop's MAC. */
	bool is_from_calf;
	size_t size;
	uint8_t destination[6], source[6];
	uint8_t n_vlans;
	uint16_t vlans[FRAMES_VLANS_MAX]; /* identifiers, the outer one first; 0: none */
	uint8_t priorities[FRAMES_VLANS_MAX];
	uint16_t type; /* EtherType after the tags */
	struct {
		uint16_t operation;
		uint8_t sender_mac[6], target_mac[6];
		struct in_addr sender, target;
	} arp;
	struct {
		struct in_addr source, destination;
		uint8_t protocol;
		bool is_fragment;
		uint16_t offset; /* octets, of a fragment */
	} ipv4;
	struct {
		struct in6_addr source, destination;
		uint8_t next_header;
	} ipv6;
	struct {
		uint16_t source, destination;
	} udp;
	struct {
		uint8_t op;
		uint8_t type; /* option 53; 0: none */
		uint32_t xid;
		struct in_addr ciaddr, yiaddr, giaddr;
		struct in_addr requested, server; /* options 50 and 54; 0: none */
		uint8_t chaddr[6];
	} dhcp4;
};

/* Decode the first `captured` bytes of a frame of `size` bytes into `summary`,
 * which points to no memory but constants. */
void frames_decode(struct frames_summary *summary, const uint8_t *bytes, size_t captured,
		   size_t size);

/* text.c */

#define FRAMES_TEXT_SIZE 512

/* Describe the frame in one printable line without newline. FRAMES_TEXT_SIZE is
 * enough for the longest. */
void frames_text(const struct frames_summary *summary, char text[static FRAMES_TEXT_SIZE]);
/* Format a MAC address. The result is valid for three further calls. */
const char *frames_text_mac(const uint8_t mac[6]);
/* Return the name of a DHCP message type, or NULL if it has none. */
const char *frames_text_type(uint8_t type);
/* Return the name of a reason (FRAME_*), or "unknown". */
const char *frames_text_reason(uint32_t reason);
/* Return the verdict that a reason implies: "dropped", ... */
const char *frames_text_verdict(uint32_t reason);
/* Return the direction that a reason implies: "in", "out" or "host". */
const char *frames_text_direction(uint32_t reason);

/* json.c: make the object of a frame. Returns it for the caller to release, or
 * NULL if out of memory. */
json_t *frames_json(const struct frame_sample *sample, const struct frames_summary *summary,
		    uint64_t wall_ns);

/* pcap.c: pcapng blocks for Ethernet frames with nanosecond time stamps. Each
 * function writes into `block` and returns the size in bytes. */

#define FRAMES_PCAP_SIZE 1024

/* Write the start of a capture; `interface` is the name of the interface. */
size_t frames_pcap_begin(uint8_t block[static FRAMES_PCAP_SIZE], const char *interface);
/* Write a frame with its direction, and its verdict and reason as a comment. */
size_t frames_pcap_frame(uint8_t block[static FRAMES_PCAP_SIZE], const struct frame_sample *sample,
			 uint64_t wall_ns);

#endif
