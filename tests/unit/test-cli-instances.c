/* SPDX-License-Identifier: Apache-2.0 */
/* Which instances are found, by what is left of them. */
#include "tests/unit/cli-capture.h"
#include "userspace/cli/instances.h"

static void setup(void)
{
	make_roots();
	cr_assert_eq(mkdir(pins_root, 0700) | mkdir(saved_root, 0700), 0);
}

TestSuite(cli_instances, .init = setup, .fini = scratch_remove);

/* "a b:pinned c:running", as found. */
static const char *found(void)
{
	static char text[512];
	struct cli cli = capture();
	struct cli_instance *instances = NULL;
	int n = cli_instances(&cli, &instances);
	size_t at = 0;

	captured(0);
	cr_assert_geq(n, 0, "%s", err_text);
	text[0] = '\0';
	for (int i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s%s%s", i ? " " : "",
				       instances[i].name, instances[i].is_pinned ? ":pinned" : "",
				       instances[i].pid == getpid() ? ":running" : "");
	free(instances);
	return text;
}

Test(cli_instances, U35_what_is_left_of_one)
{
	int running;

	cr_expect_str_eq(found(), "");
	make_directory(run_root, "refused"); /* has a lock that nobody holds */
	close(make_running("refused"));
	cr_expect_str_eq(found(), "");
	make_directory(pins_root, "stopped");
	make_directory(run_root, "killed");
	scratch_write_text("run/killed/state.json", "{}", 0600);
	make_directory(run_root, "share");
	scratch_write_text("run/share/resolv.conf.until", "1", 0600);
	make_directory(run_root, "none");
	scratch_write_text("run/none/resolv.conf", "", 0600);
	scratch_write_text("run/none/until", "", 0600);
	make_directory(saved_root, "saved");
	scratch_write_text("saved/saved/store", "", 0600);
	make_directory(saved_root, "never");
	make_directory(run_root, "runs");
	running = make_running("runs");
	cr_expect_str_eq(found(), "killed runs:running saved share stopped:pinned");
	make_directory(pins_root, "runs");
	make_directory(saved_root, "runs");
	scratch_write_text("saved/runs/store", "", 0600);
	cr_expect_str_eq(found(), "killed runs:pinned:running saved share stopped:pinned");
	close(running);
	cr_expect_str_eq(found(), "killed runs:pinned saved share stopped:pinned");
}

/* Neither files nor directories of others are instances. */
Test(cli_instances, names)
{
	char name[16];

	scratch_write_text("pins/file", "", 0600);
	make_directory(pins_root, "UPPER");
	make_directory(pins_root, ".hidden");
	make_directory(saved_root, "uids");
	scratch_write_text("saved/uids/store", "", 0600);
	scratch_write_text("run/uids", "x:1879048192:128\n", 0600);
	cr_expect_str_eq(found(), "");
	for (int i = 39; i >= 0; i--) {
		snprintf(name, sizeof(name), "e%02d", i);
		make_directory(pins_root, name);
	}
	cr_expect_eq(strncmp(found(), "e00:pinned e01:pinned e02:pinned", 32), 0);
	cr_expect_not_null(strstr(found(), "e38:pinned e39:pinned"));
}

/* Without a word, the only one that is pinned is meant. */
Test(cli_instances, the_only_one)
{
	struct cli cli;

	make_directory(saved_root, "saved");
	scratch_write_text("saved/saved/store", "", 0600);
	make_directory(saved_root, "saved2");
	scratch_write_text("saved/saved2/store", "", 0600);
	cr_expect_eq(calfpen("ls", NULL), CLI_FAILURE);
	cr_expect_str_eq(err_text,
			 "calfpen: several instances exist; name one of them: saved saved2\n");
	make_directory(pins_root, "pinned");
	cli = capture();
	cr_expect_eq(cli_choose_instance(&cli), CLI_OK);
	captured(0);
	cr_expect_str_eq(cli.instance, "pinned");
	cr_expect_eq(calfpen("get", "saved", "/ip", NULL), CLI_DEAD);
	cr_expect_str_eq(err_text,
			 "calfpen: instance saved is not running, and nothing of it is pinned; "
			 "start it with `calfpen run`\n");
}
