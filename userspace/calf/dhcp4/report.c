/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/dhcp4/report.h"

#include "userspace/calf/dhcp4/metrics.h"
#include "userspace/common/log.h"
#include "userspace/common/value.h"

void report_init(struct report *report, struct calf *calf)
{
	*report = (struct report){ .calf = calf };
}

static uint32_t find_server(struct report *report, struct in_addr server)
{
	uint32_t i;

	for (i = 0; i < report->n_servers; i++)
		if (report->servers[i].server.s_addr == server.s_addr)
			return i;
	if (i < REPORT_SERVERS_MAX) {
		report->servers[i].server = server;
		report->n_servers++;
	}
	return i;
}

void report_discard(struct report *report, enum reason reason, struct in_addr server)
{
	uint32_t bit = 1u << reason, i;
	char address[VALUE_IPV4_SIZE];

	if (reason == REASON_NONE)
		return;
	calf_metric_add(report->calf, (size_t)METRIC_DISCARDED + reason - 1, 1);
	i = find_server(report, server);
	if (report->servers[i].logged & bit)
		return;
	report->servers[i].logged |= bit;
	value_format_ipv4(server, address);
	log_info("discarded a message from %s: %s", address, reason_text(reason));
}
