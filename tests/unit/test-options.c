/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <string.h>

#include "tests/unit/capture.h"
#include "userspace/priv/frames/mode.h"
#include "userspace/priv/options.h"

#define ARGUMENTS_MAX 16

/* Blank-separated arguments; options point into them until the next call. */
static int parse(struct options *options, const char *arguments)
{
	static char program[] = "calfpen-priv", text[1024];
	char *argv[ARGUMENTS_MAX + 1] = { program };
	int argc = 1;

	cr_assert(strlen(arguments) < sizeof(text));
	memcpy(text, arguments, strlen(arguments) + 1);
	for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
		cr_assert(argc < ARGUMENTS_MAX);
		argv[argc++] = word;
	}
	capture_begin();
	return options_parse(options, argc, argv);
}

Test(options, defaults)
{
	struct options options;

	cr_assert(parse(&options, "--interface eth0") == 0);
	cr_assert_str_eq(options.uplink, "eth0");
	cr_assert_str_eq(options.instance, "eth0");
	cr_assert(options.role == ROLE_SUPERVISOR);
	cr_assert_str_eq(options.configuration, "");
	cr_assert_str_eq(options.runtime, "");
	cr_assert_str_eq(options.cgroup_parent, "calfpen");
	cr_assert_str_eq(options.resolv_conf, "");
	cr_assert_str_eq(options.audit, "/var/log/calfpen/eth0.audit.jsonl");
	cr_assert(options.wanted_uid_base == 0, "the table of uids decides");
	cr_assert(options.mode == -1);
	cr_assert(options.n_calves == 0, "those of the configuration");
	cr_assert_str_eq(options.state, "/var/lib/calfpen/eth0");
	cr_assert(!options.takeover && !options.verbose && !options.syslog);
	cr_assert(options.quarantine_s == -1 && !options.quarantine_force);
}

Test(options, everything)
{
	struct options options;

	cr_assert(parse(&options, "-i uplink.7 --instance lab_1 --config /x.yaml --calf /a "
				  "--calf=b/c --runtime /bin/crun --cgroup-parent a/b.slice") == 0);
	cr_assert_str_eq(options.uplink, "uplink.7");
	cr_assert_str_eq(options.instance, "lab_1");
	cr_assert_str_eq(options.configuration, "/x.yaml");
	cr_assert(options.n_calves == 2);
	cr_assert_str_eq(options.calves[0], "/a");
	cr_assert_str_eq(options.calves[1], "b/c");
	cr_assert_str_eq(options.runtime, "/bin/crun");
	cr_assert_str_eq(options.cgroup_parent, "a/b.slice");

	cr_assert(parse(&options, "-i up --resolv-conf /run/r --audit /a.jsonl --uid-base 65537 "
				  "--mode tc --takeover --verbose --syslog --state /s") == 0);
	cr_assert_str_eq(options.state, "/s");
	cr_assert(options.syslog);
	cr_assert_str_eq(options.resolv_conf, "/run/r");
	cr_assert_str_eq(options.audit, "/a.jsonl");
	cr_assert(options.wanted_uid_base == 65537);
	cr_assert(options.mode == FRAME_MODE_TC);
	cr_assert(options.takeover && options.verbose);

	cr_assert(parse(&options, "-i up --uid-base 4294967166 --mode native") == 0);
	cr_assert(options.mode == FRAME_MODE_NATIVE);
	cr_assert(parse(&options, "-i up --mode generic") == 0);
	cr_assert(options.mode == FRAME_MODE_GENERIC);
	cr_assert(parse(&options, "-i up --mode auto") == 0);
	cr_assert(options.mode == FRAME_MODE_AUTO);
}

Test(options, quarantine)
{
	struct options options;

	cr_assert(parse(&options, "-i up --quarantine --quarantine-force") == 0);
	cr_assert(options.quarantine_s == 60 && options.quarantine_force);
	cr_assert(parse(&options, "--quarantine=3600 -i up") == 0);
	cr_assert(options.quarantine_s == 3600 && !options.quarantine_force);
	cr_assert(parse(&options, "-i up --quarantine=0") == 0);
	cr_assert(options.quarantine_s == 0);
}

Test(options, U08_wait_interface)
{
	struct options options;

	cr_assert(parse(&options, "-i up") == 0);
	cr_assert(options.wait_interface_s == -1);
	cr_assert(parse(&options, "-i up --wait-interface") == 0);
	cr_assert(options.wait_interface_s == OPTIONS_WAIT_FOREVER);
	cr_assert(parse(&options, "-i up --wait-interface=forever") == 0);
	cr_assert(options.wait_interface_s == OPTIONS_WAIT_FOREVER);
	cr_assert(parse(&options, "-i up --wait-interface=86400") == 0);
	cr_assert(options.wait_interface_s == 86400);
	cr_assert(parse(&options, "-i up --wait-interface=0") == 0);
	cr_assert(options.wait_interface_s == 0);
}

Test(options, roles)
{
	struct options options;

	cr_assert(parse(&options, "-i up --role watcher") == 0);
	cr_assert(options.role == ROLE_WATCHER);
	cr_assert(parse(&options, "-i up --role chrony") == 0);
	cr_assert(options.role == ROLE_CHRONY);
	cr_assert(parse(&options, "-i up --role watcher --uplink-index 7") == 0);
	cr_assert(options.uplink_ifindex == 7);
	cr_assert(parse(&options, "--role forget") == 0);
	cr_assert(options.role == ROLE_FORGET);
	cr_expect_str_eq(options.instance, "");
	cr_assert(parse(&options, "--instance lan --role forget") == 0);
	cr_expect_str_eq(options.instance, "lan");
}

/* bpffs refuses dots in names. */
Test(options, U47_instance_of_a_vlan_interface)
{
	struct options options;

	cr_assert(parse(&options, "-i eth0.100") == 0);
	cr_assert_str_eq(options.uplink, "eth0.100");
	cr_assert_str_eq(options.instance, "eth0--100");
	cr_assert_str_eq(options.state, "/var/lib/calfpen/eth0--100");
	cr_assert(parse(&options, "-i eth0-100") == 0);
	cr_assert_str_eq(options.instance, "eth0-100");
}

Test(options, U07_instance_of_an_interface_with_capitals)
{
	struct options options;

	cr_assert(parse(&options, "-i enP4p65s0") == 0);
	cr_assert_str_eq(options.uplink, "enP4p65s0");
	cr_assert_str_eq(options.instance, "en__p4p65s0");
	cr_assert(parse(&options, "-i Ethernet0 --instance lan") == 0);
	cr_assert_str_eq(options.instance, "lan");
}

#define TEN "0123456789"
#define LONGEST TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "0123456"

/* The longest alternative name. */
Test(options, U47_alternative_name)
{
	struct options options;

	cr_assert(parse(&options, "-i " LONGEST) == 0);
	cr_assert_str_eq(options.uplink, LONGEST);
	cr_assert(instance_is_name(options.instance));
}

Test(options, answered, .init = cr_redirect_stdout)
{
	struct options options;

	cr_assert(parse(&options, "--help") == 1);
	cr_assert(parse(&options, "--version") == 1);
}

Test(options, refused)
{
	static const struct {
		const char *arguments, *reason;
	} rows[] = {
		{ "", "no uplink given; name the interface with --interface NAME\n" },
		{ "--interface", "--interface: needs a value; see --help\n" },
		{ "-i", "-i: needs a value; see --help\n" },
		{ "-i up --nonsense",
		  "--nonsense: unknown option or unexpected value; see --help\n" },
		{ "-i up --takeover=yes",
		  "--takeover=yes: unknown option or unexpected value; see --help\n" },
		{ "-i up --quarantine=3601",
		  "--quarantine: \"3601\" is not a number from 0 to 3600\n" },
		{ "-i up --quarantine=-1",
		  "--quarantine: \"-1\" is not a number from 0 to 3600\n" },
		{ "-i up --quarantine=", "--quarantine: \"\" is not a number from 0 to 3600\n" },
		{ "-i up --wait-interface=86401",
		  "--wait-interface: \"86401\" is not a number from 0 to 86400, nor \"forever\"\n" },
		{ "-i up --wait-interface=", "--wait-interface: \"\" is not a number from 0 to "
					     "86400, nor \"forever\"\n" },
		{ "-i up --quarantine 60", "\"60\": unexpected argument; see --help\n" },
		{ "-i up --quarantine-force=1",
		  "--quarantine-force=1: unknown option or unexpected "
		  "value; see --help\n" },
		{ "-i up more", "\"more\": unexpected argument; see --help\n" },
		{ "-i " LONGEST "7",
		  "--interface: \"" LONGEST "7\" is not a valid interface name; use "
		  "1 to 127 printable ASCII characters, no blanks or '/'\n" },
		{ "-i a/b", "--interface: \"a/b\" is not a valid interface name; use 1 to 127 "
			    "printable ASCII characters, no blanks or '/'\n" },
		{ "-i ..", "--interface: \"..\" is not a valid interface name; use 1 to 127 "
			   "printable ASCII characters, no blanks or '/'\n" },
		{ "-i up --instance a.b",
		  "--instance: \"a.b\" is not a valid name; use 1 to 31 characters a-z 0-9 _ -\n" },
		{ "-i up --instance uids",
		  "--instance: \"uids\" is a file in the directory of all instances; choose "
		  "another name\n" },
		{ "-i up --instance ../a",
		  "--instance: \"../a\" is not a valid name; use 1 to 31 characters a-z 0-9 _ -\n" },
		{ "-i up --instance 12345678901234567890123456789012",
		  "--instance: \"12345678901234567890123456789012\" is not a valid name; use 1 "
		  "to 31 characters a-z 0-9 _ -\n" },
		{ "-i up --uid-base 65536",
		  "--uid-base: \"65536\" is not a number from 65537 to 4294967166\n" },
		{ "-i up --uid-base 4294967167",
		  "--uid-base: \"4294967167\" is not a number from 65537 to 4294967166\n" },
		{ "-i up --uid-base 0x20000",
		  "--uid-base: \"0x20000\" is not a number from 65537 to 4294967166\n" },
		{ "-i up --mode xdp",
		  "--mode: unknown mode \"xdp\"; use auto, native, tc or generic\n" },
		{ "-i up --state var/lib", "--state: \"var/lib\" is not an absolute path\n" },
		{ "-i up --resolv-conf etc/resolv.conf",
		  "--resolv-conf: \"etc/resolv.conf\" is not an absolute path\n" },
		{ "-i up --cgroup-parent ../x",
		  "--cgroup-parent: \"../x\" is not a valid cgroup; use "
		  "a relative path of names with A-Z a-z 0-9 . _ -\n" },
		{ "-i up --cgroup-parent /x", "--cgroup-parent: \"/x\" is not a valid cgroup; use "
					      "a relative path of names with A-Z a-z 0-9 . _ -\n" },
		{ "-i up --cgroup-parent x/", "--cgroup-parent: \"x/\" is not a valid cgroup; use "
					      "a relative path of names with A-Z a-z 0-9 . _ -\n" },
		{ "-i up --config=", "--config: value is empty\n" },
		{ "-i up --calf a\tb",
		  "--calf: \"a?b\" contains a byte that is not printable ASCII\n" },
		{ "-i up --role root",
		  "--role: unknown role \"root\"; use watcher, chrony, forget, check or "
		  "migrate\n" },
		{ "-i up --role gateway",
		  "--role: unknown role \"gateway\"; use watcher, chrony, forget, check or "
		  "migrate\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct options options = { .wanted_uid_base = 7 };

		cr_expect(parse(&options, rows[i].arguments) == -EINVAL, "%s", rows[i].arguments);
		cr_expect_str_eq(capture_text(), rows[i].reason);
		cr_expect(options.wanted_uid_base == 7, "written on failure: %s",
			  rows[i].arguments);
	}
}

Test(options, too_many_calves)
{
	char *argv[OPTIONS_CALVES_MAX + 4] = { "calfpen-priv", "-i", "up" };
	struct options options;
	int argc = 3;

	for (int i = 0; i < OPTIONS_CALVES_MAX; i++)
		argv[argc++] = "--calf=x";
	capture_begin();
	cr_assert(options_parse(&options, argc, argv) == 0);
	argv[argc++] = "--calf=x";
	cr_assert(options_parse(&options, argc, argv) == -EINVAL);
	cr_assert_str_eq(capture_text(), "--calf: too many calves; at most 61 are allowed\n");
}

/* No file is called so. */
Test(options, U39_audit_log_that_is_no_file)
{
	static const struct {
		const char *text;
		int fd;
		bool is_file;
	} rows[] = {
		{ "none", 0, false },
		{ "-", 1, false },
		{ "/dev/stdout", 1, false },
		{ "/dev/stderr", 2, false },
		{ "/dev/fd/1", 1, false },
		{ "/dev/fd/63", 63, false },
		{ "/proc/self/fd/2", 2, false },
		{ "/dev/fd/0", 0, true },
		{ "/dev/fd/x", 0, true },
		{ "/dev/null", 0, true },
		{ "/none", 0, true },
	};
	struct options options;
	char arguments[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(arguments, sizeof(arguments), "-i up --audit %s", rows[i].text);
		cr_assert_eq(parse(&options, arguments), 0, "%s", rows[i].text);
		cr_expect_str_eq(options.audit, rows[i].text);
		cr_expect_eq(options.audit_fd, rows[i].fd, "%s", rows[i].text);
		cr_expect_eq(options_has_audit_file(&options), rows[i].is_file, "%s", rows[i].text);
	}
	/* the last one counts */
	cr_assert_eq(parse(&options, "-i up --audit - --audit none"), 0);
	cr_expect_eq(options.audit_fd, 0);
}

/* A word that was meant for something else makes no file in the working directory. */
Test(options, U39_no_relative_path)
{
	static const char *const words[] = { "stdout",	    "None", "off",   "syslog",
					     "audit.jsonl", "--",   "./none" };
	struct options options;
	char arguments[64], expected[160];

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		snprintf(arguments, sizeof(arguments), "-i up --audit %s", words[i]);
		cr_expect_eq(parse(&options, arguments), -EINVAL, "%s", words[i]);
		snprintf(expected, sizeof(expected),
			 "--audit: \"%s\" is neither an absolute path nor - (standard output) nor "
			 "none\n",
			 words[i]);
		cr_expect_str_eq(capture_text(), expected);
	}
}

/* The supervisor leaves its working directory. */
Test(options, relative_paths_become_absolute)
{
	struct options options;
	char expected[PATH_MAX], directory[PATH_MAX - 64];

	cr_assert_not_null(getcwd(directory, sizeof(directory)));
	cr_assert_eq(parse(&options, "-i up --config a/b.yaml --calf c --calf /d --runtime ./e"),
		     0);
	cr_assert_eq(options_make_absolute(&options), 0);
	snprintf(expected, sizeof(expected), "%s/a/b.yaml", directory);
	cr_expect_str_eq(options.configuration, expected);
	snprintf(expected, sizeof(expected), "%s/c", directory);
	cr_expect_str_eq(options.calves[0], expected);
	cr_expect_str_eq(options.calves[1], "/d");
	snprintf(expected, sizeof(expected), "%s/./e", directory);
	cr_expect_str_eq(options.runtime, expected);
	cr_assert_eq(parse(&options, "-i up --runtime crun"), 0);
	cr_assert_eq(options_make_absolute(&options), 0);
	cr_expect_str_eq(options.runtime, "crun", "it is looked for in $PATH");
	cr_expect_str_eq(options.configuration, "");
	cr_expect_str_eq(capture_text(), "");
}
