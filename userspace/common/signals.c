/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/signals.h"

void signals_harmless(sigset_t *setp)
{
	sigemptyset(setp);
	sigaddset(setp, SIGHUP);
	sigaddset(setp, SIGUSR1);
	sigaddset(setp, SIGUSR2);
}

void signals_block_harmless(void)
{
	sigset_t signals;

	signals_harmless(&signals);
	sigprocmask(SIG_SETMASK, &signals, NULL);
}
