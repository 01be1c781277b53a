/* SPDX-License-Identifier: Apache-2.0 */
/* The keys that the supervisor writes and deletes before the calves start. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/bpf/support-gate.h"
#include "userspace/priv/supervisor/subjects.h"

#define MAX_KEYS 512
#define N_CALVES 3

static const struct test_rule rules[] = { { "/", ALL_ACCESS, KV_CLASS_TEXT, KV_VALUE_MAX },
					  { NULL } };
static const uint8_t mac[6] = { 2, 0, 0, 0, 0x77, 1 };

static struct gate_test test;
static struct description descriptions[N_CALVES];
static struct configuration configuration;

static void add_key(struct description *description, const char *path, uint32_t access)
{
	struct key_rule *key = &description->keys[description->n_keys++];

	*key = (struct key_rule){ .access = access,
				  .rule = { .type = VALUE_TEXT, .max_length = KV_VALUE_MAX },
				  .count = 1 };
	(void)snprintf(key->path, sizeof(key->path), "%s", path);
}

static void add_option(struct description *description, const char *name)
{
	char path[KV_PATH_SIZE];

	(void)snprintf(description->options[description->n_options++].name, 32, "%s", name);
	description_option_path(description, name, path);
	add_key(description, path, KV_ACCESS_READ | KV_ACCESS_WATCH);
}

static void describe(struct description *description, const char *name)
{
	char path[KV_PATH_SIZE];

	*description = (struct description){ .requests_per_second = FAST,
					     .request_burst = FAST,
					     .audit_bytes_per_second = 1u << 20,
					     .audit_burst = 1u << 20,
					     .max_keys = 64,
					     .max_bytes = 65536 };
	(void)snprintf(description->name, sizeof(description->name), "%s", name);
	description_request_path(description, "renew", path);
	add_key(description, path, KV_ACCESS_READ | KV_ACCESS_WATCH | KV_ACCESS_DELETE);
	description_request_path(description, SUBJECTS_STOP, path);
	add_key(description, path, KV_ACCESS_READ | KV_ACCESS_WATCH | KV_ACCESS_DELETE);
	add_option(description, "hostname");
	add_option(description, "wait");
}

/* A run that wrote these keys, if any, was killed. */
static void begin(const char *const *left)
{
	bool is_empty = !*left;

	gate_test_begin(&test, MAX_KEYS, KV_SUBJECT_CALF + N_CALVES);
	(void)gate_test_subject(&test, KV_SUBJECT_SUPERVISOR, rules, FAST, FAST);
	for (; *left; left++) {
		cr_assert_eq(gate_write(test.fds[KV_SUBJECT_SUPERVISOR], *left, "left", 4, NULL), 0,
			     "%s", *left);
		gate_test_drain(&test);
	}
	store_deinit(&test.store);
	cr_assert_eq(store_init(&test.store, &test.pins, MAX_KEYS, KV_SUBJECT_CALF + N_CALVES), 0);
	cr_assert_eq(test.store.adopted, !is_empty);
	describe(&descriptions[0], "dhcp4");
	describe(&descriptions[1], "observer");
	describe(&descriptions[2], "echo");
	configuration = (struct configuration){ .handlers.metric = 1 };
}

static void write_keys(uint32_t n_descriptions)
{
	uint32_t numbers[N_CALVES];

	cr_assert_eq(subjects_number(&test.store, descriptions, n_descriptions, numbers), 0);
	for (uint32_t i = 0; i < n_descriptions; i++)
		cr_assert_eq(numbers[i], KV_SUBJECT_CALF + i);
	cr_assert_eq(subjects_begin(&test.store, descriptions, numbers, n_descriptions), 0);
	cr_assert_eq(store_finish_subjects(&test.store), 0);
	cr_assert_eq(store_seal(&test.store), 0);
	cr_assert_eq(subjects_write_keys(&test.store, mac, descriptions, n_descriptions,
					 &configuration, NULL),
		     0);
}

static const char *value_of(uint32_t subject, const char *path)
{
	static struct kv_value value;
	int r = gate_read(test.store.gate_fds[subject], path, &value);

	cr_assert(r == 0 || r == -ENOENT || r == -EACCES, "%s: %d", path, r);
	return r == -EACCES ? "denied" : r ? "absent" : value.text;
}

#define EXPECT(_path, _value) \
	cr_expect_str_eq(value_of(KV_SUBJECT_SUPERVISOR, _path), _value, "%s", _path)

/* A version that had one directory for the options of all calves, and one for requests. */
Test(supervisor_subjects_keys, upgrade_leaves_no_former_keys)
{
	static const char *const left[] = { "/config/hostname",
					    "/config/wait",
					    "/config/dhcp4",
					    "/control/renew",
					    "/control/stop",
					    "/ip",
					    NULL };

	begin(left);
	write_keys(1);
	for (size_t i = 0; i + 2 < sizeof(left) / sizeof(left[0]); i++)
		EXPECT(left[i], "absent");
	EXPECT("/ip", "left");
	EXPECT("/mac", "02:00:00:00:77:01");
	gate_test_end(&test);
}

/* A calf that was removed, and one that was not. */
Test(supervisor_subjects_keys, keys_of_removed_calves_go)
{
	static const char *const left[] = { "/config/dhcp4/hostname",
					    "/config/dhcp4/gone",
					    "/config/observer/wait",
					    "/control/dhcp4/renew",
					    "/control/dhcp4/stop",
					    "/control/observer/renew",
					    "/control/observer/a/b",
					    "/address",
					    "/configured",
					    NULL };

	begin(left);
	cr_assert_eq(configuration_set_option(&configuration, "dhcp4", "hostname", "web1", true),
		     0);
	write_keys(1);
	EXPECT("/config/dhcp4/hostname", "web1");
	EXPECT("/config/dhcp4/gone", "absent");
	EXPECT("/config/observer/wait", "absent");
	EXPECT("/control/dhcp4/renew", "left"); /* a request that waits for its calf */
	EXPECT("/control/dhcp4/stop", "absent");
	EXPECT("/control/observer/renew", "absent");
	EXPECT("/control/observer/a/b", "absent");
	EXPECT("/address", "absent");
	EXPECT("/configured", "left");
	gate_test_end(&test);
}

/* Each calf reads what is its own, and the operator asks for what a calf can do. */
Test(supervisor_subjects_keys, directories_of_their_own)
{
	static const char *const left[] = { "/control/dhcp4/renew", "/control/observer/renew",
					    NULL };
	int operator;

	begin(left);
	cr_assert_eq(configuration_set_option(&configuration, "dhcp4", "hostname", "web1", true),
		     0);
	write_keys(2);
	operator= test.store.gate_fds[KV_SUBJECT_OPERATOR];
	cr_expect_str_eq(value_of(KV_SUBJECT_CALF, "/config/dhcp4/hostname"), "web1");
	cr_expect_str_eq(value_of(KV_SUBJECT_CALF, "/config/observer/hostname"), "denied");
	cr_expect_str_eq(value_of(KV_SUBJECT_CALF, "/control/dhcp4/renew"), "left");
	cr_expect_str_eq(value_of(KV_SUBJECT_CALF, "/control/observer/renew"), "denied");
	cr_expect_str_eq(value_of(KV_SUBJECT_CALF + 1, "/control/observer/renew"), "left");
	cr_expect_str_eq(value_of(KV_SUBJECT_CALF + 1, "/control/dhcp4/renew"), "denied");
	cr_expect_str_eq(value_of(KV_SUBJECT_CALF + 1, "/config/dhcp4/hostname"), "denied");
	cr_expect_eq(gate_write(operator, "/control/observer/renew", "1", 1, NULL), 0);
	cr_expect_eq(gate_write(operator, "/control/observer/stop", "1", 1, NULL), -EACCES);
	cr_expect_eq(gate_write(operator, "/control/renew", "1", 1, NULL), -EACCES);
	cr_expect_eq(gate_write(operator, "/config/dhcp4/hostname", "1", 1, NULL), -EACCES);
	cr_expect_eq(gate_write(test.store.gate_fds[KV_SUBJECT_SUPERVISOR],
				"/control/observer/stop", "1", 1, NULL),
		     0);
	gate_test_end(&test);
}

/* All options that three calves can have, and long values: more than one commit takes. */
Test(supervisor_subjects_keys, as_many_options_as_there_can_be)
{
	static const char *const left[] = { NULL };
	char name[16], value[KV_VALUE_SIZE], path[KV_PATH_SIZE];
	struct kv_ctl ctl;

	begin(left);
	memset(value, 'x', sizeof(value));
	value[KV_VALUE_MAX] = '\0';
	for (uint32_t i = 0; i < N_CALVES; i++) {
		while (descriptions[i].n_options < DESCRIPTION_OPTIONS_MAX) {
			(void)snprintf(name, sizeof(name), "o%u", descriptions[i].n_options);
			add_option(&descriptions[i], name);
		}
		for (uint32_t j = 0; j < DESCRIPTION_OPTIONS_MAX; j++)
			cr_assert_eq(configuration_set_option(&configuration, descriptions[i].name,
							      descriptions[i].options[j].name,
							      i == 0 ? value : descriptions[i].name,
							      true),
				     0);
	}
	write_keys(N_CALVES);
	for (uint32_t i = 0; i < N_CALVES; i++)
		for (uint32_t j = 0; j < DESCRIPTION_OPTIONS_MAX; j++) {
			description_option_path(&descriptions[i], descriptions[i].options[j].name,
						path);
			EXPECT(path, i == 0 ? value : descriptions[i].name);
		}
	/* and again, when the first has gone */
	ctl = gate_test_ctl(&test);
	cr_expect_gt(ctl.revision, 1);
	store_deinit(&test.store);
	cr_assert_eq(store_init(&test.store, &test.pins, MAX_KEYS, KV_SUBJECT_CALF + N_CALVES), 0);
	configuration.n_options = 0;
	write_keys(1);
	for (uint32_t i = 0; i < N_CALVES; i++)
		for (uint32_t j = 0; j < DESCRIPTION_OPTIONS_MAX; j++) {
			description_option_path(&descriptions[i], descriptions[i].options[j].name,
						path);
			EXPECT(path, "absent");
		}
	gate_test_end(&test);
}
