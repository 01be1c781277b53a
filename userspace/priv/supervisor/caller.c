/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/supervisor/caller.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "userspace/common/descriptors.h"
#include "userspace/common/log.h"

int caller_leave(const struct options *options)
{
	const int kept[] = { options->audit_fd };
	int r = descriptors_keep(kept, sizeof(kept) / sizeof(kept[0]));

	if (!r && chdir("/"))
		r = -errno;
	if (r)
		log_error("cannot leave the caller's descriptors and directory: %s", strerror(-r));
	(void)umask(077);
	return r;
}
