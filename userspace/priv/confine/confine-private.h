/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CALFPEN_PRIV_CONFINE_CONFINE_PRIVATE_H
#define CALFPEN_PRIV_CONFINE_CONFINE_PRIVATE_H

#include "userspace/priv/confine/confine.h"

/* policy.c: load the filter of a role. no_new_privs is set already.
 * 0 or a negative errno, not logged. */
int confine_policy_load(enum role role, bool needs_sys_admin);

/* landlock.c: of the file system, sockets may be made and files be
 * removed in this directory, and nothing else be opened or changed; without
 * effect where the kernel has no Landlock. no_new_privs is set already. 0 or a
 * negative errno, not logged. */
int confine_landlock(int directory_fd);

#endif
