/* SPDX-License-Identifier: Apache-2.0 */
/* What the link handler leaves to the route handler. */
#ifndef CALFPEN_PRIV_HANDLERS_LINK_H
#define CALFPEN_PRIV_HANDLERS_LINK_H

#include "userspace/priv/handlers/handler.h"

/*
 * Returns the MTU that routes through the uplink must have because the device
 * cannot: IPv6 requires at least 1280 of a device. 0: none, also if the uplink
 * cannot be read.
 */
uint32_t link_route_mtu(struct handler_context *context, const struct wanted *wanted);

#endif
