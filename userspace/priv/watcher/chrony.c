/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/watcher/chrony.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "userspace/common/log.h"
#include "userspace/priv/handlers/timeservers.h"
#include "userspace/priv/roles.h"

static void request_reload(void *data)
{
	(void)data;
	/* Fails only if the counter overflows. */
	if (eventfd_write(WATCHER_FD_CHRONY_ASK, 1))
		log_warning("cannot request a reload of chronyd's sources: %s", strerror(errno));
}

void watcher_chrony_init(struct handler_context *context)
{
	uint8_t stale[64];

	while (read(WATCHER_FD_CHRONY_RESULTS, stale, sizeof(stale)) > 0)
		;
	context->chrony = (struct handler_chrony){ .ask = request_reload, .result = -1 };
}

bool watcher_chrony_take(struct handler_context *context)
{
	uint8_t results[64];
	bool is_new = false;
	ssize_t i, n;

	while ((n = read(WATCHER_FD_CHRONY_RESULTS, results, sizeof(results))) > 0)
		for (i = 0; i < n; i++)
			is_new |= timeservers_told(context, results[i]);
	return is_new;
}
