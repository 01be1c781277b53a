/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to a gate as a gateway that was taken over might send them: of every verb,
 * well-formed, then up to three times changed anywhere: in headers, paths, values, in
 * what is behind values and changes, in counts and sizes. The same seed of the
 * generator (support-frames-grammar.h) makes the same requests.
 */
#ifndef CALFPEN_TESTS_BPF_SUPPORT_GATE_REQUESTS_H
#define CALFPEN_TESTS_BPF_SUPPORT_GATE_REQUESTS_H

#include <stdint.h>

#include "maps/kv.h"

#define HOSTILE_UNTOUCHED 0xaa /* in kv_request.text, until there is an answer */

struct hostile_request {
	struct kv_request request; /* of `bytes` */
	_Alignas(8) unsigned char bytes[KV_REQUEST_MAX + 4096];
	/* while it is made */
	uint32_t size;
	uint32_t at[KV_CHANGES_MAX]; /* offsets of its changes */
	uint32_t n;
};

void hostile_request_draw(struct hostile_request *hostile);

/* Send it to a gate. Returns the verdict; `request` has the answer. It makes no other
 * system call than bpf(2). */
int hostile_request_send(int gate_fd, struct hostile_request *hostile);

/* The offset of the change number `i` of the request, as far as its bytes tell, or
 * UINT32_MAX. */
uint32_t hostile_request_change(const struct hostile_request *hostile, uint32_t i);

/* Call `note` for each commit that a request which was accepted has made. */
void hostile_request_each_commit(const struct hostile_request *hostile,
				 void (*note)(uint64_t revision, uint32_t n_changes));

/* From a text, such as the id of a commit; never 0. */
uint64_t hostile_request_seed(const char *text);

#endif
