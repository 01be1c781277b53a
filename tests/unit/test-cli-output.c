/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting between two polls while the output has a reader. */
#include <signal.h>

#include "tests/unit/cli-capture.h"
#include "userspace/common/loop.h"

Test(cli_follow, reader)
{
	uint64_t begun;
	char text[8];
	int fds[2];
	FILE *out;

	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(pipe(fds), 0);
	out = fdopen(fds[1], "w");
	fputs("line\n", out);
	begun = loop_now_ns();
	cr_expect(cli_follow_wait(out, 50));
	cr_expect_geq(loop_now_ns() - begun, 50000000);
	cr_expect_eq(read(fds[0], text, sizeof(text)), 5, "it is written out");
	close(fds[0]);
	begun = loop_now_ns();
	cr_expect(!cli_follow_wait(out, 10000), "no reader");
	cr_expect_lt(loop_now_ns() - begun, 5000000000ull, "and that is noticed at once");
	fputs("line\n", out);
	cr_expect(!cli_follow_wait(out, 10000));
	fclose(out);
}

Test(cli_follow, file)
{
	FILE *out = tmpfile(), *full = fopen("/dev/full", "w");

	cr_expect(cli_follow_wait(out, 1));
	fputs("line\n", full);
	cr_expect(!cli_follow_wait(full, 1), "a full disk");
	fclose(out);
	fclose(full);
}
