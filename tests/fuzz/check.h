/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by all fuzzers: a condition whose failure is a finding. */
#ifndef CALFPEN_TESTS_FUZZ_CHECK_H
#define CALFPEN_TESTS_FUZZ_CHECK_H

#include <stdlib.h>

#define CHECK(_condition)          \
	do {                       \
		if (!(_condition)) \
			abort();   \
	} while (0)

#endif
