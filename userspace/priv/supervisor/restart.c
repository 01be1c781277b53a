/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/supervisor/restart.h"

#include <stdio.h>
#include <string.h>

#include "userspace/common/backoff.h"
#include "userspace/common/log.h"

#define RESTART_MIN_NS (NS_PER_S / 10)
#define RESTART_MAX_NS (30 * NS_PER_S)

void restart_begins(struct restart *restart)
{
	restart->started_ns = 0;
	restart->next_ns = 0;
}

void restart_started(struct restart *restart, uint64_t now_ns)
{
	restart->started_ns = now_ns;
	restart->next_ns = 0;
}

static void log_failure(const struct restart *restart, const char *name, bool is_new)
{
	if (restart->n_failures == RESTART_FAILED_AFTER)
		log_error("%s FAILED: %s, %u times in a row; it is restarted less and less "
			  "often, at least every %u s",
			  name, restart->reason, restart->n_failures,
			  (unsigned int)(RESTART_MAX_NS / NS_PER_S));
	else if (is_new)
		log_warning("%s: %s; restarting it", name, restart->reason);
}

uint64_t restart_failed(struct restart *restart, const char *name, const char *reason,
			uint64_t now_ns)
{
	bool is_new = strcmp(restart->reason, reason) != 0;

	if (restart->started_ns && now_ns - restart->started_ns >= RESTART_STABLE_NS)
		restart->n_failures = 0;
	is_new |= restart->n_failures == 0;
	restart->n_failures++;
	restart->n_restarts++;
	(void)snprintf(restart->reason, sizeof(restart->reason), "%s", reason);
	log_failure(restart, name, is_new);
	restart->next_ns = now_ns + backoff_ns(restart->n_failures, RESTART_MIN_NS, RESTART_MAX_NS);
	return restart->next_ns;
}

void restart_given_up(struct restart *restart, const char *name, const char *reason)
{
	restart->n_failures++;
	restart->next_ns = 0;
	restart->is_given_up = true;
	(void)snprintf(restart->reason, sizeof(restart->reason), "%s", reason);
	log_error("%s: %s; it cannot be started again without the launcher: restart the instance",
		  name, restart->reason);
}

uint64_t restart_on_purpose(struct restart *restart, uint64_t now_ns)
{
	restart->n_restarts++;
	restart->next_ns = now_ns + RESTART_MIN_NS;
	return restart->next_ns;
}

void restart_settle(struct restart *restart, const char *name)
{
	if (restart_is_failed(restart))
		log_info("%s: runs again", name);
	restart->n_failures = 0;
	restart->reason[0] = '\0';
}

bool restart_is_failed(const struct restart *restart)
{
	return restart->is_given_up || restart->n_failures >= RESTART_FAILED_AFTER;
}
