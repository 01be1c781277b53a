/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CALFPEN_TESTS_BPF_SUPPORT_FRAMES_HEADER_H
#define CALFPEN_TESTS_BPF_SUPPORT_FRAMES_HEADER_H

#include <stdint.h>

#include "tests/bpf/support-frames.h"

/* Set the checksum of an IP header without options (RFC 1071), without which a reply is not
 * kept. */
static inline void frames_sum_header(uint8_t *frame)
{
	uint32_t sum = 0;

	frame[AT_IP_CHECKSUM] = frame[AT_IP_CHECKSUM + 1] = 0;
	for (int i = AT_IP; i < AT_UDP_SOURCE; i += 2)
		sum += (uint32_t)(frame[i] << 8 | frame[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ((sum & 0xffff) + (sum >> 16)) ^ 0xffff;
	frame[AT_IP_CHECKSUM] = (uint8_t)(sum >> 8);
	frame[AT_IP_CHECKSUM + 1] = (uint8_t)sum;
}

#endif
