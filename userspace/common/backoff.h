/* SPDX-License-Identifier: Apache-2.0 */
/* How long to wait before the next attempt after failures in a row. */
#ifndef CALFPEN_COMMON_BACKOFF_H
#define CALFPEN_COMMON_BACKOFF_H

#include <stdint.h>

#include "userspace/common/clock.h"

/* The limits for everything in priv that retries calls of the kernel or the
 * store. */
#define BACKOFF_MIN_NS NS_PER_S
#define BACKOFF_MAX_NS (60 * NS_PER_S)

/*
 * Return the wait after the `n_failures`-th failure in a row (counted from 1):
 * `min_ns`, doubled for each further failure, `max_ns` at most.
 */
uint64_t backoff_ns(uint32_t n_failures, uint64_t min_ns, uint64_t max_ns);

#endif
