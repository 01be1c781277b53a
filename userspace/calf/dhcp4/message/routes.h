/* SPDX-License-Identifier: Apache-2.0 */
/* Routes from options 121, 249 (RFC 3442) and 33 (RFC 2132 5.8). */
#ifndef CALFPEN_CALF_DHCP4_MESSAGE_ROUTES_H
#define CALFPEN_CALF_DHCP4_MESSAGE_ROUTES_H

#include "userspace/calf/dhcp4/message/message.h"
#include "userspace/calf/dhcp4/message/options.h"

/*
 * Parse option 121 or 249, `code`, into gateway and routes. `own` is the leased
 * address: a route via it, via its own destination or via 0.0.0.0 is on-link.
 * Returns true if the option is well-formed; then it replaces 3 and 33 even if
 * it has no default route. Returns false, with only a flaw written, if it has a
 * width above 32 or an incomplete end, and without one if it is empty. Routes via
 * an impossible router are omitted, which is a flaw; those beyond the limit are
 * counted in n_left_out. Further default routes have spare routers.
 */
bool routes_parse_classless(const struct option *option, uint8_t code, struct in_addr own,
			    struct message_parameters *parameters);

/* Add a router to those that may be used: the first one is the gateway. */
void routes_add_router(struct message_parameters *parameters, struct in_addr router);

/*
 * Remove routers, and routes via them, that cannot be one in the subnet of
 * `own`: its own and its broadcast address, and `own` itself. A spare one
 * becomes the gateway. Each is a flaw; is_router is set for `own`. `own` 0.0.0.0 or
 * `prefix_length` 0: the subnet is unknown.
 */
void routes_fit(struct message_parameters *parameters, struct in_addr own, uint8_t prefix_length);

/* Parse option 33 and append its routes. A destination without host bits is the
 * network of its class, any other one is a host; 0.0.0.0 is illegal and
 * omitted, which is a flaw. */
void routes_parse_static(const struct option *option, struct in_addr own,
			 struct message_parameters *parameters);

#endif
