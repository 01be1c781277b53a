/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the agent share. */
#ifndef CALFPEN_CALF_DHCP4_AGENT_PRIVATE_H
#define CALFPEN_CALF_DHCP4_AGENT_PRIVATE_H

#include "userspace/calf/dhcp4/agent.h"

/* agent.c: give the client this event, of which only the type and what
 * belongs to it are set, and do what it says. Returns why the message was
 * discarded. */
enum reason agent_step(struct agent *agent, struct client_event *event);

/* frame.c */

/* What the actions have to send. */
void agent_send(struct agent *agent, const struct client_actions *actions);

/* A frame that arrived; calf_frame_fn, `data` is the agent. */
void agent_receive(struct calf *calf, const uint8_t *bytes, size_t size, void *data);

#endif
