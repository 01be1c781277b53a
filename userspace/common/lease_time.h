/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a lease lasts whose server says too little about it: the client counts
 * in this way, and the watcher when it checks what the client says.
 */
#ifndef CALFPEN_COMMON_LEASE_TIME_H
#define CALFPEN_COMMON_LEASE_TIME_H

#include <stdint.h>

#define LEASE_TIME_MIN_S 30
#define LEASE_TIME_FALLBACK_S 3600 /* default of the option fallback_lease */

/* Return the seconds that a lease lasts: `time_s` of option 51; if that is 0 or
 * missing (0), `fallback_s`, and if that is 0, too, the default. It is at least
 * LEASE_TIME_MIN_S. */
static inline uint32_t lease_time_used(uint32_t time_s, uint32_t fallback_s)
{
	if (time_s == 0)
		time_s = fallback_s;
	if (time_s == 0)
		time_s = LEASE_TIME_FALLBACK_S;
	return time_s < LEASE_TIME_MIN_S ? LEASE_TIME_MIN_S : time_s;
}

#endif
