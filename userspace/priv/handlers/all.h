/* SPDX-License-Identifier: Apache-2.0 */
/* All handlers. */
#ifndef CALFPEN_PRIV_HANDLERS_ALL_H
#define CALFPEN_PRIV_HANDLERS_ALL_H

#include "userspace/priv/handlers/handler.h"

#define HANDLERS_ALL_N 7

/* In the order of calls. */
extern const struct handler *const handlers_all[HANDLERS_ALL_N];

#endif
