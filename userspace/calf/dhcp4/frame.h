/* SPDX-License-Identifier: Apache-2.0 */
/* Frames around the messages and ARP packets that the state machine sends. */
#ifndef CALFPEN_CALF_DHCP4_FRAME_H
#define CALFPEN_CALF_DHCP4_FRAME_H

#include "userspace/calf/dhcp4/client/client.h"
#include "userspace/calf/sdk/calf.h"

#define DHCP4_SERVER_PORT 67
#define DHCP4_CLIENT_PORT 68

/* Send the message in `actions`. Errors are logged and counted; the state
 * machine retransmits the message. */
void frame_send_message(struct calf *calf, const struct message_sender *sender,
			const struct client_actions *actions);

/* Send an ARP probe or announcement; errors as above. */
void frame_send_arp(struct calf *calf, const struct arp_frame *arp);

#endif
