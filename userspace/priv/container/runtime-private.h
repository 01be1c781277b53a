/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands of the runtime have in common. */
#ifndef CALFPEN_PRIV_CONTAINER_RUNTIME_PRIVATE_H
#define CALFPEN_PRIV_CONTAINER_RUNTIME_PRIVATE_H

#include <limits.h>

#include "userspace/priv/container/runtime.h"

#define RUNTIME_PID_ENDING ".pid"
#define RUNTIME_CGROUP_ENDING \
	".cgroup" /* of the note that says where a container's processes are */

struct runtime_path {
	char text[PATH_MAX];
};

/* Return the path STATE/ID with an ending appended; "" if it is too long. */
struct runtime_path runtime_path(const struct runtime *runtime, const char *id, const char *ending);
/* Run RUNTIME --root STATE --log FILE --log-format json COMMAND..., with `n_fds` descriptors
 * from 1 on. Returns 0 or a negative errno, not logged. */
int runtime_run(const struct runtime *runtime, const char *id, const char *const *command,
		const int *fds, size_t n_fds);
/* Log one line with the command that failed and the runtime's message about it. */
void runtime_report(const struct runtime *runtime, const char *id, const char *command, int error);

#endif
