/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's host name and domain name, by /proc/sys/kernel: setdomainname(2)
 * asks for CAP_SYS_ADMIN, the file for uid 0 only. The instances of a host
 * share them: the one with the lowest metric has its way. What was there
 * before the first is kept in RUN_ROOT and put back after the last, unless
 * somebody else has changed it since.
 */
#ifndef CALFPEN_PRIV_HANDLERS_NAME_H
#define CALFPEN_PRIV_HANDLERS_NAME_H

#include "userspace/priv/handlers/handler.h"

#define NAME_LENGTH_MAX 64 /* __NEW_UTS_LEN: the kernel cuts, and says nothing */

enum name { NAME_HOST = 0, NAME_DOMAIN };

/*
 * What this instance wants: a host name that was checked, or NULL. A name
 * that is too long is not set, and a kernel that lets nobody set it (a
 * read-only /proc/sys) is no failure: both are noted. 0, or a negative errno
 * as handler_fail().
 */
int name_set(struct handler_context *context, enum name which, const char *name);

#endif
