/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The step budget: all untrusted bytes are read with bytes.h, so its calls are the
 * steps of a parser. The linker inserts a counter before each of them (mk/fuzz.mk).
 * A parser that exceeds its budget is a finding, long before it is slow.
 */
#ifndef CALFPEN_TESTS_FUZZ_STEPS_H
#define CALFPEN_TESTS_FUZZ_STEPS_H

#include <stdint.h>

/* Start to count. Calls abort() at the step after `most`. */
void steps_begin(uint64_t most);

/* Steps so far. */
uint64_t steps_taken(void);

#endif
