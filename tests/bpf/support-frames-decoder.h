/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second decoder, to compare the frame programs with. It shares nothing
 * with them but the names of the reasons, decodes the whole frame first and
 * judges then, and keeps what they keep: xids, peers, watched addresses.
 * Rates are not limited, and there is no client identifier. What the kernel has
 * witnessed is given to it: test-frames-witness-parser.c compares that.
 */
#ifndef CALFPEN_TESTS_BPF_SUPPORT_FRAMES_DECODER_H
#define CALFPEN_TESTS_BPF_SUPPORT_FRAMES_DECODER_H

#include <stdbool.h>
#include <stdint.h>

#include "maps/frame.h"
#include "tests/bpf/support-frames-grammar.h"

/* A reply that was let in: the IPv4 packet as it was. */
struct frames_decoder_reply {
	uint64_t request; /* the number of the request that it answers */
	uint32_t size;	  /* from the source address to the end of the datagram */
	uint8_t bytes[GRAMMAR_FRAME_MAX];
};

/* All zero, but mac, pass_foreign and is_closed, is a filter that has seen nothing. Addresses
 * and xids in host order. */
struct frames_decoder {
	uint8_t mac[6];
	bool pass_foreign; /* replies to us with a foreign xid */
	bool is_closed;	   /* in quarantine */
	uint64_t xid_ends[FRAME_XIDS_MAX];
	int64_t xids[FRAME_XIDS_MAX];
	uint64_t requests[FRAME_XIDS_MAX]; /* the number of the last request with the xid */
	uint64_t n_requests;
	uint32_t n_replies[FRAME_XIDS_MAX]; /* let in since */
	/* The last 8 of an xid; every fourth slot uses the same room. */
	struct frames_decoder_reply replies[4][8];
	int64_t peers[FRAME_PEERS_MAX];
	uint32_t next_peer;
	int64_t watched[FRAME_WATCHED_MAX];
	uint64_t probing_ends[FRAME_WATCHED_MAX];
	uint32_t next_watched;
	int64_t leased;	   /* 0: none */
	bool has_identity; /* of the first request: option 61 with its length, or none */
	uint8_t identity[256];
	int64_t identity_size;
	struct frame_witness witness;
	bool is_unsure; /* a deadline is too near to say on which side of it we are */
};

extern struct frames_decoder decoder;

/* The reason (enum frame_reason) of a frame that arrives on the uplink, or that
 * the calf writes; remembers what it says. */
uint32_t frames_decoder_in(const struct grammar_frame *frame);
uint32_t frames_decoder_out(const struct grammar_frame *frame);

#endif
