/* SPDX-License-Identifier: Apache-2.0 */
/* Which calves an instance has. No calf is installed beside this program. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "userspace/priv/description/calves.h"

static struct options options;
static struct description *descriptions;
static struct configuration configuration;
static uint32_t n;
static char directories[3][PATH_MAX];

/* A calf with an option in a directory, which is not named like the calf. */
static void make_calf(uint32_t i, const char *name)
{
	char file[64], text[512];

	(void)snprintf(file, sizeof(file), "d%u", i);
	(void)snprintf(directories[i], sizeof(directories[i]), "%s", scratch_path(file));
	(void)mkdir(directories[i], 0755);
	(void)snprintf(file, sizeof(file), "d%u/calf", i);
	scratch_write(file, "", 0, 0755);
	(void)snprintf(text, sizeof(text),
		       "name: %s\n"
		       "executable: calf\n"
		       "limits: {memory: 16777216, pids: 32, requests_per_second: 9, "
		       "request_burst: 9}\n"
		       "keys:\n"
		       "  - {path: /%s, type: text, access: [write]}\n"
		       "options:\n"
		       "  - {name: hostname, type: text, default: %s}\n",
		       name, name, name);
	(void)snprintf(file, sizeof(file), "d%u/calf.yaml", i);
	scratch_write_text(file, text, 0644);
}

static void setup(void)
{
	scratch_make();
	make_calf(0, "dhcp4");
	make_calf(1, "observer");
	make_calf(2, "echo");
	options.mode = -1;
	options.quarantine_s = -1;
	options.wait_interface_s = -1;
}

static void teardown(void)
{
	configuration_deinit(&configuration);
	free(descriptions);
	scratch_remove();
}

TestSuite(calves, .init = setup, .fini = teardown);

/* Load a file (NULL: none) with the calves of the command line, by their numbers: "10". */
static int load(const char *text, const char *added)
{
	if (text) {
		scratch_write_text("a.yaml", text, 0600);
		(void)snprintf(options.configuration, sizeof(options.configuration), "%s",
			       scratch_path("a.yaml"));
	}
	options.n_calves = 0;
	for (; *added; added++)
		options.calves[options.n_calves++] = directories[*added - '0'];
	configuration_deinit(&configuration);
	free(descriptions);
	descriptions = NULL;
	n = 77;
	capture_begin();
	return calves_load(&options, &descriptions, &n, &configuration);
}

/* Returns the names of the calves, each with its hostname. */
static const char *names(void)
{
	static char text[256];
	size_t used = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < n; i++) {
		const char *name = descriptions[i].name;

		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "%s%s=%s", i ? " " : "", name,
			configuration_find_option(&configuration, name, "hostname")->value);
	}
	return text;
}

Test(calves, chosen)
{
	static const struct {
		const char *text, *added, *names;
	} rows[] = {
		{ NULL, "0", "dhcp4=dhcp4" },
		{ NULL, "10", "dhcp4=dhcp4 observer=observer" },
		{ "metric: 5\n", "210", "dhcp4=dhcp4 echo=echo observer=observer" },
		{ "", "0", "dhcp4=dhcp4" },
		{ "calves: {dhcp4: {hostname: web1}, observer: {}}\n", "01",
		  "dhcp4=web1 observer=observer" },
		{ "calves:\n  observer: ~\n  dhcp4: null\n", "01",
		  "observer=observer dhcp4=dhcp4" },
		{ "calves:\n  observer:\n  dhcp4:\n", "01", "observer=observer dhcp4=dhcp4" },
		{ "calves: {observer: {hostname: x}}\n", "21", "observer=x echo=echo" },
		{ "calves: {}\n", "21", "echo=echo observer=observer" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		options.configuration[0] = '\0';
		cr_assert_eq(load(rows[i].text, rows[i].added), 0, "%zu: %s", i, capture_text());
		cr_expect_str_eq(names(), rows[i].names);
		cr_expect_str_eq(capture_text(), "");
	}
}

Test(calves, refused)
{
	static const struct {
		const char *text, *added, *refused;
	} rows[] = {
		{ "calves: {}\n", "", "1: calves is empty; name a calf here or with --calf" },
		{ "\ncalves:\n  dhcp4: {}\n  dhpc4: {}\n", "0",
		  "4: unknown calf \"dhpc4\"; installed are: none; another one needs --calf "
		  "DIRECTORY" },
		{ "calves:\n  supervisor: {}\n", "0",
		  "2: name \"supervisor\" is reserved for a part of calfpen itself" },
		{ "calves:\n  watcher: {}\n", "0",
		  "2: name \"watcher\" is reserved for a part of calfpen itself" },
		{ "calves:\n  operator: {}\n", "0",
		  "2: name \"operator\" is reserved for a part of calfpen itself" },
		{ "calves: {001: {}}\n", "0",
		  "1: name \"001\" must consist of a-z 0-9 - and begin with a letter" },
		{ "calves: {../d0: {}}\n", "0",
		  "1: name \"../d0\" must consist of a-z 0-9 - and begin with a letter" },
		{ "calves: {\"\": {}}\n", "0", "1: calf name is empty" },
		{ "calves: {abcdefghijklmnop: {}}\n", "0", "1: calf name is longer than 15 bytes" },
		{ "calves: {dhcp4: {},\n dhcp4: {}}\n", "0",
		  "2: \"dhcp4\" is repeated, first on line 1" },
		{ "calves: [dhcp4, observer]\n", "01",
		  "1: calves must be a mapping of fields; write: calves: {dhcp4: {}, observer: {}}" },
		{ "\ncalves:\n", "0",
		  "2: calves must be a mapping of fields; write: calves: {dhcp4: {}}" },
		{ "calves: {dhcp4: {color: red}}\n", "0",
		  "1: unknown option \"color\" of dhcp4; known options: hostname" },
		{ "calves: {dhcp4: {}}\ncalves: {observer: {}}\n", "01",
		  "2: field \"calves\" is repeated, first on line 1" },
		{ "hostname: web1\n", "0",
		  "1: \"hostname\" is an option of a calf; write instead: calves: {dhcp4: "
		  "{hostname: web1}}" },
	};
	char expected[2 * PATH_MAX + 512];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(load(rows[i].text, rows[i].added), -EINVAL, "accepted: %s",
			     rows[i].text);
		(void)snprintf(expected, sizeof(expected), "%s:%s\n", options.configuration,
			       rows[i].refused);
		cr_expect_str_eq(capture_text(), expected);
		cr_expect(!descriptions && n == 77, "written on success only");
	}
}

/* What is wrong with the calves themselves. */
Test(calves, two_of_one_name)
{
	char expected[2 * PATH_MAX + 512];

	make_calf(1, "dhcp4");
	cr_expect_eq(load(NULL, "01"), -EINVAL);
	(void)snprintf(expected, sizeof(expected),
		       "%s/calf.yaml:1: name \"dhcp4\" is also that of %s/calf.yaml:1; the calves "
		       "of an instance need different names\n",
		       directories[1], directories[0]);
	cr_expect_str_eq(capture_text(), expected);
	cr_expect_eq(load("calves: {dhcp4: {}}\n", "02"), 0);
	cr_expect_str_eq(names(), "dhcp4=dhcp4 echo=echo");
}

Test(calves, not_installed)
{
	char *end;

	cr_expect_eq(load(NULL, "2"), -ENOENT);
	end = strstr(capture_text(), "/calves/dhcp4: not a calf directory: No such file");
	cr_expect_not_null(end, "%s", capture_text());
}
