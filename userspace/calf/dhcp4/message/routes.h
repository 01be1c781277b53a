/* SPDX-License-Identifier: Apache-2.0 */
/* Routes from options 121, 249 (RFC 3442) and 33 (RFC 2132 5.8). */
#ifndef CALFPEN_CALF_DHCP4_MESSAGE_ROUTES_H
#define CALFPEN_CALF_DHCP4_MESSAGE_ROUTES_H

#include "userspace/calf/dhcp4/message/message.h"
#include "userspace/calf/dhcp4/message/options.h"

/*
 * Parse option 121 or 249 into gateway and routes. `own` is the leased address:
 * a route via it, via its own destination or via 0.0.0.0 is on-link. Returns
 * true if the option is well-formed; then it replaces 3 and 33 even if it has
 * no default route. Returns false, with nothing written, if it is empty, has a
 * width above 32 or an incomplete end. Routes via an impossible router are
 * omitted; those beyond the limit are counted in n_left_out.
 */
bool routes_parse_classless(const struct option *option, struct in_addr own,
			    struct message_parameters *parameters);

/* Parse option 33 and append its routes. A destination without host bits is the
 * network of its class, any other one is a host; 0.0.0.0 is illegal and
 * omitted. */
void routes_parse_static(const struct option *option, struct in_addr own,
			 struct message_parameters *parameters);

/* Return the prefix length of an address's class (RFC 791); 32 above class
 * C. */
uint8_t routes_class_prefix(struct in_addr address);

#endif
