/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/signals.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* What ends a process that gets this signal: another one after it, or nothing. */
Test(common_signals, U40_harmless_signals)
{
	static const struct {
		int signal;
		bool is_harmless;
	} rows[] = {
		{ SIGHUP, true },   { SIGUSR1, true }, { SIGUSR2, true },
		{ SIGTERM, false }, { SIGINT, false }, { SIGALRM, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			sigset_t others;

			/* as a caller may have left them */
			sigemptyset(&others);
			sigaddset(&others, SIGTERM);
			sigprocmask(SIG_BLOCK, &others, NULL);
			signals_block_harmless();
			raise(rows[i].signal);
			execl("/bin/sh", "sh", "-c", "kill -USR1 $$; exit 7", NULL);
			_exit(1);
		}
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		if (rows[i].is_harmless)
			cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 7, "signal %d: %x",
				  rows[i].signal, (unsigned int)status);
		else
			cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == rows[i].signal,
				  "signal %d: %x", rows[i].signal, (unsigned int)status);
	}
}
