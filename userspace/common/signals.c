/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/signals.h"

#include <signal.h>

void signals_block_harmless(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGUSR2);
	sigprocmask(SIG_SETMASK, &signals, NULL);
}
