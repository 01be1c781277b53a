/* SPDX-License-Identifier: Apache-2.0 */
/* Routes out of options 121, 249 (RFC 3442) and 33 (RFC 2132 5.8). */
#ifndef CALFPEN_CALF_DHCP4_MESSAGE_ROUTES_H
#define CALFPEN_CALF_DHCP4_MESSAGE_ROUTES_H

#include "userspace/calf/dhcp4/message/message.h"
#include "userspace/calf/dhcp4/message/options.h"

/*
 * Option 121 or 249 into gateway and routes. `own` is the address that is
 * leased: a route by it, by its own destination or by 0.0.0.0 is on-link. True
 * if the option is well-formed, and then it replaces 3 and 33 even if it holds
 * no default route; false, with nothing written, if it is empty, has a width
 * above 32 or a partial tail. Routes by an impossible router are
 * left out; those beyond the limit are counted in n_left_out.
 */
bool routes_parse_classless(const struct option *option, struct in_addr own,
			    struct message_parameters *parameters);

/* Option 33, appended to the routes. A destination without host bits is its
 * class's network, any other a host; 0.0.0.0 is illegal and left out. */
void routes_parse_static(const struct option *option, struct in_addr own,
			 struct message_parameters *parameters);

/* Length of the prefix of an address's class (RFC 791); 32 above class C. */
uint8_t routes_class_prefix(struct in_addr address);

#endif
