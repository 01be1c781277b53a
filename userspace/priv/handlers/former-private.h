/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by former.c and former_begin.c. */
#ifndef CALFPEN_PRIV_HANDLERS_FORMER_PRIVATE_H
#define CALFPEN_PRIV_HANDLERS_FORMER_PRIVATE_H

#include "userspace/priv/handlers/former.h"

/* Fail as handler_fail(). */
int former_fail_read(struct handler_context *context, int error);
/* Write the file that tells the next watcher; a failure is logged. */
void former_save(const struct handler_context *context, const struct former_state *state);
/* Find an address that was there at the start. Returns NULL if it was not. */
const struct former_address *former_find_address(const struct former_state *state,
						 struct in_addr address);

#endif
