/* SPDX-License-Identifier: Apache-2.0 */
/* `calfpen list`, by the files of instances whose maps cannot be read. */
#include <jansson.h>

#include "tests/unit/cli-capture.h"

static void setup(void)
{
	make_roots();
	cr_assert_eq(mkdir(pins_root, 0700) | mkdir(saved_root, 0700), 0);
}

TestSuite(cli_overview, .init = setup, .fini = scratch_remove);

#define STATE(uplink, watcher, calf)                                         \
	"{\"version\": 1, \"uplink\": \"" uplink "\", \"watcher_restart\": " \
	"{\"failed\": " watcher "}, \"calves\": [{\"restart\": {\"failed\": " calf "}}]}"

static int make_instance(const char *name, const char *state)
{
	char path[64];

	make_directory(run_root, name);
	snprintf(path, sizeof(path), "run/%s/state.json", name);
	scratch_write_text(path, state, 0600);
	return make_running(name);
}

static int fds[4];

static void make_all(void)
{
	fds[0] = make_instance("eth0", STATE("eth0", "false", "false"));
	fds[1] = make_instance("wan", STATE("enp1s0f0", "true", "false"));
	fds[2] = make_instance("lan", STATE("e\\u001b", "false", "true"));
	fds[3] = make_instance("killed", STATE("eth7", "true", "true"));
	close(fds[3]);
	make_directory(saved_root, "saved");
	scratch_write_text("saved/saved/store", "", 0600);
	scratch_write_text("run/uids", "eth0:1879048192:128\nsaved:300000:128\n", 0600);
}

Test(cli_overview, U35_for_people)
{
	static const char all[] = "eth0    eth0      running      -  1879048192-1879048319\n"
				  "killed  eth7      not running  -  -\n"
				  "lan     e?        FAILED       -  -\n"
				  "saved   -         not running  -  300000-300127\n"
				  "wan     enp1s0f0  FAILED       -  -\n";

	make_all();
	cr_expect_eq(calfpen("list", NULL), CLI_OK);
	cr_expect_str_eq(out_text, all);
	cr_expect_str_eq(err_text, "");
	cr_expect_eq(calfpen(NULL), CLI_OK);
	cr_expect_str_eq(out_text, all, "without a command, too");
	cr_expect_eq(calfpen("list", "wan", NULL), CLI_OK);
	cr_expect_str_eq(out_text, "wan  enp1s0f0  FAILED  -  -\n");
}

Test(cli_overview, U35_json)
{
	json_t *array, *wanted;

	make_all();
	cr_expect_eq(calfpen("--json", NULL), CLI_OK);
	array = json_loads(out_text, 0, NULL);
	cr_assert_eq(json_array_size(array), 5, "%s", out_text);
	wanted = json_pack("{s:s, s:s, s:i, s:s, s:{s:i, s:i}}", "instance", "eth0", "status",
			   "running", "pid", (int)getpid(), "uplink", "eth0", "uids", "first",
			   1879048192, "last", 1879048319);
	cr_expect(json_equal(json_array_get(array, 0), wanted), "%s", out_text);
	json_decref(wanted);
	wanted = json_pack("{s:s, s:s, s:{s:i, s:i}}", "instance", "saved", "status", "not running",
			   "uids", "first", 300000, "last", 300127);
	cr_expect(json_equal(json_array_get(array, 3), wanted), "%s", out_text);
	json_decref(wanted);
	json_decref(array);
	cr_expect_eq(calfpen("list", "--json", "wan", NULL), CLI_OK);
	cr_expect_eq(out_text[0], '[', "always an array");
}

Test(cli_overview, no_instance)
{
	cr_expect_eq(calfpen(NULL), CLI_OK);
	cr_expect_str_eq(out_text, "");
	cr_expect_not_null(strstr(err_text, "calfpen: no instance: nothing is pinned in "));
	cr_expect_eq(calfpen("list", "--json", NULL), CLI_OK);
	cr_expect_str_eq(out_text, "[]\n");
	cr_expect_str_eq(err_text, "");
	cr_expect_eq(calfpen("list", "x", NULL), CLI_FAILURE);
}

/* One that cannot be read does not hide the others. */
Test(cli_overview, unreadable)
{
	int fd = make_instance("a", "{\"version\": 7}");

	fds[0] = make_instance("b", STATE("eth0", "false", "false"));
	make_directory(pins_root, "b");
	scratch_write_text("run/uids", "?\nb:1879048192:128\n", 0600);
	cr_expect_eq(calfpen("list", NULL), CLI_FAILURE);
	cr_expect_str_eq(out_text, "a  -     running  -  -\n"
				   "b  eth0  running  -  1879048192-1879048319\n");
	cr_expect_not_null(strstr(err_text, "state.json: version 7"));
	cr_expect_not_null(strstr(err_text, "calfpen: instance b has no store\n"));
	close(fd);
	cr_expect_eq(calfpen("list", "--all", NULL), CLI_USAGE);
}
