/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames out of a grammar: DHCPv4 and ARP of client and server with most
 * fields right and some not, tags, options, lengths that lie, padding, cuts,
 * flipped bits, and replies that come again. The same seed makes the same frames.
 */
#ifndef CALFPEN_TESTS_BPF_SUPPORT_FRAMES_GRAMMAR_H
#define CALFPEN_TESTS_BPF_SUPPORT_FRAMES_GRAMMAR_H

#include <stdbool.h>
#include <stdint.h>

#define GRAMMAR_FRAME_MAX 1700

struct grammar_frame {
	uint8_t bytes[GRAMMAR_FRAME_MAX + 128];
	uint32_t size; /* at least what BPF_PROG_RUN takes for a tc program */
};

/* Restart the generator. The seed must not be 0. */
void grammar_seed(uint64_t seed);

/* A number below n; true once in n times. */
uint32_t grammar_draw(uint32_t n);
bool grammar_once_in(uint32_t n);

/* A frame as the client `mac` gets (is_in) or sends it. */
void grammar_draw_frame(struct grammar_frame *frame, const uint8_t mac[6], bool is_in);

/* The folded sum of the pseudo-header of an IPv4 packet with UDP, as a sender
 * with an offload leaves it. */
uint32_t grammar_pseudo_sum(const uint8_t *ip, uint32_t udp_length);

#endif
