/* SPDX-License-Identifier: Apache-2.0 */
/* A store with an operator and a calf, for tests of the operator's command. */
#ifndef CALFPEN_TESTS_BPF_CLI_OPERATOR_H
#define CALFPEN_TESTS_BPF_CLI_OPERATOR_H

#include "maps/pins.h"
#include "tests/bpf/support-gate.h"
#include "tests/unit/cli-capture.h"

static struct gate_test test;
static char instance[32];
static int calf, running;
static uint32_t operator_bytes = NO_LIMIT; /* of the audit log: at once */
static const struct store_rule *operator_rules;
static uint32_t n_operator_rules;

static const struct test_rule calf_rules[] = {
	{ "/", ALL_ACCESS, KV_CLASS_TEXT, KV_VALUE_MAX },
	{ "/many/psk", ALL_ACCESS | KV_ACCESS_SECRET, KV_CLASS_TEXT, KV_VALUE_MAX },
	{ NULL },
};

#define SEEN (KV_ACCESS_READ | KV_ACCESS_WATCH)
#define RULE(path_, access_, class_, length_)                                                \
	{                                                                                    \
		.key = { path_ },                                                            \
		.rule = { .access = (access_), .class = (class_), .max_length = (length_) }, \
	}

/* The operator, and a calf that may write anything. */
static inline void add_subjects(void)
{
	const struct store_subject operator_subject = {
		.number = KV_SUBJECT_OPERATOR,
		.name = "operator",
		.rules = operator_rules,
		.n_rules = n_operator_rules,
		.requests_per_second = FAST,
		.request_burst = 10000,
		.audit_bytes_per_second = operator_bytes == NO_LIMIT ? NO_LIMIT : 1,
		.audit_burst = operator_bytes,
		.max_keys = 4,
		.max_bytes = 1000,
	};

	cr_assert_eq(store_add_subjects(&test.store, &operator_subject, 1), 0);
	calf = gate_test_subject(&test, gate_test_number(&test, "dhcp4"), calf_rules, FAST, 10000);
	cr_assert_eq(store_seal(&test.store), 0);
}

/* An instance that runs, whose operator has these rights. */
static inline void begin(const struct store_rule *rules, uint32_t n_rules)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	make_roots();
	snprintf(pins_root, sizeof(pins_root), "%s", PINS_ROOT);
	snprintf(instance, sizeof(instance), "test-%d", getpid());
	make_directory(run_root, instance);
	running = make_running(instance);
	gate_test_begin(&test, 2000, 4);
	operator_rules = rules;
	n_operator_rules = n_rules;
	add_subjects();
	cr_assert_eq(gate_write(calf, "/ip", "10.0.2.15/24", 12, NULL), 0);
	cr_assert_eq(gate_write(calf, "/secret", "x", 1, NULL), 0);
}

static inline void setup(void)
{
	static const struct store_rule rules[] = {
		RULE("/ip", SEEN, KV_CLASS_TEXT, 18),
		RULE("/none", SEEN, KV_CLASS_TEXT, 18),
		RULE("/many/", SEEN, KV_CLASS_TEXT, KV_VALUE_MAX),
		RULE("/control/", SEEN | ALL_ACCESS, KV_CLASS_TEXT, 16),
		RULE("/number", SEEN | ALL_ACCESS, KV_CLASS_UINT, 10),
	};

	begin(rules, sizeof(rules) / sizeof(rules[0]));
}

static inline void teardown(void)
{
	gate_test_end(&test);
	scratch_remove();
}

/* Run a command on the instance of the test. */
#define RUN(...) calfpen("--instance", instance, __VA_ARGS__, NULL)

#endif
