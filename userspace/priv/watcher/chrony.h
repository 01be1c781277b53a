/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The watcher's side of a reload of chronyd's sources: the supervisor is asked
 * for it, never waited for; what came of it arrives later.
 */
#ifndef CALFPEN_PRIV_WATCHER_CHRONY_H
#define CALFPEN_PRIV_WATCHER_CHRONY_H

#include "userspace/priv/handlers/handler.h"

/* The handlers can ask from here on. What a former life asked for is read and
 * forgotten: each life asks anew. */
void watcher_chrony_init(struct handler_context *context);
/* Take what has come: true if the handler has something new to tell. */
bool watcher_chrony_take(struct handler_context *context);

#endif
