/* SPDX-License-Identifier: Apache-2.0 */
/* Real and other calves are asked about their options, as root. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "userspace/priv/check/check.h"

static struct description description;
static struct configuration configuration;

static void setup(void)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	scratch_make();
}

TestSuite(check, .init = setup, .fini = scratch_remove);

/* Ask the calf whose program this shell script or copy is. */
static int ask(void)
{
	struct check_question questions[1];
	int r, r_end;

	capture_begin();
	r = check_begin(questions, &description, 1, &configuration);
	r_end = check_end(questions, &description, 1, &configuration, "/etc/a.yaml", -1);
	cr_expect(questions[0].pid == 0 && questions[0].answer_fd == 0);
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "no child is left");
	return r ? r : r_end;
}

static void use_shipped_calf(void)
{
	char directory[PATH_MAX], *end;
	ssize_t length = readlink("/proc/self/exe", directory, sizeof(directory) - 64);

	cr_assert_gt(length, 0);
	directory[length] = '\0';
	end = strrchr(directory, '/');
	cr_assert_not_null(end);
	strcpy(end, "/../../lib/calfpen/calves/dhcp4");
	cr_assert_eq(description_load(directory, &description), 0, "%s", directory);
}

static void set(const char *name, const char *value, unsigned int line)
{
	cr_assert_eq(configuration_set_option(&configuration, "dhcp4", name, value, line > 0), 0);
	configuration.options[configuration.n_options - 1].line = line;
}

Test(check, U32_the_shipped_calf)
{
	use_shipped_calf();
	cr_expect_eq(ask(), 0);
	cr_expect_str_eq(capture_text(), "");
	set("parameters", "42 119", 3);
	cr_expect_eq(ask(), 0);
	set("mtu_min", "17", 4);
	cr_expect_eq(ask(), -EINVAL);
	cr_expect_str_eq(capture_text(), "/etc/a.yaml:4: option \"mtu_min\": invalid value \"17\": "
					 "expected an MTU of at least 576\n");
}

/* Each value is good, all together are not. */
Test(check, U32_all_together)
{
	char text[256];

	use_shipped_calf();
	memset(text, 'x', 255);
	text[255] = '\0';
	set("user_class", text, 3);
	set("vendor_class", text, 4);
	cr_expect_eq(ask(), -EINVAL);
	cr_expect(strstr(capture_text(), "/etc/a.yaml: options of dhcp4: "), "%s", capture_text());
	cr_expect(strstr(capture_text(), "do not fit into a message"), "%s", capture_text());
}

/* A description's default that the calf refuses: not the operator's line. */
Test(check, U32_a_default)
{
	char expected[PATH_MAX + 128];

	use_shipped_calf();
	set("mtu_min", "17", 0);
	cr_expect_eq(ask(), -EINVAL);
	snprintf(expected, sizeof(expected),
		 "%s/calf.yaml: default of option \"mtu_min\": invalid value \"17\": expected an "
		 "MTU of at least 576\n",
		 description.directory);
	cr_expect_str_eq(capture_text(), expected);
}

/* A program that can do more than a calf can: it has no shell and no rights here. */
Test(check, U32_no_calf_at_all)
{
	snprintf(description.directory, sizeof(description.directory), "/bin");
	snprintf(description.executable, sizeof(description.executable), "true");
	description.checks_options = true;
	cr_expect_eq(ask(), -EIO);
	cr_expect_str_eq(capture_text(),
			 "/bin/true: asked about its options, it was killed by signal 31\n");
	snprintf(description.executable, sizeof(description.executable), "none");
	cr_expect_eq(ask(), -ENOENT);
	cr_expect_str_eq(capture_text(), "/bin/none: cannot ask it about its options: No such "
					 "file or directory\n");
}

/* One that was not written for this is not asked. */
Test(check, U32_not_asked)
{
	snprintf(description.directory, sizeof(description.directory), "/bin");
	snprintf(description.executable, sizeof(description.executable), "none");
	cr_expect_eq(ask(), 0);
}
