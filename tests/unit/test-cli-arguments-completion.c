/* SPDX-License-Identifier: Apache-2.0 */
/* packaging/completion/calfpen, sourced in bash, with a fake calfpen. */
#include "tests/unit/cli-capture.h"

#define SCRIPT "packaging/completion/calfpen"

static const char fake[] =
	"#!/bin/sh\n"
	"case \"$*\" in *status*)\n"
	"printf '%s\\n' 'store     revision 1' 'frames    in_rate  1 packets' 'frames    out_rate  2'"
	" 'subject   operator: 0 accepted' 'subject   dhcp4: 3 accepted'"
	" 'subject   observer: 1 accepted';"
	" exit;; esac\n"
	"case \"$*\" in *--settable*)\n"
	"printf '%s\\n' /control/dhcp4/release '/control/dhcp4/renew  now' '/x/'; exit;; esac\n"
	"[ \"$1\" != --instance ] || { echo \"/only/in-$2  x\"; exit; }\n"
	"printf '%s  value /no/path\\n' /ip /lease/state /lease/time /leased /nameserver/001\n";

static void write_file(const char *name, const char *text)
{
	char path[256];
	FILE *to;

	snprintf(path, sizeof(path), "%s/%s", scratch, name);
	to = fopen(path, "w");
	cr_assert_not_null(to, "%s", path);
	fputs(text, to);
	fclose(to);
}

/* As in /sys/class/net: an uplink, the loopback, the taps of two instances, of which one
 * was killed, another tap, a tunnel, and a file. */
static void make_interfaces(void)
{
	static const struct {
		const char *name, *type;
		bool is_tap;
	} interfaces[] = {
		{ "calf0", "1\n", true },   { "calf1", "1\n", true },
		{ "eth0", "1\n", false },   { "lo", "772\n", false },
		{ "own-tap", "1\n", true }, { "tun0", "65534\n", true },
		{ "vmtap", "1\n", true },   { "calfeteria", "1\n", false },
	};
	char name[64];

	make_directory(scratch, "net");
	for (size_t i = 0; i < sizeof(interfaces) / sizeof(interfaces[0]); i++) {
		snprintf(name, sizeof(name), "net/%s", interfaces[i].name);
		make_directory(scratch, name);
		snprintf(name, sizeof(name), "net/%s/type", interfaces[i].name);
		write_file(name, interfaces[i].type);
		snprintf(name, sizeof(name), "net/%s/tun_flags", interfaces[i].name);
		if (interfaces[i].is_tap)
			write_file(name, "0x1002\n");
	}
	write_file("net/bonding_masters", "");
	write_file("run/wan/state.json", "{\n \"uplink\": \"eth0\",\n \"tap\": \"own-tap\",\n"
					 " \"mode\": \"tc\"\n}\n");
}

static void setup(void)
{
	char path[256];
	FILE *to;

	if (access("/bin/bash", X_OK) != 0 || access(SCRIPT, R_OK) != 0)
		cr_skip_test("needs bash and the source tree");
	make_roots();
	cr_assert_eq(mkdir(pins_root, 0700), 0);
	make_directory(pins_root, "uplink0");
	make_directory(run_root, "wan");
	make_directory(run_root, "uplink0");
	snprintf(path, sizeof(path), "%s/calfpen", scratch);
	to = fopen(path, "w");
	fputs(fake, to);
	fclose(to);
	cr_assert_eq(chmod(path, 0700), 0);
	make_interfaces();
}

TestSuite(cli_completion, .init = setup, .fini = scratch_remove);

/* Return what is offered for the last word, in order, separated by blanks. */
static const char *offered(const char *words)
{
	static char text[4096];
	char command[2048];
	FILE *from;
	size_t size;

	snprintf(
		command, sizeof(command),
		"CALFPEN_COMPLETION_PINS=%s CALFPEN_COMPLETION_RUN=%s CALFPEN_COMPLETION_SAVED=%s CALFPEN_COMPLETION_NET=%s/net exec bash --norc -uc '"
		". " SCRIPT "; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _calfpen;"
		" echo \"${COMPREPLY[*]-}\"' - %s/calfpen %s 2>&1",
		pins_root, run_root, saved_root, scratch, scratch, words);
	from = popen(command, "r");
	size = fread(text, 1, sizeof(text) - 1, from);
	text[size] = '\0';
	cr_assert_eq(pclose(from), 0, "%s", text);
	text[strcspn(text, "\n")] = '\0';
	return text;
}

Test(cli_completion, rows)
{
	static const struct {
		const char *words, *want;
	} rows[] = {
		{ "''",
		  "run list renew release ls get set del commit watch audit frames status forget check describe help version" },
		{ "s", "set status" },
		{ "--json w", "watch" },
		{ "--", "--instance --json --help --version" },
		{ "set --", "--instance --json --help --if-revision --create" },
		{ "audit -", "--instance --json --help -f --subject --path --denied --verify" },
		{ "audit --subject ''", "supervisor watcher operator dhcp4 observer" },
		{ "audit --subject o", "operator observer" },
		{ "audit --subject observer ''", "uplink0 wan" },
		{ "frames -", "--instance --json --help -f --reason --dropped --pcap" },
		{ "frames --reason in", "in_rate" },
		{ "frames --pcap Makef", "Makefile" },
		{ "frames ''", "uplink0 wan" },
		{ "get -l", "-l" },
		{ "run --m", "--mode" },
		{ "run --mode ''", "auto native tc generic" },
		{ "run --audit non", "none" },
		{ "run --q", "--quarantine --quarantine-force" },
		{ "--instance ''", "uplink0 wan" },
		{ "ls --instance u", "uplink0" },
		{ "get ''", "uplink0 wan /ip /lease/ /leased /nameserver/" },
		{ "get wan ''", "/only/" },
		{ "get wan /only/", "/only/in-wan" },
		{ "set wan /control/dhcp4/renew ''", "now" },
		{ "-i wan get ''", "/only/" },
		{ "-i ''", "uplink0 wan" },
		{ "list ''", "uplink0 wan" },
		{ "status w", "wan" },
		{ "status wan ''", "" },
		{ "renew ''", "uplink0 wan" },
		{ "release uplink0 w", "wan" },
		{ "renew wan uplink0/", "uplink0/dhcp4" },
		{ "release wan/d", "wan/dhcp4" },
		{ "renew wan/x", "" },
		{ "renew -", "--instance --json --help" },
		{ "run --instance w", "wan" },
		{ "commit uplink0 Makef", "Makefile" },
		{ "check w", "wan" },
		{ "check wan ''", "" },
		{ "get /l", "/lease/ /leased" },
		{ "get /lease", "/lease/ /leased" },
		{ "get /lease/", "/lease/state /lease/time" },
		{ "get /lease/t", "/lease/time" },
		{ "get /lease/time", "/lease/time" },
		{ "get /x", "" },
		{ "audit --path /n", "/nameserver/" },
		{ "audit ''", "uplink0 wan" },
		{ "set /ip ''", "" },
		{ "set --create /c", "/control/" },
		{ "set --if-revision 7 /c", "/control/" },
		{ "set --if-revision ''", "" },
		{ "--instance wan get /only/", "/only/in-wan" },
		{ "commit Makef", "Makefile" },
		{ "forget w", "wan" },
		{ "frobnicate ''", "" },
		{ "help s", "set status" },
		{ "help set ''", "" },
		{ "ls -", "--instance --json --help -l --settable" },
		{ "version -", "--help" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_str_eq(offered(rows[i].words), rows[i].want, "'%s': '%s'", rows[i].words,
				 offered(rows[i].words));
}

/* What may be set, whether it exists or not, and only that. */
Test(cli_completion, U36_settable_keys)
{
	cr_expect_str_eq(offered("set ''"), "uplink0 wan /control/ /x/");
	cr_expect_str_eq(offered("set /control/"), "/control/dhcp4/");
	cr_expect_str_eq(offered("set /control/dhcp4/"),
			 "/control/dhcp4/release /control/dhcp4/renew");
	cr_expect_str_eq(offered("del /control/dhcp4/ren"), "/control/dhcp4/renew");
	cr_expect_str_eq(offered("--instance wan set /control/dhcp4/rel"),
			 "/control/dhcp4/release");
	cr_expect_str_eq(offered("set /i"), "", "there is /ip, but only to be read");
	cr_expect_str_eq(offered("del /lease/"), "");
	cr_expect_str_eq(offered("set /control/dhcp4/renew ''"), "now");
	cr_expect_str_eq(offered("set --create /control/dhcp4/renew n"), "now");
	cr_expect_str_eq(offered("set /x/y ''"), "");
}

Test(cli_completion, U36_interfaces)
{
	cr_expect_str_eq(offered("run --interface ''"), "calfeteria eth0 vmtap");
	cr_expect_str_eq(offered("run --interface calf"), "calfeteria");
	cr_expect_str_eq(offered("run --interface l"), "");
}

/* Every command and option that `calfpen help` names can be completed. */
Test(cli_completion, knows_all_of_help)
{
	const char *all = offered("''");

	for (size_t i = 0; i < 13; i++) {
		static const char *const commands[] = { "run",	  "list",   "ls",     "get",
							"set",	  "del",    "commit", "watch",
							"audit",  "frames", "status", "forget",
							"version" };
		char want[32];

		cr_assert_eq(calfpen("help", NULL), CLI_OK);
		snprintf(want, sizeof(want), "\n  %s ", commands[i]);
		cr_expect_not_null(strstr(out_text, want), "%s", commands[i]);
		cr_expect_not_null(strstr(all, commands[i]), "%s", commands[i]);
	}
}
