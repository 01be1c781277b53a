/* SPDX-License-Identifier: Apache-2.0 */
/* calfpen-priv: all roles except the gateway, which is a separate program. */
#include <errno.h>
#include <sys/prctl.h>

#include "userspace/common/log.h"
#include "userspace/common/signals.h"
#include "userspace/common/streams.h"
#include "userspace/priv/options.h"
#include "userspace/priv/roles.h"

int main(int argc, char **argv)
{
	static const char *const tags[] = {
		[ROLE_SUPERVISOR] = "calfpen",	    [ROLE_WATCHER] = "calfpen-watcher",
		[ROLE_CHRONY] = "calfpen-chrony",   [ROLE_FORGET] = "calfpen",
		[ROLE_MIGRATE] = "calfpen-migrate", [ROLE_CHECK] = "calfpen",
	};
	struct options options;
	int r;

	signals_block_harmless();
	if (streams_open())
		return ROLE_EXIT_FAILURE;
	streams_own_log();
	log_init(tags[ROLE_SUPERVISOR], 2, LOG_LEVEL_INFO);
	r = options_parse(&options, argc, argv);
	if (r)
		return r > 0 ? ROLE_EXIT_OK : ROLE_EXIT_USAGE;
	log_init(tags[options.role], 2, options.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	/* The supervisor executed /proc/self/exe, so ps would show "exe". */
	if (options.role != ROLE_SUPERVISOR)
		prctl(PR_SET_NAME, tags[options.role]);
	switch (options.role) {
	case ROLE_WATCHER:
		return watcher_main(&options);
	case ROLE_CHRONY:
		return chrony_main();
	case ROLE_MIGRATE:
		return migrate_main();
	case ROLE_CHECK:
		return check_main(&options);
	case ROLE_FORGET:
		return forget_main(&options);
	default:
		if (options_make_absolute(&options))
			return ROLE_EXIT_FAILURE;
		return supervisor_main(&options);
	}
}
