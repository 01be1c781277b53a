/* SPDX-License-Identifier: Apache-2.0 */
/* The part of message_parse() that parses the network parameters. */
#ifndef CALFPEN_CALF_DHCP4_MESSAGE_PARAMETERS_H
#define CALFPEN_CALF_DHCP4_MESSAGE_PARAMETERS_H

#include "userspace/calf/dhcp4/message/message.h"
#include "userspace/calf/dhcp4/message/options.h"

/* Fill *parameters, which must be zero. `own` is the address that they are
 * for. */
void parameters_parse(const struct options *options, const struct message_policy *policy,
		      struct in_addr own, struct message_parameters *parameters);

#endif
