/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's host name and domain name, set through /proc/sys/kernel:
 * setdomainname(2) requires CAP_SYS_ADMIN, the file only uid 0. The instances of
 * a host share them: the one with the lowest metric wins. The original name is
 * saved in RUN_ROOT before the first change and restored when no instance wants
 * one, unless another program has changed it since.
 */
#ifndef CALFPEN_PRIV_HANDLERS_NAME_H
#define CALFPEN_PRIV_HANDLERS_NAME_H

#include "userspace/priv/handlers/handler.h"

#define NAME_LENGTH_MAX 64 /* __NEW_UTS_LEN; the kernel truncates silently */

enum name { NAME_HOST = 0, NAME_DOMAIN };

/*
 * Set the name that this instance wants: that of the first provider (provider.h) that has a
 * valid one in the family; NULL: none. Of a host name that is too long, only the first label is
 * used; a domain name that is, or a /proc/sys that is read-only, is no failure but adds a note.
 * Returns 0, or a negative errno as handler_fail(), -EBADMSG for a value that is no host name: if
 * no provider has a valid one, the present name stays.
 */
int name_set(struct handler_context *context, enum name which, const struct wanted *wanted,
	     const char *family, bool is_leased);

#endif
