/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>

#include "userspace/cli/cli.h"

bool cli_follow_wait(FILE *file, int timeout_ms)
{
	struct pollfd out = { .fd = fileno(file) };

	if (fflush(file) != 0)
		return false;
	return poll(&out, 1, timeout_ms) <= 0 || !(out.revents & (POLLERR | POLLHUP | POLLNVAL));
}
