/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of `calfpen frames`: samples as the frame programs left them
 * (frames_samples.c), what their bytes say (frames_decode.c) in words
 * (frames_text.c) and as JSON (frames_json.c), and captures that other tools
 * read (frames_pcap.c). All but the first are pure. The bytes are the
 * network's: anything.
 */
#ifndef CALFPEN_CLI_FRAMES_FRAMES_H
#define CALFPEN_CLI_FRAMES_FRAMES_H

#include <jansson.h>
#include <netinet/in.h>
#include <stddef.h>

#include "maps/frame.h"
#include "userspace/cli/cli.h"
#include "userspace/cli/frames/samples.h"

/* frames_decode.c */

#define FRAMES_VLANS_MAX 2

/* Headers that were whole. */
enum frames_header {
	FRAMES_ETHERNET = 1 << 0,
	FRAMES_ARP = 1 << 1,
	FRAMES_IPV4 = 1 << 2,
	FRAMES_IPV6 = 1 << 3,
	FRAMES_UDP = 1 << 4,
	FRAMES_DHCP4 = 1 << 5,
};

struct frames_summary {
	unsigned int headers; /* enum frames_header; what follows is of those only */
	bool is_cut;	      /* more of it is not known: the rest was not kept */
	const char *problem;  /* what is wrong with the frame first, or NULL */
	size_t size;
	uint8_t destination[6], source[6];
	uint8_t n_vlans;
	uint16_t vlans[FRAMES_VLANS_MAX]; /* identifiers, the outer one first */
	uint16_t type;			  /* EtherType behind the tags */
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

/* `bytes` are the first `captured` of a frame of `size` bytes. */
void frames_decode(struct frames_summary *summary, const uint8_t *bytes, size_t captured,
		   size_t size);

/* frames_text.c */

#define FRAMES_TEXT_SIZE 512

/* In one line, without newline, printable, and never cut. */
void frames_text(const struct frames_summary *summary, char text[static FRAMES_TEXT_SIZE]);
/* Addresses as text, alive for three further calls. */
const char *frames_text_mac(const uint8_t mac[6]);
/* Names, or NULL where a number has none. */
const char *frames_text_type(uint8_t type);
/* Of a reason. */
const char *frames_text_reason(uint32_t reason);
const char *frames_text_verdict(uint32_t reason);
const char *frames_text_direction(uint32_t reason);

/* frames_json.c: one object, the caller's; NULL without memory */
json_t *frames_json(const struct frame_sample *sample, const struct frames_summary *summary,
		    uint64_t wall_ns);

/* frames_pcap.c: pcapng blocks of Ethernet frames with nanoseconds; into
 * `block`, their size is returned */

#define FRAMES_PCAP_SIZE 1024

/* What a capture begins with: `interface` names what it is of. */
size_t frames_pcap_begin(uint8_t block[static FRAMES_PCAP_SIZE], const char *interface);
/* A frame, its direction, and verdict and reason as the comment. */
size_t frames_pcap_frame(uint8_t block[static FRAMES_PCAP_SIZE], const struct frame_sample *sample,
			 uint64_t wall_ns);

#endif
