/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to calves, with a real gate and a real store. */
#include "tests/bpf/cli-operator.h"

static void setup_requests(void)
{
	static const struct store_rule rules[] = {
		RULE("/", SEEN, KV_CLASS_TEXT, KV_VALUE_MAX),
		RULE("/control/dhcp4/renew", SEEN | ALL_ACCESS, KV_CLASS_TEXT, 16),
		RULE("/control/dhcp4/release", SEEN | ALL_ACCESS, KV_CLASS_TEXT, 16),
		RULE("/control/dhcp6/renew", SEEN | ALL_ACCESS, KV_CLASS_TEXT, 16),
		RULE("/control/seen/renew", SEEN, KV_CLASS_TEXT, 16),
		RULE("/control/renew", SEEN | ALL_ACCESS, KV_CLASS_TEXT, 16),
		RULE("/control/a/b/renew", SEEN | ALL_ACCESS, KV_CLASS_TEXT, 16),
		RULE("/x/dhcp4/renew", SEEN | ALL_ACCESS, KV_CLASS_TEXT, 16),
	};

	begin(rules, sizeof(rules) / sizeof(rules[0]));
}

TestSuite(cli_request, .init = setup_requests, .fini = teardown);

static const char *value_of(const char *path)
{
	static struct kv_value value;

	return gate_read(calf, path, &value) ? "" : value.text;
}

/* Deletes the requests, as a calf does. */
static void act(void)
{
	(void)gate_delete(calf, "/control/dhcp4/renew", NULL);
	(void)gate_delete(calf, "/control/dhcp4/release", NULL);
	(void)gate_delete(calf, "/control/dhcp6/renew", NULL);
}

Test(cli_request, all_calves_that_can)
{
	char want[256];

	cr_expect_eq(RUN("renew"), CLI_OK, "%s", err_text);
	cr_expect_str_eq(value_of("/control/dhcp4/renew"), "now");
	cr_expect_str_eq(value_of("/control/dhcp6/renew"), "now");
	cr_expect_str_eq(value_of("/control/dhcp4/release"), "");
	cr_expect_str_eq(value_of("/control/seen/renew"), "");
	cr_expect_str_eq(value_of("/control/renew"), "");
	cr_expect_str_eq(value_of("/control/a/b/renew"), "");
	cr_expect_str_eq(value_of("/x/dhcp4/renew"), "");
	/* one commit */
	(void)snprintf(want, sizeof(want), "%s/dhcp4  3\n%s/dhcp6  3\n", instance, instance);
	cr_expect_str_eq(out_text, want);
	act();
	cr_expect_eq(calfpen("release", instance, NULL), CLI_OK, "%s", err_text);
	cr_expect_str_eq(value_of("/control/dhcp4/release"), "now");
	cr_expect_str_eq(value_of("/control/dhcp4/renew"), "");
}

Test(cli_request, one_calf)
{
	char word[64], want[256];

	(void)snprintf(word, sizeof(word), "%s/dhcp6", instance);
	cr_expect_eq(calfpen("renew", "--json", word, NULL), CLI_OK, "%s", err_text);
	cr_expect_str_eq(value_of("/control/dhcp6/renew"), "now");
	cr_expect_str_eq(value_of("/control/dhcp4/renew"), "");
	(void)snprintf(want, sizeof(want),
		       "{\"instance\": \"%s\", \"calf\": \"dhcp6\", \"revision\": 3}\n", instance);
	cr_expect_str_eq(out_text, want);
	act();
	cr_expect_eq(calfpen("release", word, NULL), CLI_ABSENT);
	(void)snprintf(want, sizeof(want),
		       "calfpen: %s: no calf dhcp6 can release; those that can: dhcp4\n", instance);
	cr_expect_str_eq(err_text, want);
	(void)snprintf(word, sizeof(word), "%s/seen", instance);
	cr_expect_eq(calfpen("renew", word, NULL), CLI_ABSENT);
	(void)snprintf(want, sizeof(want),
		       "calfpen: %s: no calf seen can renew; those that can: dhcp4 dhcp6\n",
		       instance);
	cr_expect_str_eq(err_text, want);
	cr_expect_str_eq(value_of("/control/dhcp4/renew"), "");
}

/* The others are requested, and the highest exit code counts. */
Test(cli_request, several)
{
	char calf4[64], calf6[64];

	(void)snprintf(calf4, sizeof(calf4), "%s/dhcp4", instance);
	(void)snprintf(calf6, sizeof(calf6), "%s/dhcp6", instance);
	cr_expect_eq(calfpen("renew", calf4, calf6, NULL), CLI_OK, "%s", err_text);
	cr_expect_str_eq(value_of("/control/dhcp4/renew"), "now");
	cr_expect_str_eq(value_of("/control/dhcp6/renew"), "now");
	act();
	cr_expect_eq(calfpen("release", "other", calf6, calf4, NULL), CLI_ABSENT);
	cr_expect_not_null(strstr(err_text, "no such instance: other"), "%s", err_text);
	cr_expect_str_eq(value_of("/control/dhcp4/release"), "now");
	/* a word that is wrong: nothing at all */
	act();
	cr_expect_eq(calfpen("renew", calf4, "a/b/c", NULL), CLI_USAGE);
	cr_expect_str_eq(value_of("/control/dhcp4/renew"), "");
}

/* All are in one commit, so nothing is requested; the one that is refused is named. */
static void setup_refused(void)
{
	static const struct store_rule rules[] = {
		RULE("/control/dhcp4/renew", SEEN | ALL_ACCESS, KV_CLASS_TEXT, 1),
		RULE("/control/dhcp6/renew", SEEN | ALL_ACCESS, KV_CLASS_TEXT, 16),
		RULE("/control/dhcp4/release", SEEN | ALL_ACCESS, KV_CLASS_TEXT, 16),
		RULE("/control/dhcp6/release", SEEN | ALL_ACCESS, KV_CLASS_TEXT, 1),
	};

	begin(rules, sizeof(rules) / sizeof(rules[0]));
}

static void expect_refused(const char *command, const char *path)
{
	char want[256];

	cr_expect_eq(RUN(command), CLI_VALUE);
	(void)snprintf(want, sizeof(want),
		       "calfpen: %s: %s: the value is longer than this key allows\n", instance,
		       path);
	cr_expect_str_eq(err_text, want);
}

Test(cli_request_refused, is_named, .init = setup_refused, .fini = teardown)
{
	expect_refused("renew", "/control/dhcp4/renew");
	expect_refused("release", "/control/dhcp6/release");
	cr_expect_str_eq(value_of("/control/dhcp6/renew"), "");
}

Test(cli_request, U30_dead_instance)
{
	close(running);
	cr_expect_eq(RUN("renew"), CLI_DEAD);
	cr_expect_not_null(strstr(err_text, "is not running"), "%s", err_text);
	running = make_running(instance);
	cr_expect_str_eq(value_of("/control/dhcp4/renew"), "");
}
