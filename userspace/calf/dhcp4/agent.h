/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calf as a whole: reads its settings and the saved lease, feeds frames,
 * timers, link changes and the operator's requests into the state machine, and
 * carries out its actions.
 */
#ifndef CALFPEN_CALF_DHCP4_AGENT_H
#define CALFPEN_CALF_DHCP4_AGENT_H

#include "userspace/calf/dhcp4/client/client.h"
#include "userspace/calf/dhcp4/control.h"
#include "userspace/calf/dhcp4/discard_log.h"
#include "userspace/calf/dhcp4/host_name.h"
#include "userspace/calf/dhcp4/publish.h"
#include "userspace/calf/dhcp4/restore.h"
#include "userspace/calf/dhcp4/settings.h"
#include "userspace/calf/dhcp4/stale_keys.h"
#include "userspace/calf/sdk/calf.h"

struct agent {
	struct calf *calf;
	struct settings settings;
	struct stale_keys stale_keys;
	struct restore restore;
	struct client client;
	struct publisher publisher;
	struct control control;
	struct host_name host_name;
	struct discard_log discard_log;
	struct loop_timer timer;
	bool is_started;       /* the settings and the saved lease were read */
	bool no_answer_logged; /* a missing server was logged */
	struct loop_timer stop;
	uint64_t stop_ns; /* exit at this time at the latest */
};

/* Register with the calf's loop and request the settings; everything else
 * follows when the loop runs. Returns 0, or a negative errno, logged. */
int agent_start(struct agent *agent, struct calf *calf);

#endif
