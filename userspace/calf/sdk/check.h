/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a calf does if it is executed with CALF_CHECK_ARGUMENT alone: it says whether it
 * would refuse the values of its keys, before an instance is started with them. It has
 * no descriptors but 0 and 1 then, and no rights.
 */
#ifndef CALFPEN_CALF_SDK_CHECK_H
#define CALFPEN_CALF_SDK_CHECK_H

#include "userspace/calf/sdk/keys.h"
#include "userspace/common/calf_check.h"

/*
 * Read lines "PATH=VALUE" from descriptor 0 and give each of the keys path(0) ..
 * path(n_keys - 1) its value, or CALF_NOT_FOUND, as keys_read() does; then call `done`,
 * which returns 0 or a negative errno, logged. Lines of other keys are ignored. Writes
 * the error that was logged last to descriptor 1. Returns the exit code of the calf,
 * an enum calf_check_exit.
 */
int check_keys(const char *(*path)(unsigned int i), unsigned int n_keys, keys_value_fn value,
	       int (*done)(void *data), void *data);

#endif
