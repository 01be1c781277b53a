/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The step budget: all foreign bytes are read by bytes.h, so its calls are the
 * steps of a parser. The linker puts a counter before each of them
 * (mk/fuzz.mk); a parser that takes more steps than it may is a finding, long
 * before it is a slow one.
 */
#ifndef CALFPEN_TESTS_FUZZ_STEPS_H
#define CALFPEN_TESTS_FUZZ_STEPS_H

#include <stdint.h>

/* Begin to count; abort() at the step after `most`. */
void steps_begin(uint64_t most);

/* Steps so far. */
uint64_t steps_taken(void);

#endif
