/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the state machine; client.h is the public interface.
 * client.c, receive.c and conflict.c call each other because they are one state
 * machine over one struct. */
#ifndef CALFPEN_CALF_DHCP4_CLIENT_CLIENT_PRIVATE_H
#define CALFPEN_CALF_DHCP4_CLIENT_CLIENT_PRIVATE_H

#include "userspace/calf/dhcp4/client/client.h"
#include "userspace/calf/dhcp4/client/jitter.h"

/* event->random[] by use */
enum { RANDOM_XID, RANDOM_DELAY, RANDOM_LEASE, RANDOM_CONFLICT };

/* client.c */

/* Enter INIT and continue at `at_ns`, or when the link comes up. */
void client_restart(struct client *client, uint64_t at_ns);

/* The same, but enter INFORMING if so configured, or INIT-REBOOT if there is an
 * address to request. */
void client_begin(struct client *client, uint64_t at_ns);

/* Drop the lease, if there is one; state and timer do not change. */
void client_lose(struct client *client, struct client_actions *actions);

/* Request this address first from now on, unless that is forbidden because it
 * identifies the host. */
void client_ask_for(struct client *client, struct in_addr address, bool may_reboot);

/* Return the random delay before an exchange begins. */
uint64_t client_start_delay_ns(const struct client *client, const struct client_event *event);

/* Return how long to wait after `n_before` failures and another one: from
 * `first_s` to twice as long, doubled for each earlier failure, at most
 * CLIENT_DELAY_MAX_S. */
uint64_t client_growing_delay_ns(uint32_t first_s, uint32_t n_before, uint32_t random);

/* send.c: send one message and set the time to continue if there is no answer.
 * Messages that begin an exchange of their own draw an xid. */
void client_send_discover(struct client *client, const struct client_event *event,
			  struct client_actions *actions);
void client_send_request(struct client *client, const struct client_event *event,
			 struct client_actions *actions);
void client_send_reboot(struct client *client, const struct client_event *event,
			struct client_actions *actions);
void client_send_renewal(struct client *client, const struct client_event *event,
			 struct client_actions *actions);
/* The same renewal again, in a form whose way to the server and back needs
 * neither the address nor a route nor ARP on the host. */
void client_send_broadcast_renewal(struct client *client, const struct client_event *event,
				   struct client_actions *actions);
void client_send_inform(struct client *client, const struct client_event *event,
			struct client_actions *actions);
void client_send_decline(struct client *client, const struct client_event *event,
			 struct client_actions *actions);
void client_send_release(struct client *client, const struct client_event *event,
			 struct client_actions *actions);

/* receive.c: handle the event's message, or set why it is discarded. */
void client_receive(struct client *client, const struct client_event *event,
		    struct client_actions *actions);

/* conflict.c: from the ACK to the end of the lease. */

/* Use the address, at once or after it was probed. `is_configured`: the host
 * has it already, so there is no need to wait. */
void client_conflict_begin(struct client *client, const struct client_event *event,
			   bool is_configured, struct client_actions *actions);
void client_conflict_timeout(struct client *client, const struct client_event *event,
			     struct client_actions *actions);
void client_conflict_receive(struct client *client, const struct client_event *event,
			     struct client_actions *actions);

#endif
