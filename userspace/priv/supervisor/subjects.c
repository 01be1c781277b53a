/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/supervisor/subjects.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "maps/frame.h"
#include "userspace/common/gate.h"
#include "userspace/common/host_name.h"
#include "userspace/common/link_macs.h"
#include "userspace/common/log.h"
#include "userspace/common/path.h"

#define ALL_KEYS "/"
#define CONFIG_DIRECTORY "/config"
#define CONTROL_DIRECTORY "/control"
#define ADDRESS_KEY "/address"

/* Keys that priv itself writes: /mac, /address, /link, /host/name, and two below /status for
 * each handler; /config/... and /link/macs/... are counted with the calf that reads it. */
#define PRIV_KEYS 32
#define KEYS_MIN 256

/* Priv's own subjects act in bursts: listing the store again reads every key. */
#define PRIV_REQUESTS_PER_SECOND 20000
#define PRIV_REQUEST_BURST (2 * KV_KEYS_MAX)
#define PRIV_BYTES ((uint64_t)KV_KEYS_MAX * KV_VALUE_MAX)

/* Bytes of the audit log per second, and at once. The supervisor's first commit has all
 * options; the operator may type in what is in a file. The watcher reports what it did
 * for each change of a calf, so its limit, too, limits how fast a calf can fill the log. */
#define SUPERVISOR_AUDIT_RATE (1u << 20)
#define SUPERVISOR_AUDIT_BURST (4u << 20)
#define WATCHER_AUDIT_RATE (16u << 10)
#define WATCHER_AUDIT_BURST (1u << 20)
#define OPERATOR_AUDIT_RATE (1u << 20)
#define OPERATOR_AUDIT_BURST (1u << 20)

/* The watcher has no right to watch, because it reads the ring of all events
 * instead of a ring of its own. */
#define READ_ALL(more)                                                       \
	{                                                                    \
		{ ALL_KEYS },                                                \
		{                                                            \
			KV_ACCESS_READ | (more), KV_CLASS_TEXT, KV_VALUE_MAX \
		}                                                            \
	}

static const struct store_rule supervisor_rules[] = {
	READ_ALL(0),
	{ { "/mac" }, { KV_ACCESS_READ | KV_ACCESS_WRITE, KV_CLASS_TEXT, VALUE_MAC_SIZE - 1 } },
	{ { ADDRESS_KEY },
	  { KV_ACCESS_READ | KV_ACCESS_WRITE | KV_ACCESS_DELETE, KV_CLASS_TEXT,
	    VALUE_IPV4_NET_SIZE - 1 } },
	{ { CONFIG_DIRECTORY "/" },
	  { KV_ACCESS_READ | KV_ACCESS_WRITE | KV_ACCESS_DELETE, KV_CLASS_TEXT, KV_VALUE_MAX } },
	{ { HOST_NAME_KEY },
	  { KV_ACCESS_READ | KV_ACCESS_WRITE | KV_ACCESS_DELETE, KV_CLASS_TEXT,
	    HOST_NAME_SIZE - 1 } },
	{ { SUBJECTS_STOP_KEY },
	  { KV_ACCESS_READ | KV_ACCESS_WRITE | KV_ACCESS_DELETE, KV_CLASS_TEXT, 1 } },
	{ { FRAME_QUARANTINE_KEY }, { KV_ACCESS_READ | KV_ACCESS_DELETE, KV_CLASS_TEXT, 0 } },
};

static const struct store_rule watcher_rules[] = {
	READ_ALL(0),
	{ { "/link" }, { KV_ACCESS_READ | KV_ACCESS_WRITE, KV_CLASS_TEXT, sizeof("down") - 1 } },
	{ { LINK_MACS_DIRECTORY "/" },
	  { KV_ACCESS_READ | KV_ACCESS_WRITE | KV_ACCESS_DELETE, KV_CLASS_TEXT, KV_VALUE_MAX } },
	{ { "/status/" },
	  { KV_ACCESS_READ | KV_ACCESS_WRITE | KV_ACCESS_DELETE, KV_CLASS_TEXT, KV_VALUE_MAX } },
	{ { "/status/metrics/" },
	  { KV_ACCESS_READ | KV_ACCESS_WRITE | KV_ACCESS_DELETE, KV_CLASS_TEXT, KV_VALUE_MAX } },
};

static const struct store_rule operator_rules[] = {
	READ_ALL(KV_ACCESS_WATCH),
};

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const struct store_subject priv_subjects[] = {
	{ KV_SUBJECT_SUPERVISOR, KV_NAME_SUPERVISOR, supervisor_rules, N(supervisor_rules),
	  PRIV_REQUESTS_PER_SECOND, PRIV_REQUEST_BURST, SUPERVISOR_AUDIT_RATE,
	  SUPERVISOR_AUDIT_BURST, KV_KEYS_MAX, PRIV_BYTES },
	{ KV_SUBJECT_WATCHER, KV_NAME_WATCHER, watcher_rules, N(watcher_rules),
	  PRIV_REQUESTS_PER_SECOND, PRIV_REQUEST_BURST, WATCHER_AUDIT_RATE, WATCHER_AUDIT_BURST,
	  KV_KEYS_MAX, PRIV_BYTES },
	{ KV_SUBJECT_OPERATOR, KV_NAME_OPERATOR, operator_rules, N(operator_rules),
	  PRIV_REQUESTS_PER_SECOND, PRIV_REQUEST_BURST, OPERATOR_AUDIT_RATE, OPERATOR_AUDIT_BURST,
	  PRIV_KEYS, PRIV_BYTES },
};

uint32_t subjects_count_keys(const struct description *descriptions, uint32_t n_descriptions)
{
	uint32_t n_keys = PRIV_KEYS;

	for (uint32_t i = 0; i < n_descriptions; i++)
		for (uint32_t j = 0; j < descriptions[i].n_keys; j++)
			n_keys += descriptions[i].keys[j].count;
	return n_keys < KEYS_MIN ? KEYS_MIN : n_keys;
}

/* Two calves may have the same key: add its rule only once. */
static void add_rule(struct store_rule *rules, struct store_subject *subject,
		     const struct key_rule *key, uint16_t access)
{
	struct store_rule *rule = &rules[subject->n_rules];

	if (subject->n_rules == KV_RULES_MAX)
		return;
	for (uint32_t i = 0; i < subject->n_rules; i++)
		if (!strcmp(rules[i].key.path, key->path))
			return;
	memcpy(rule->key.path, key->path, sizeof(rule->key.path));
	rule->rule = (struct kv_rule){
		.access = access,
		.class = (uint16_t)value_rule_class(&key->rule),
		.max_length = key->rule.max_length,
	};
	subject->n_rules++;
}

/* Returns true for a key by which an operator requests something of a calf, which
 * deletes the key when it is done. Only the supervisor may ask it to stop. */
static bool is_request(const struct key_rule *key)
{
	return path_is_below(key->path, CONTROL_DIRECTORY) && (key->access & KV_ACCESS_DELETE) &&
	       strcmp(key->path, SUBJECTS_STOP_KEY) != 0;
}

/* Add the rights that depend on the calves: those of the supervisor, which writes
 * the keys that are restored after a reboot, and those of the operator. */
static void describe_priv(const struct description *descriptions, uint32_t n_descriptions,
			  struct store_rule *supervisor, struct store_rule *operator,
			  struct store_subject * subjects)
{
	memcpy(supervisor, supervisor_rules, sizeof(supervisor_rules));
	memcpy(operator, operator_rules, sizeof(operator_rules));
	subjects[KV_SUBJECT_SUPERVISOR].rules = supervisor;
	subjects[KV_SUBJECT_OPERATOR].rules = operator;
	for (uint32_t i = 0; i < n_descriptions; i++)
		for (uint32_t j = 0; j < descriptions[i].n_keys; j++) {
			const struct key_rule *key = &descriptions[i].keys[j];

			if (key->persistent)
				add_rule(supervisor, &subjects[KV_SUBJECT_SUPERVISOR], key,
					 KV_ACCESS_READ | KV_ACCESS_WRITE);
			if (is_request(key))
				add_rule(operator, & subjects[KV_SUBJECT_OPERATOR], key,
					 KV_ACCESS_READ | KV_ACCESS_WATCH | KV_ACCESS_WRITE |
						 KV_ACCESS_DELETE);
		}
}

static void describe_calf(const struct description *description, uint32_t number,
			  struct store_rule *rules, struct store_subject *subject)
{
	*subject = (struct store_subject){
		.number = number,
		.name = description->name,
		.rules = rules,
		.n_rules = description->n_keys,
		.requests_per_second = description->requests_per_second,
		.request_burst = description->request_burst,
		.audit_bytes_per_second = description->audit_bytes_per_second,
		.audit_burst = description->audit_burst,
		.max_keys = description->max_keys,
		.max_bytes = description->max_bytes,
	};
	for (uint32_t j = 0; j < description->n_keys; j++) {
		const struct key_rule *key = &description->keys[j];

		/* description_load() checked it: canonical, or a directory */
		memcpy(rules[j].key.path, key->path, sizeof(rules[j].key.path));
		rules[j].rule = (struct kv_rule){
			.access = key->access,
			.class = (uint16_t)value_rule_class(&key->rule),
			.max_length = key->rule.max_length,
		};
	}
}

int subjects_number(const struct store *store, const struct description *descriptions,
		    uint32_t n_descriptions, uint32_t *numbers)
{
	const char *names[OPTIONS_CALVES_MAX];
	uint32_t refused = 0;
	int r;

	for (uint32_t i = 0; i < n_descriptions; i++)
		names[i] = descriptions[i].name;
	r = store_number_calves(store, names, n_descriptions, numbers, &refused);
	if (r == -ENOSPC)
		log_error("%s/" DESCRIPTION_FILE ":%u: the store has no number left for the calf "
			  "\"%s\": all %d have been given, also to calves that were removed; to "
			  "start with an empty store: rm -r %s",
			  descriptions[refused].directory, descriptions[refused].name_line,
			  descriptions[refused].name, KV_SUBJECTS_MAX - KV_SUBJECT_CALF,
			  store->pins->directory);
	return r;
}

int subjects_add(struct store *store, const struct description *descriptions,
		 const uint32_t *numbers, uint32_t n_descriptions)
{
	const size_t n_priv_rules = 2 * (size_t)KV_RULES_MAX; /* supervisor's and operator's */
	struct store_subject subjects[KV_SUBJECTS_MAX];
	struct store_rule *rules;
	int r;

	rules = calloc(n_priv_rules + (size_t)n_descriptions * KEY_TABLE_KEYS_MAX, sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	memcpy(subjects, priv_subjects, sizeof(priv_subjects));
	describe_priv(descriptions, n_descriptions, rules, rules + KV_RULES_MAX, subjects);
	for (uint32_t i = 0; i < n_descriptions; i++)
		describe_calf(&descriptions[i], numbers[i],
			      rules + n_priv_rules + (size_t)i * KEY_TABLE_KEYS_MAX,
			      &subjects[KV_SUBJECT_CALF + i]);
	r = store_add_subjects(store, subjects, KV_SUBJECT_CALF + n_descriptions);
	free(rules);
	return r ? r : store_seal(store);
}

static bool is_configured(const struct configuration *configuration, const char *name)
{
	for (uint32_t i = 0; i < configuration->n_options; i++)
		if (!strcmp(configuration->options[i].name, name))
			return true;
	return false;
}

/* Delete stale keys of the previous run: options, the address that it took over,
 * and the stop request if it was killed after writing that. */
static int delete_stale(const struct store *store, const struct configuration *configuration,
			bool has_address, struct commit *commit)
{
	struct kv_key key, *before = NULL;
	int r = 0;

	while (!r && !bpf_map_get_next_key(store->kv_fd, before, &key)) {
		if (path_is_below(key.path, CONFIG_DIRECTORY) ?
			    !is_configured(configuration, key.path + strlen(CONFIG_DIRECTORY "/")) :
			    (!has_address && !strcmp(key.path, ADDRESS_KEY)) ||
				    !strcmp(key.path, SUBJECTS_STOP_KEY))
			r = commit_delete(commit, key.path);
		before = &key;
	}
	return r;
}

static int write_address(struct commit *commit, const struct value_ipv4_net *address)
{
	char text[VALUE_IPV4_NET_SIZE];

	value_format_ipv4_net(address, text);
	return commit_write(commit, ADDRESS_KEY, text, strlen(text));
}

int subjects_forget_lease(const struct store *store)
{
	int gate_fd = store->gate_fds[KV_SUBJECT_SUPERVISOR];
	struct kv_value value;
	int r = gate_read(gate_fd, FRAME_QUARANTINE_KEY, &value);

	if (!r)
		r = gate_delete(gate_fd, FRAME_QUARANTINE_KEY, NULL);
	if (r && r != -ENOENT)
		log_error("cannot delete stale %s: %s", FRAME_QUARANTINE_KEY, strerror(-r));
	return r == -ENOENT ? 0 : r;
}

int subjects_write_keys(const struct store *store, const uint8_t mac[6],
			const struct configuration *configuration,
			const struct value_ipv4_net *address)
{
	struct commit *commit = malloc(sizeof(*commit));
	char text[VALUE_MAC_SIZE], path[KV_PATH_SIZE];
	int r;

	if (!commit)
		return -ENOMEM;
	commit_init(commit);
	value_format_mac(mac, text);
	r = commit_write(commit, "/mac", text, strlen(text));
	for (uint32_t i = 0; !r && i < configuration->n_options; i++) {
		const struct configuration_option *option = &configuration->options[i];

		snprintf(path, sizeof(path), CONFIG_DIRECTORY "/%s", option->name);
		r = commit_write(commit, path, option->value, strlen(option->value));
	}
	if (!r && address)
		r = write_address(commit, address);
	if (!r)
		r = delete_stale(store, configuration, address, commit);
	if (!r)
		r = gate_commit(store->gate_fds[KV_SUBJECT_SUPERVISOR], commit, NULL, NULL);
	if (r)
		log_error("store: cannot write the first keys: %s", strerror(-r));
	free(commit);
	return r;
}
