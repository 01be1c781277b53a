/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The watcher's side of a reload of chronyd's sources: the watcher asks the
 * supervisor for it and never waits; the result arrives later.
 */
#ifndef CALFPEN_PRIV_WATCHER_CHRONY_H
#define CALFPEN_PRIV_WATCHER_CHRONY_H

#include "userspace/priv/handlers/handler.h"

/* Set context->chrony, so that the handlers can request a reload. Discards
 * results that belong to a previous run; each run sends its own request. */
void watcher_chrony_init(struct handler_context *context);
/* Read the results that have arrived. Returns true if one of them is not what the
 * handler knew already, so that it has to run. */
bool watcher_chrony_take(struct handler_context *context);

#endif
