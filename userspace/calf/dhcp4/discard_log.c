/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/dhcp4/discard_log.h"

#include "userspace/calf/dhcp4/metrics.h"
#include "userspace/common/log.h"
#include "userspace/common/value.h"

void discard_log_init(struct discard_log *log, struct calf *calf)
{
	*log = (struct discard_log){ .calf = calf };
}

static uint32_t find_server(struct discard_log *log, struct in_addr server)
{
	uint32_t i;

	for (i = 0; i < log->n_servers; i++)
		if (log->servers[i].server.s_addr == server.s_addr)
			return i;
	if (i < DISCARD_LOG_SERVERS_MAX) {
		log->servers[i].server = server;
		log->n_servers++;
	}
	return i;
}

bool discard_log_count(struct discard_log *log, enum reason reason, struct in_addr server)
{
	uint64_t bit = 1ull << reason;
	bool is_new;
	uint32_t i;

	if (reason == REASON_NONE)
		return false;
	calf_metric_add(log->calf, (size_t)METRIC_DISCARDED + reason - 1, 1);
	i = find_server(log, server);
	is_new = !(log->servers[i].logged & bit);
	log->servers[i].logged |= bit;
	return is_new;
}

void discard_log_add(struct discard_log *log, enum reason reason, struct in_addr server)
{
	char address[VALUE_IPV4_SIZE];

	if (!discard_log_count(log, reason, server))
		return;
	value_format_ipv4(server, address);
	log_info("discarded a message from %s: %s", address, reason_text(reason));
}
