/* SPDX-License-Identifier: Apache-2.0 */
/* Slots of the metrics page, in the order of calf.yaml (a test compares). */
#ifndef CALFPEN_CALF_DHCP4_METRICS_H
#define CALFPEN_CALF_DHCP4_METRICS_H

#include "userspace/calf/dhcp4/message/flaw.h"
#include "userspace/calf/dhcp4/message/reason.h"

enum metric {
	METRIC_STATE = 0, /* enum client_state */
	METRIC_DISCOVER_SENT,
	METRIC_REQUEST_SENT,
	METRIC_DECLINE_SENT,
	METRIC_RELEASE_SENT,
	METRIC_INFORM_SENT,
	METRIC_ARP_PROBE_SENT,
	METRIC_ARP_ANNOUNCEMENT_SENT,
	METRIC_SEND_FAILED,
	METRIC_OFFER_RECEIVED,
	METRIC_ACK_RECEIVED,
	METRIC_NAK_RECEIVED,
	METRIC_ARP_RECEIVED,  /* from another host that uses the calf's address */
	METRIC_CONFLICT,      /* addresses given up because of such a conflict */
	METRIC_LEASE_GRANTED, /* new and renewed */
	METRIC_LEASE_LOST,
	METRIC_LEFT_OUT, /* message_parameters.n_left_out of the leases */
	METRIC_COMMIT,
	METRIC_COMMIT_FAILED,
	METRIC_DISCARDED, /* one per reason, from the one after REASON_NONE on */
	METRIC_IGNORED = METRIC_DISCARDED + _REASON_N - 1, /* values of leases: one per flaw */
	_METRIC_N = METRIC_IGNORED + _FLAW_N,
};

#endif
