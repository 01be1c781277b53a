/* SPDX-License-Identifier: Apache-2.0 */
/* A response of the store that a test does not look at. */
#ifndef CALFPEN_TESTS_UNIT_IGNORE_RESPONSE_H
#define CALFPEN_TESTS_UNIT_IGNORE_RESPONSE_H

#include "userspace/calf/sdk/calf.h"

static inline void ignore_response(struct calf *calf, int status, const char *text, size_t length,
				   void *data)
{
	(void)calf;
	(void)status;
	(void)text;
	(void)length;
	(void)data;
}

#endif
