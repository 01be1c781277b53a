/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "userspace/pen/options.h"

static struct pen_options options;
static char error[256];

/* Arguments are separated by blanks. */
static int parse(const char *line)
{
	static char text[256];
	char *argv[24] = { (char[]){ "calfpen-pen" } }, *rest = text;
	int argc = 1;

	snprintf(text, sizeof(text), "%s", line);
	while (rest && *rest)
		argv[argc++] = strsep(&rest, " ");
	error[0] = '\0';
	return pen_options_parse(argc, argv, &options, error, sizeof(error));
}

/* What userspace/priv/container/ runs */
Test(pen_options, create)
{
	cr_assert_eq(parse("--root /r --log /l --log-format json create --bundle /b --pid-file /p "
			   "--no-new-keyring --preserve-fds 3 probe"),
		     0, "%s", error);
	cr_expect_eq(options.command, PEN_CREATE);
	cr_expect_str_eq(options.root, "/r");
	cr_expect_str_eq(options.log, "/l");
	cr_expect(options.is_json);
	cr_expect_str_eq(options.bundle, "/b");
	cr_expect_str_eq(options.pid_file, "/p");
	cr_expect_eq(options.preserve_fds, 3);
	cr_expect_str_eq(options.id, "probe");
}

Test(pen_options, other_commands)
{
	cr_expect_eq(parse("--root=/r --log-format=text start a-b.c_d"), 0, "%s", error);
	cr_expect_eq(options.command, PEN_START);
	cr_expect_str_eq(options.root, "/r");
	cr_expect_not(options.is_json);
	cr_expect_str_eq(options.id, "a-b.c_d");
	cr_expect_eq(parse("delete --force x"), 0, "%s", error);
	cr_expect_eq(options.command, PEN_DELETE);
	cr_expect(options.is_forced);
	cr_expect_eq(parse("delete x"), 0, "%s", error);
	cr_expect_not(options.is_forced);
	cr_expect_eq(parse("state x"), 0, "%s", error);
	cr_expect_eq(options.command, PEN_STATE);
	cr_expect_eq(parse("--version"), 0, "%s", error);
	cr_expect_eq(options.command, PEN_VERSION);
	cr_expect_eq(parse("create --help"), 0, "%s", error);
	cr_expect_eq(options.command, PEN_HELP);
}

Test(pen_options, signals)
{
	static const struct {
		const char *line;
		int signal;
	} rows[] = { { "kill x", SIGTERM },
		     { "kill x 9", SIGKILL },
		     { "kill x KILL", SIGKILL },
		     { "kill x SIGHUP", SIGHUP } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(parse(rows[i].line), 0, "%s", error);
		cr_expect_eq(options.signal, rows[i].signal, "%s", rows[i].line);
	}
}

Test(pen_options, everything_else_is_refused_by_name)
{
	static const struct {
		const char *line, *error;
	} rows[] = {
		{ "", "no command" },
		{ "create", "no container id" },
		{ "run x", "command run is not supported" },
		{ "exec x", "command exec is not supported" },
		{ "--systemd-cgroup create x", "option --systemd-cgroup is not supported" },
		{ "create --console-socket /c x", "option --console-socket is not supported" },
		{ "create --no-pivot x", "option --no-pivot is not supported" },
		{ "start --bundle /b x", "option --bundle is not supported" },
		{ "create --root /r x", "option --root is not supported" },
		{ "--force delete x", "option --force is not supported" },
		{ "create --preserve-fds 33 x", "--preserve-fds: must be 0 to 32: 33" },
		{ "create --preserve-fds -1 x", "--preserve-fds: must be 0 to 32: -1" },
		{ "create --preserve-fds", "--preserve-fds needs a value" },
		{ "create --bundle= x", "--bundle needs a value" },
		{ "delete --force=yes x", "--force takes no value" },
		{ "--log-format xml state x", "--log-format: must be json or text: xml" },
		{ "create x y", "superfluous argument: y" },
		{ "kill x 9 9", "superfluous argument: 9" },
		{ "kill x 0", "unknown signal: 0" },
		{ "kill x NONE", "unknown signal: NONE" },
		{ "kill x 99", "unknown signal: 99" },
		{ "state ..", "invalid container id: .." },
		{ "state a/b", "invalid container id: a/b" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(parse(rows[i].line), -EINVAL, "%s", rows[i].line);
		cr_expect_str_eq(error, rows[i].error);
	}
}
