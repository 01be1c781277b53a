/* SPDX-License-Identifier: Apache-2.0 */
/* A calf that does nothing until its gateway is gone: tests act in its name, through its
 * pinned gate. */
#include <poll.h>
#include <stddef.h>

#define CONTROL 4

int main(void)
{
	struct pollfd control = { .fd = CONTROL };

	while (!(control.revents & POLLHUP))
		(void)ppoll(&control, 1, NULL, NULL);
	return 0;
}
