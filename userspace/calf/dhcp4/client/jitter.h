/* SPDX-License-Identifier: Apache-2.0 */
/* Random variation of times, for both state machines. */
#ifndef CALFPEN_CALF_DHCP4_CLIENT_JITTER_H
#define CALFPEN_CALF_DHCP4_CLIENT_JITTER_H

#include <stdint.h>

/* Return a time evenly distributed from `from` up to just below `to`, using 24
 * of the 32 random bits. */
static inline uint64_t jitter(uint64_t from, uint64_t to, uint32_t random)
{
	uint64_t width = to - from, part = random >> 8;

	/* width * part / 2^24 without overflow */
	return from + (width >> 24) * part + ((width & 0xffffff) * part >> 24);
}

#endif
