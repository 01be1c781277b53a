/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the state machine share; client.h is what others see. */
#ifndef CALFPEN_CALF_DHCP4_CLIENT_CLIENT_PRIVATE_H
#define CALFPEN_CALF_DHCP4_CLIENT_CLIENT_PRIVATE_H

#include "userspace/calf/dhcp4/client/client.h"
#include "userspace/calf/dhcp4/client/jitter.h"

/* event->random[] by use */
enum { RANDOM_XID, RANDOM_DELAY, RANDOM_LEASE, RANDOM_CONFLICT };

/* client.c */

/* INIT at `at_ns`, or when the link is up. */
void client_restart(struct client *client, uint64_t at_ns);

/* The same, but INIT-REBOOT if there is something to ask for, or INFORMING. */
void client_begin(struct client *client, uint64_t at_ns);

/* The lease, if there is one, is not ours any more; state and timer stay. */
void client_lose(struct client *client, struct client_actions *actions);

/* Begin with this address from now on; unless that tells who we are. */
void client_ask_for(struct client *client, struct in_addr address, bool may_reboot);

/* The random delay before an exchange begins. */
uint64_t client_start_delay_ns(const struct client *client, const struct client_event *event);

/* How long to wait after `n_before` failures and another: from the first
 * delay up to twice as long, doubling, up to CLIENT_DELAY_MAX_S. */
uint64_t client_growing_delay_ns(uint32_t first_s, uint32_t n_before, uint32_t random);

/* send.c: one message, and when to go on if nothing comes of it. Those
 * that begin an exchange of their own draw an xid. */
void client_send_discover(struct client *client, const struct client_event *event,
			  struct client_actions *actions);
void client_send_request(struct client *client, const struct client_event *event,
			 struct client_actions *actions);
void client_send_reboot(struct client *client, const struct client_event *event,
			struct client_actions *actions);
void client_send_renewal(struct client *client, const struct client_event *event,
			 struct client_actions *actions);
void client_send_inform(struct client *client, const struct client_event *event,
			struct client_actions *actions);
void client_send_decline(struct client *client, const struct client_event *event,
			 struct client_actions *actions);
void client_send_release(struct client *client, const struct client_event *event,
			 struct client_actions *actions);

/* receive.c: take the event's message, or say why not. */
void client_receive(struct client *client, const struct client_event *event,
		    struct client_actions *actions);

/* conflict.c: from the ACK to the end of the lease. */

/* The address is used, at once or when it has been probed. `is_configured`:
 * the host has it already, so there is nothing to wait for. */
void client_conflict_begin(struct client *client, const struct client_event *event,
			   bool is_configured, struct client_actions *actions);
void client_conflict_timeout(struct client *client, const struct client_event *event,
			     struct client_actions *actions);
void client_conflict_receive(struct client *client, const struct client_event *event,
			     struct client_actions *actions);

#endif
