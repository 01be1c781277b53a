/* SPDX-License-Identifier: Apache-2.0 */
/* What the supervisor has from whoever started it. */
#ifndef CALFPEN_PRIV_SUPERVISOR_CALLER_H
#define CALFPEN_PRIV_SUPERVISOR_CALLER_H

#include "userspace/priv/options.h"

/*
 * Keep nothing of the caller that nobody has meant to hand over: close all descriptors but
 * 0, 1, 2 and the one that --audit names, leave its directory for "/", and create files for
 * nobody else. Call this first. Returns 0, or a negative errno, logged.
 */
int caller_leave(const struct options *options);

#endif
