/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's connected route of the leased address. An address that an older version or a
 * former client has set comes with one. It is removed when ours stands, unless the address
 * is still another program's; the address is not set anew, because its removal would end the
 * connections that are masqueraded with it.
 */
#ifndef CALFPEN_PRIV_HANDLERS_KERNELS_ROUTE_H
#define CALFPEN_PRIV_HANDLERS_KERNELS_ROUTE_H

#include "userspace/priv/handlers/handler.h"
#include "userspace/priv/handlers/route_plan.h"

/* Remove it if the planned connected route, which must be set, takes its place. The kernel
 * adds it again when the link goes up. Returns 0, also if there is none, or a negative errno
 * as handler_fail(). */
int kernels_route_remove(struct handler_context *context, const struct route_plan *plan);

#endif
