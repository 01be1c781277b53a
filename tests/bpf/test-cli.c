/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's command with a real gate and a real store. */
#include "tests/bpf/cli-operator.h"

TestSuite(cli, .init = setup, .fini = teardown);

Test(cli, get)
{
	cr_assert_eq(RUN("get", "/ip"), CLI_OK, "%s", err_text);
	cr_assert_str_eq(out_text, "10.0.2.15/24\n");
	cr_assert_eq(RUN("get", "/ip", "--json"), CLI_OK);
	cr_assert_not_null(strstr(out_text, "\"value\": \"10.0.2.15/24\""));
	cr_assert_not_null(strstr(out_text, "\"revision\": 1"));
	cr_assert_not_null(strstr(out_text, "\"subject\": \"dhcp4\""));
	cr_assert_eq(RUN("get", "-l", "/ip"), CLI_OK);
	cr_assert_eq(strncmp(out_text, "       1  20", 11), 0, "%s", out_text);
	cr_assert_not_null(strstr(out_text, "Z  dhcp4         12  /ip  10.0.2.15/24\n"));
	cr_assert_eq(RUN("get", "/none"), CLI_ABSENT);
	cr_assert_str_eq(err_text, "calfpen: no such key: /none\n");
	cr_assert_eq(RUN("get", "/secret"), CLI_DENIED);
	cr_assert_str_eq(err_text, "calfpen: /secret: the operator may not read it\n");
}

/* The state of an instance whose calf has the keys /ip and /many/psk, and another type for
 * them. */
static void write_types(void)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s/state.json", run_root, instance);
	file = fopen(path, "w");
	cr_assert_not_null(file);
	fputs("{\"version\": 1, \"calves\": [{\"name\": \"dhcp4\", \"keys\": [{\"path\": \"/ip\", "
	      "\"type\": \"ipv4-net\", \"min\": 0, \"max\": 0, \"max_length\": 18, \"choices\": \"\"}, "
	      "{\"path\": \"/many/psk\", \"type\": \"mac\", \"min\": 0, \"max\": 0, "
	      "\"max_length\": 17, \"choices\": \"\"}]}]}",
	      file);
	cr_assert_eq(fclose(file), 0);
}

/* Stored through a gate, which checks classes only. */
Test(cli, F1_value_of_another_type)
{
	write_types();
	cr_assert_eq(RUN("get", "/ip"), CLI_OK, "%s", err_text);
	cr_assert_str_eq(out_text, "10.0.2.15/24\n");
	cr_assert_eq(gate_write(calf, "/ip", "999.1.2.3/99 zz", 15, NULL), 0);
	cr_assert_eq(RUN("get", "/ip"), CLI_VALUE, "%s", err_text);
	cr_assert_str_eq(out_text, "999.1.2.3/99 zz (not a valid ipv4-net)\n");
	cr_assert_eq(RUN("ls"), CLI_OK);
	cr_assert_str_eq(out_text, "/ip  999.1.2.3/99 zz (not a valid ipv4-net)\n");
	cr_assert_eq(RUN("get", "/ip", "--json"), CLI_OK);
	cr_assert_not_null(strstr(out_text, "\"value\": \"999.1.2.3/99 zz\""));
	cr_assert_not_null(strstr(out_text, "\"invalid\": \"not a valid ipv4-net\""));
	cr_assert_eq(RUN("ls", "--json"), CLI_OK);
	cr_assert_not_null(strstr(out_text, "\"invalid\": \"not a valid ipv4-net\""));
}

/* Also root's command does not show its text, and does not ask whether it is valid. */
Test(cli, secret)
{
	write_types();
	cr_assert_eq(gate_write(calf, "/many/psk", "hunter2", 7, NULL), 0);
	cr_assert_eq(RUN("get", "/many/psk"), CLI_OK, "%s", err_text);
	cr_assert_str_eq(out_text, "<secret>\n");
	cr_assert_eq(RUN("get", "-l", "/many/psk"), CLI_OK);
	cr_assert_not_null(strstr(out_text, "Z  dhcp4          8  /many/psk  <secret>\n"));
	cr_assert_eq(RUN("get", "/many/psk", "--json"), CLI_OK);
	cr_assert_not_null(strstr(out_text, "\"value\": \"<secret>\""));
	cr_assert_not_null(strstr(out_text, "\"secret\": true"));
	cr_assert_not_null(strstr(out_text, "\"revision\": 3"));
	cr_assert_null(strstr(out_text, "invalid"));
	cr_assert_eq(RUN("get", "/ip", "--json"), CLI_OK);
	cr_assert_null(strstr(out_text, "secret"), "no other key says that it is none");
	cr_assert_eq(RUN("ls", "/many"), CLI_OK);
	cr_assert_str_eq(out_text, "/many/psk  <secret>\n");
	cr_assert_eq(RUN("ls", "--json"), CLI_OK);
	cr_assert_not_null(strstr(out_text, "\"<secret>\""));
	cr_assert_null(strstr(out_text, "hunter"));
	cr_assert_eq(RUN("status", "--json"), CLI_OK);
	cr_assert_null(strstr(out_text, "hunter"));
	cr_assert_eq(RUN("set", "/many/psk", "mine"), CLI_DENIED);
	cr_assert_null(strstr(out_text, "mine"));
	cr_assert_null(strstr(err_text, "mine"));
	cr_assert_eq(gate_test_ctl(&test).n_denials, 1, "of the set, and of no read");
}

Test(cli, ls)
{
	cr_assert_eq(RUN("ls"), CLI_OK, "%s", err_text);
	cr_assert_str_eq(out_text, "/ip  10.0.2.15/24\n", "what it may read");
	cr_assert_eq(gate_write(calf, "/control/renew", "", 0, NULL), 0);
	cr_assert_eq(RUN("ls", "-l"), CLI_OK);
	cr_assert_not_null(strstr(out_text, "dhcp4          0  /control/renew  \n"), "%s",
			   out_text);
	cr_assert_eq(RUN("ls", "/control/"), CLI_OK);
	cr_assert_str_eq(out_text, "/control/renew  \n");
	cr_assert_eq(RUN("ls", "/control/renew"), CLI_OK);
	cr_assert_str_eq(out_text, "/control/renew  \n", "the key itself");
	cr_assert_eq(RUN("ls", "/contro"), CLI_OK);
	cr_assert_str_eq(out_text, "");
	cr_assert_eq(RUN("ls", "/contro", "--json"), CLI_OK);
	cr_assert_str_eq(out_text, "[]\n");
}

/* Many pages, in order, each key once. */
Test(cli, ls_of_many_keys)
{
	char path[32], last[64] = "";
	int n_lines = 0;

	for (int i = 0; i < 1500; i++) {
		snprintf(path, sizeof(path), "/many/key-%d", i);
		cr_assert_eq(gate_write(calf, path, "v", 1, NULL), 0);
		if (i % 32 == 0)
			gate_test_drain(&test);
	}
	cr_assert_eq(RUN("ls", "/many"), CLI_OK);
	for (char *line = strtok(out_text, "\n"); line; line = strtok(NULL, "\n")) {
		*strchr(line, ' ') = '\0';
		cr_assert_gt(strcmp(line, last), 0, "%s after %s", line, last);
		snprintf(last, sizeof(last), "%s", line);
		n_lines++;
	}
	cr_assert_eq(n_lines, 1500);
}

Test(cli, set_and_del)
{
	cr_assert_eq(RUN("set", "/control/renew", "now"), CLI_OK, "%s", err_text);
	cr_assert_str_eq(out_text, "3\n");
	cr_assert_eq(RUN("get", "/control/renew"), CLI_OK);
	cr_assert_str_eq(out_text, "now\n");
	cr_assert_eq(RUN("set", "/control/renew", "", "--json"), CLI_OK);
	cr_assert_str_eq(out_text, "{\"revision\": 4}\n");
	cr_assert_eq(RUN("get", "-l", "/control/renew"), CLI_OK);
	cr_assert_not_null(strstr(out_text, "operator       0"), "%s", out_text);
	cr_assert_eq(RUN("del", "/control/renew"), CLI_OK);
	cr_assert_str_eq(out_text, "5\n");
	cr_assert_eq(RUN("get", "/control/renew"), CLI_ABSENT);
	cr_assert_eq(RUN("set", "/control/x", "--", "-1"), CLI_OK);
}

/* Nobody runs it: a change is refused, and what is read is marked as what it left. */
Test(cli, U30_dead_instance)
{
	char left[128], refused[160];

	snprintf(left, sizeof(left), "calfpen: instance %s is not running; this is what it left\n",
		 instance);
	snprintf(refused, sizeof(refused),
		 "calfpen: instance %s is not running, so nobody would act on a change; start it "
		 "with `calfpen run`\n",
		 instance);
	close(running);
	cr_expect_eq(RUN("get", "/ip"), CLI_DEAD);
	cr_expect_str_eq(out_text, "10.0.2.15/24\n");
	cr_expect_str_eq(err_text, left);
	cr_expect_eq(RUN("get", "/ip", "--json"), CLI_DEAD);
	cr_expect_eq(RUN("get", "/none"), CLI_ABSENT, "that comes first");
	cr_expect_eq(RUN("ls"), CLI_DEAD);
	cr_expect_str_eq(err_text, left);
	cr_expect_eq(RUN("set", "/control/renew", "now"), CLI_DEAD);
	cr_expect_str_eq(err_text, refused);
	cr_expect_str_eq(out_text, "");
	cr_expect_eq(RUN("del", "/control/renew"), CLI_DEAD);
	in_text = "set /control/renew now\n";
	cr_expect_eq(RUN("commit", "-"), CLI_DEAD);
	cr_expect_str_eq(err_text, refused);
	cr_expect_eq(RUN("status"), CLI_DEAD);
	running = make_running(instance);
	cr_expect_eq(RUN("get", "/control/renew"), CLI_ABSENT, "nothing was written");
	cr_expect_eq(RUN("get", "/ip"), CLI_OK);
	cr_expect_str_eq(err_text, "");
}

Test(cli, denied_and_refused)
{
	cr_assert_eq(RUN("set", "/ip", "x"), CLI_DENIED);
	cr_assert_str_eq(err_text, "calfpen: /ip: the operator may not write it; keys that you may "
				   "set: /control/ /number\n");
	cr_assert_eq(RUN("del", "/ip"), CLI_DENIED);
	cr_assert_str_eq(err_text,
			 "calfpen: /ip: the operator may not delete it; keys that you may "
			 "delete: /control/ /number\n");
	cr_assert_eq(RUN("set", "/elsewhere", "x"), CLI_DENIED);
	cr_assert_eq(RUN("set", "/control/a", "12345678901234567"), CLI_VALUE);
	cr_assert_str_eq(err_text,
			 "calfpen: /control/a: the value is longer than this key allows\n");
	cr_assert_eq(RUN("set", "/number", "five"), CLI_VALUE);
	cr_assert_str_eq(err_text, "calfpen: /number: the value is not of this key's type\n");
	cr_assert_eq(RUN("set", "/control/a", "\x1b[2J"), CLI_VALUE);
	cr_assert_eq(gate_test_ctl(&test).revision, 2, "nothing happened");
}

/* What there is not is not "denied", and what may be set is said. */
Test(cli, U36_no_such_key)
{
	cr_expect_eq(RUN("set", "/none", "x"), CLI_ABSENT);
	cr_expect_str_eq(err_text, "calfpen: there is no such key: /none; keys that you may set: "
				   "/control/ /number\n");
	cr_expect_eq(RUN("del", "/none"), CLI_ABSENT);
	cr_expect_str_eq(err_text, "calfpen: there is no such key: /none; keys that you may "
				   "delete: /control/ /number\n");
	in_text = "set /control/a 2\nset /none x\n";
	cr_expect_eq(RUN("commit", "-"), CLI_ABSENT);
	cr_expect_str_eq(err_text, "calfpen: -:2: there is no such key: /none; keys that you may "
				   "set: /control/ /number\n");
	cr_expect_eq(gate_test_ctl(&test).revision, 2, "nothing happened");
}

Test(cli, U36_settable)
{
	cr_expect_eq(RUN("ls", "--settable"), CLI_OK, "%s", err_text);
	cr_expect_str_eq(out_text, "/control/\n/number\n", "also those that do not exist");
	cr_expect_eq(RUN("set", "/number", "7"), CLI_OK);
	cr_expect_eq(RUN("ls", "--settable"), CLI_OK);
	cr_expect_str_eq(out_text, "/control/\n/number  7\n");
	cr_expect_eq(RUN("ls", "--settable", "/number"), CLI_OK);
	cr_expect_str_eq(out_text, "/number  7\n");
	cr_expect_eq(RUN("ls", "--settable", "/ip"), CLI_OK);
	cr_expect_str_eq(out_text, "");
	cr_expect_eq(RUN("ls", "--settable", "--json", "/"), CLI_OK);
	cr_expect_not_null(strstr(out_text, "\"path\": \"/number\""), "%s", out_text);
	cr_expect_not_null(strstr(out_text, "\"value\": \"7\""), "%s", out_text);
	close(running);
	cr_expect_eq(RUN("ls", "--settable"), CLI_DEAD);
	running = make_running(instance);
}

Test(cli, quota)
{
	char path[32];

	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "/control/%d", i);
		cr_assert_eq(RUN("set", path, "x"), CLI_OK);
	}
	cr_assert_eq(RUN("set", "/control/4", "x"), CLI_BUSY);
	cr_assert_str_eq(err_text,
			 "calfpen: /control/4: the operator's rate limit or quota is exhausted\n");
	cr_assert_eq(RUN("del", "/control/0"), CLI_OK);
	cr_assert_eq(RUN("set", "/control/4", "x"), CLI_OK);
}

static void setup_with_few_bytes(void)
{
	operator_bytes = 2 * KV_AUDIT_COST(10, 1);
	setup();
}

Test(cli_bytes, F2_bytes_of_audit, .init = setup_with_few_bytes, .fini = teardown)
{
	cr_assert_eq(RUN("set", "/control/1", "x"), CLI_OK);
	cr_assert_eq(RUN("set", "/control/1", "x"), CLI_OK);
	cr_assert_eq(RUN("set", "/control/1", "x"), CLI_BUSY);
	cr_assert_str_eq(err_text, "calfpen: /control/1: the operator's rate of the audit log is "
				   "exhausted\n");
	cr_assert_eq(RUN("get", "/control/1"), CLI_OK);
}

Test(cli, conditions)
{
	cr_assert_eq(RUN("set", "/number", "1", "--create"), CLI_OK);
	cr_assert_eq(RUN("set", "/number", "2", "--create"), CLI_CONFLICT);
	cr_assert_str_eq(err_text, "calfpen: /number: already exists, with revision 3\n");
	cr_assert_eq(RUN("set", "/number", "2", "--if-revision", "2"), CLI_CONFLICT);
	cr_assert_str_eq(err_text, "calfpen: /number: has revision 3, not 2\n");
	cr_assert_eq(RUN("set", "/number", "2", "--if-revision", "3"), CLI_OK);
	cr_assert_str_eq(out_text, "4\n");
	cr_assert_eq(RUN("del", "/number", "--if-revision", "3"), CLI_CONFLICT);
	cr_assert_eq(RUN("del", "/number", "--if-revision", "4"), CLI_OK);
	cr_assert_eq(RUN("del", "/number", "--if-revision", "4"), CLI_CONFLICT);
	cr_assert_str_eq(err_text, "calfpen: /number: does not exist\n");
}

Test(cli, commit)
{
	in_text = "# both or none\nset /control/a 1\nset /number 7\n";
	cr_assert_eq(RUN("commit", "-"), CLI_OK, "%s", err_text);
	cr_assert_str_eq(out_text, "3\n");
	cr_assert_eq(RUN("get", "--json", "/number"), CLI_OK);
	cr_assert_not_null(strstr(out_text, "\"revision\": 3"), "one revision");
	in_text = "set /control/a 2\n\nset /ip 10.0.0.1/8\n";
	cr_assert_eq(RUN("commit", "-"), CLI_DENIED);
	cr_assert_str_eq(err_text,
			 "calfpen: -:3: /ip: the operator may not write it; keys that you "
			 "may set: /control/ /number\n");
	in_text = "set /control/a 2\nset /number x\n";
	cr_assert_eq(RUN("commit", "-"), CLI_VALUE);
	cr_assert_str_eq(err_text, "calfpen: -:2: /number: the value is not of this key's type\n");
	cr_assert_eq(RUN("get", "/control/a"), CLI_OK);
	cr_assert_str_eq(out_text, "1\n", "all or nothing");
	in_text = "set /control/a 3\ndel /number\n";
	cr_assert_eq(RUN("commit", "-", "--if-revision", "2"), CLI_CONFLICT);
	cr_assert_str_eq(err_text, "calfpen: -: a key is newer than revision 2\n");
	cr_assert_eq(RUN("commit", "-", "--if-revision", "3"), CLI_OK);
	cr_assert_str_eq(out_text, "4\n");
}

Test(cli, status)
{
	cr_assert_eq(RUN("get", "/secret"), CLI_DENIED);
	cr_assert_eq(RUN("set", "/control/a", "12345"), CLI_OK);
	cr_assert_eq(RUN("status"), CLI_OK, "%s", err_text);
	cr_assert_not_null(strstr(out_text, ", running, pid "));
	cr_assert_not_null(strstr(out_text, "store     revision 3, 3 of 2000 keys, 3 commits"));
	cr_assert_not_null(strstr(out_text, "subject   dhcp4: 2 accepted, 0 reads, 0 refused, "
					    "has 2 keys of 13 bytes\n"),
			   "%s", out_text);
	cr_assert_not_null(strstr(out_text, "subject   operator: 1 accepted, 0 reads, 1 refused, "
					    "has 1 keys of 5 bytes\n"),
			   "%s", out_text);
	cr_assert_eq(RUN("status", "--json"), CLI_OK);
	cr_assert_not_null(strstr(out_text, "\"kv\": "));
	cr_assert_not_null(strstr(out_text, "\"ring_operator\": "));
}
