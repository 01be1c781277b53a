/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's command against a real gate and a real store. */
#include "maps/pins.h"
#include "tests/bpf/support-gate.h"
#include "tests/unit/cli-capture.h"

static struct gate_test test;
static char instance[32];

static const struct test_rule calf_rules[] = { { "/ip", ALL_ACCESS, KV_CLASS_TEXT, 18 },
					       { "/secret", ALL_ACCESS, KV_CLASS_TEXT, 18 },
					       { NULL } };

static void setup(void)
{
	const struct store_rule rules[] = {
		{ .key = { "/ip" }, .rule = { .access = KV_ACCESS_READ, .max_length = 18 } },
		{ .key = { "/none" }, .rule = { .access = KV_ACCESS_READ, .max_length = 18 } },
	};
	const struct store_subject operator_subject = {
		.number = KV_SUBJECT_OPERATOR,
		.name = "operator",
		.rules = rules,
		.n_rules = 2,
		.requests_per_second = FAST,
		.request_burst = 1000,
	};
	int calf;

	if (geteuid() != 0)
		cr_skip_test("needs root");
	make_roots();
	snprintf(pins_root, sizeof(pins_root), "%s", PINS_ROOT);
	snprintf(instance, sizeof(instance), "test-%d", getpid());
	gate_test_begin(&test, 256, 4);
	cr_assert_geq(store_add_subject(&test.store, &operator_subject), 0);
	calf = gate_test_subject(&test, KV_SUBJECT_CALF, calf_rules, FAST, 1000);
	cr_assert_eq(gate_write(calf, "/ip", "10.0.2.15/24", 12, NULL), 0);
	cr_assert_eq(gate_write(calf, "/secret", "x", 1, NULL), 0);
}

static void teardown(void)
{
	gate_test_end(&test);
	remove_roots();
}

TestSuite(cli, .init = setup, .fini = teardown);

Test(cli, get)
{
	cr_assert_eq(calfpen("get", "/ip", "--instance", instance, NULL), CLI_OK, "%s", err_text);
	cr_assert_str_eq(out_text, "10.0.2.15/24\n");
	cr_assert_eq(calfpen("get", "/ip", "--json", "--instance", instance, NULL), CLI_OK);
	cr_assert_not_null(strstr(out_text, "\"value\": \"10.0.2.15/24\""));
	cr_assert_not_null(strstr(out_text, "\"revision\": 1"));
	cr_assert_eq(calfpen("get", "/none", "--instance", instance, NULL), CLI_ABSENT);
	cr_assert_str_eq(err_text, "calfpen: no such key: /none\n");
	cr_assert_eq(calfpen("get", "/secret", "--instance", instance, NULL), CLI_FAILURE);
	cr_assert_str_eq(err_text, "calfpen: /secret is not for the operator to read\n");
}

Test(cli, ls_of_a_frozen_map)
{
	cr_assert_eq(calfpen("ls", "--instance", instance, NULL), CLI_OK, "%s", err_text);
	cr_assert_str_eq(out_text, "/ip      10.0.2.15/24\n/secret  x\n");
}

Test(cli, status)
{
	cr_assert_eq(calfpen("get", "/secret", "--instance", instance, NULL), CLI_FAILURE);
	cr_assert_eq(calfpen("status", "--instance", instance, NULL), CLI_OK, "%s", err_text);
	cr_assert_not_null(strstr(out_text, ", not running\n"));
	cr_assert_not_null(strstr(out_text, "store     revision 2, 2 of 256 keys, 2 commits"));
	cr_assert_not_null(strstr(out_text, "subject   calf 1: 2 accepted, 0 reads, 0 refused\n"));
	cr_assert_not_null(strstr(out_text, "subject   operator: 0 accepted, 0 reads, 1 refused\n"),
			   "%s", out_text);
}
