/* SPDX-License-Identifier: Apache-2.0 */
/* calfpen-priv: one program, three roles. */
#include <sys/prctl.h>

#include "userspace/common/log.h"
#include "userspace/priv/options.h"
#include "userspace/priv/roles.h"

int main(int argc, char **argv)
{
	static const char *const tags[] = {
		[ROLE_SUPERVISOR] = "calfpen",
		[ROLE_WATCHER] = "calfpen-watcher",
		[ROLE_GATEWAY] = "calfpen-gateway",
	};
	struct options options;
	int error = options_parse(&options, argc, argv);

	if (error)
		return error > 0 ? ROLE_EXIT_OK : ROLE_EXIT_FAILURE;
	log_init(tags[options.role], 2, options.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	/* /proc/self/exe was executed: without this ps would say "exe". */
	if (options.role != ROLE_SUPERVISOR)
		prctl(PR_SET_NAME, tags[options.role]);
	switch (options.role) {
	case ROLE_SUPERVISOR:
		return supervisor_main(&options);
	case ROLE_WATCHER:
		return watcher_main(&options);
	case ROLE_GATEWAY:
		return gateway_main(&options);
	}
	return ROLE_EXIT_FAILURE;
}
