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

/* Return whether this was not logged before for the server. */
static bool is_new(struct discard_log *log, unsigned int number, struct in_addr server)
{
	uint64_t *logged = &log->servers[find_server(log, server)].logged, bit = 1ull << number;

	if (*logged & bit)
		return false;
	*logged |= bit;
	return true;
}

bool discard_log_count(struct discard_log *log, enum reason reason, struct in_addr server)
{
	if (reason == REASON_NONE)
		return false;
	calf_metric_add(log->calf, (size_t)METRIC_DISCARDED + reason - 1, 1);
	return is_new(log, reason, server);
}

void discard_log_add(struct discard_log *log, enum reason reason, struct in_addr server)
{
	char address[VALUE_IPV4_SIZE];

	if (!discard_log_count(log, reason, server))
		return;
	value_format_ipv4(server, address);
	log_info("discarded a message from %s: %s", address, reason_text(reason));
}

void discard_log_flaws(struct discard_log *log, const struct flaws *flaws, struct in_addr server)
{
	char address[VALUE_IPV4_SIZE];

	value_format_ipv4(server, address);
	for (unsigned int i = 0; i < _FLAW_N; i++) {
		unsigned int n = flaws->of[i].n, code = flaws->of[i].code;
		const char *text = flaws->of[i].text, *reason = flaw_text((enum flaw)i);

		if (n == 0)
			continue;
		calf_metric_add(log->calf, (size_t)METRIC_IGNORED + i, n);
		if (!is_new(log, _REASON_N + i, server))
			continue;
		if (text[0] == '\0')
			log_warning("option %u from %s: ignored: malformed", code, address);
		else if (n == 1)
			log_warning("option %u from %s: ignored \"%s\": %s", code, address, text,
				    reason);
		else
			log_warning("option %u from %s: ignored \"%s\" and %u more: %s", code,
				    address, text, n - 1, reason);
	}
}
