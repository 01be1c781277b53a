/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CALFPEN_PRIV_CONFINE_CONFINE_PRIVATE_H
#define CALFPEN_PRIV_CONFINE_CONFINE_PRIVATE_H

#include "userspace/priv/confine/confine.h"

/* policy.c: load the seccomp filter of a role. no_new_privs must be set. Returns 0 or a
 * negative errno, not logged. */
int confine_policy_load(enum role role, bool is_foreign);

/* landlock.c: allow creating sockets and removing files in this directory, and deny
 * opening or changing anything else in the file system. Has no effect on a kernel
 * without Landlock. no_new_privs must be set. Returns 0 or a negative errno, not
 * logged. */
int confine_landlock(int directory_fd);

#endif
