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
#define ADDRESS_KEY "/address"

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
	{ { HOST_NAME_KEY },
	  { KV_ACCESS_READ | KV_ACCESS_WRITE | KV_ACCESS_DELETE, KV_CLASS_TEXT,
	    HOST_NAME_SIZE - 1 } },
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
	{ KV_NAME_SUPERVISOR, supervisor_rules, N(supervisor_rules), KV_SUBJECT_SUPERVISOR,
	  PRIV_REQUESTS_PER_SECOND, PRIV_REQUEST_BURST, SUPERVISOR_AUDIT_RATE,
	  SUPERVISOR_AUDIT_BURST, KV_KEYS_MAX, false, PRIV_BYTES },
	{ KV_NAME_WATCHER, watcher_rules, N(watcher_rules), KV_SUBJECT_WATCHER,
	  PRIV_REQUESTS_PER_SECOND, PRIV_REQUEST_BURST, WATCHER_AUDIT_RATE, WATCHER_AUDIT_BURST,
	  KV_KEYS_MAX, false, PRIV_BYTES },
	{ KV_NAME_OPERATOR, operator_rules, N(operator_rules), KV_SUBJECT_OPERATOR,
	  PRIV_REQUESTS_PER_SECOND, PRIV_REQUEST_BURST, OPERATOR_AUDIT_RATE, OPERATOR_AUDIT_BURST,
	  DESCRIPTION_HOST_KEYS, false, PRIV_BYTES },
};

uint32_t subjects_count_keys(const struct description *descriptions, uint32_t n_descriptions)
{
	uint32_t n_keys = DESCRIPTION_HOST_KEYS;

	for (uint32_t i = 0; i < n_descriptions; i++)
		for (uint32_t j = 0; j < descriptions[i].n_keys; j++)
			n_keys += descriptions[i].keys[j].count;
	return n_keys < KEYS_MIN ? KEYS_MIN : n_keys;
}

/* The rule of a path is added only once: the first one counts. */
static void add_rule(struct store_rule *rules, struct store_subject *subject,
		     const char path[static KV_PATH_SIZE], const struct kv_rule *rule)
{
	if (subject->n_rules == KV_RULES_MAX)
		return;
	for (uint32_t i = 0; i < subject->n_rules; i++)
		if (!strcmp(rules[i].key.path, path))
			return;
	rules[subject->n_rules] = (struct store_rule){ .rule = *rule };
	memcpy(rules[subject->n_rules].key.path, path, strlen(path));
	subject->n_rules++;
}

static void add_key(struct store_rule *rules, struct store_subject *subject,
		    const struct key_rule *key, uint16_t access)
{
	const struct kv_rule rule = {
		.access = access | (key->secret ? KV_ACCESS_SECRET : 0),
		.class = (uint16_t)value_rule_class(&key->rule),
		.max_length = key->rule.max_length,
	};

	add_rule(rules, subject, key->path, &rule);
}

static bool is_stop(const struct description *description, const char *path)
{
	char stop[KV_PATH_SIZE];

	description_request_path(description, SUBJECTS_STOP, stop);
	return !strcmp(path, stop);
}

/* Returns true for a key by which an operator requests something of a calf, which
 * deletes the key when it is done. Only the supervisor may ask it to stop. */
static bool is_request(const struct description *description, const struct key_rule *key)
{
	return path_is_below(key->path, DESCRIPTION_REQUESTS_DIRECTORY) &&
	       (key->access & KV_ACCESS_DELETE) && !is_stop(description, key->path);
}

/* Let the supervisor write the calf's options, and ask it to stop. */
static void describe_supervisor(const struct description *description, struct store_rule *rules,
				struct store_subject *supervisor)
{
	static const struct kv_rule option = { KV_ACCESS_READ | KV_ACCESS_WRITE | KV_ACCESS_DELETE,
					       KV_CLASS_TEXT, KV_VALUE_MAX };
	static const struct kv_rule stop = { KV_ACCESS_READ | KV_ACCESS_WRITE | KV_ACCESS_DELETE,
					     KV_CLASS_TEXT, 1 };
	char path[KV_PATH_SIZE];

	description_option_path(description, "", path);
	add_rule(rules, supervisor, path, &option);
	description_request_path(description, SUBJECTS_STOP, path);
	add_rule(rules, supervisor, path, &stop);
}

/* Returns true for an option or a request, also of a calf that was removed, or of a version
 * that had one directory for those of all calves. */
static bool is_for_calf(const char *path)
{
	return path_is_below(path, DESCRIPTION_OPTIONS_DIRECTORY) ||
	       path_is_below(path, DESCRIPTION_REQUESTS_DIRECTORY);
}

/* Let the supervisor delete those of an adopted store, wherever they are. */
static void describe_former(const struct store *store, struct store_rule *rules,
			    struct store_subject *supervisor)
{
	static const struct kv_rule rule = { KV_ACCESS_READ | KV_ACCESS_DELETE, KV_CLASS_TEXT, 0 };
	struct kv_key key, *before = NULL;

	while (!bpf_map_get_next_key(store->kv_fd, before, &key)) {
		char path[KV_PATH_SIZE];

		before = &key;
		if (!is_for_calf(key.path))
			continue;
		memcpy(path, key.path, sizeof(path));
		strrchr(path, '/')[1] = '\0';
		add_rule(rules, supervisor, path, &rule);
	}
}

/* Add the rights that depend on the calves: those of the supervisor, which writes
 * the keys that are restored after a reboot, and those of the operator. */
static void describe_priv(const struct store *store, const struct description *descriptions,
			  uint32_t n_descriptions, struct store_rule *supervisor,
			  struct store_rule *operator, struct store_subject * subjects)
{
	memcpy(supervisor, supervisor_rules, sizeof(supervisor_rules));
	memcpy(operator, operator_rules, sizeof(operator_rules));
	subjects[KV_SUBJECT_SUPERVISOR].rules = supervisor;
	subjects[KV_SUBJECT_OPERATOR].rules = operator;
	for (uint32_t i = 0; i < n_descriptions; i++) {
		describe_supervisor(&descriptions[i], supervisor, &subjects[KV_SUBJECT_SUPERVISOR]);
		for (uint32_t j = 0; j < descriptions[i].n_keys; j++) {
			const struct key_rule *key = &descriptions[i].keys[j];

			if (key->persistent)
				add_key(supervisor, &subjects[KV_SUBJECT_SUPERVISOR], key,
					KV_ACCESS_READ | KV_ACCESS_WRITE);
			if (is_request(&descriptions[i], key))
				add_key(operator, & subjects[KV_SUBJECT_OPERATOR], key,
					KV_ACCESS_READ | KV_ACCESS_WATCH | KV_ACCESS_WRITE |
						KV_ACCESS_DELETE);
		}
	}
	describe_former(store, supervisor, &subjects[KV_SUBJECT_SUPERVISOR]);
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
			.access = key->access | (key->secret ? KV_ACCESS_SECRET : 0),
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

int subjects_begin(struct store *store, const struct description *descriptions,
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
	describe_priv(store, descriptions, n_descriptions, rules, rules + KV_RULES_MAX, subjects);
	for (uint32_t i = 0; i < n_descriptions; i++)
		describe_calf(&descriptions[i], numbers[i],
			      rules + n_priv_rules + (size_t)i * KEY_TABLE_KEYS_MAX,
			      &subjects[KV_SUBJECT_CALF + i]);
	r = store_begin_subjects(store, subjects, KV_SUBJECT_CALF + n_descriptions);
	free(rules);
	return r;
}

/* The first keys, in as few commits as they fit into. */
struct first_keys {
	const struct store *store;
	struct commit commit;
};

static int commit_keys(struct first_keys *keys)
{
	int r = keys->commit.n_changes ? gate_commit(keys->store->gate_fds[KV_SUBJECT_SUPERVISOR],
						     &keys->commit, NULL, NULL) :
					 0;

	commit_init(&keys->commit);
	return r;
}

static int write_key(struct first_keys *keys, const char *path, const char *text)
{
	int r = commit_write(&keys->commit, path, text, strlen(text));

	if (r != -E2BIG)
		return r;
	r = commit_keys(keys);
	return r ? r : commit_write(&keys->commit, path, text, strlen(text));
}

static int delete_key(struct first_keys *keys, const char *path)
{
	int r = commit_delete(&keys->commit, path);

	if (r != -E2BIG)
		return r;
	r = commit_keys(keys);
	return r ? r : commit_delete(&keys->commit, path);
}

static bool is_option(const struct description *description,
		      const struct configuration *configuration, const char *path)
{
	char option[KV_PATH_SIZE];

	for (uint32_t i = 0; i < description->n_options; i++) {
		const char *name = description->options[i].name;

		description_option_path(description, name, option);
		if (!strcmp(path, option))
			return configuration_find_option(configuration, description->name, name) !=
			       NULL;
	}
	return false;
}

/* Returns true for a key below /config that is configured, or a request below /control that
 * waits for a calf of this run. */
static bool is_present(const struct description *descriptions, uint32_t n_descriptions,
		       const struct configuration *configuration, const char *path)
{
	for (uint32_t i = 0; i < n_descriptions; i++) {
		const struct key_rule *key = description_find_key(&descriptions[i], path);

		if (is_option(&descriptions[i], configuration, path) ||
		    (key && (key->access & KV_ACCESS_DELETE) && !is_stop(&descriptions[i], path)))
			return true;
	}
	return false;
}

/* Delete stale keys of the previous run: options, the address that it took over, and
 * requests, among them those to stop if it was killed after writing them. */
static int delete_stale(struct first_keys *keys, const struct description *descriptions,
			uint32_t n_descriptions, const struct configuration *configuration,
			bool has_address)
{
	struct kv_key key, *before = NULL;
	int r = 0;

	while (!r && !bpf_map_get_next_key(keys->store->kv_fd, before, &key)) {
		if (is_for_calf(key.path) ?
			    !is_present(descriptions, n_descriptions, configuration, key.path) :
			    !has_address && !strcmp(key.path, ADDRESS_KEY))
			r = delete_key(keys, key.path);
		before = &key;
	}
	return r;
}

static int write_address(struct first_keys *keys, const struct value_ipv4_net *address)
{
	char text[VALUE_IPV4_NET_SIZE];

	value_format_ipv4_net(address, text);
	return write_key(keys, ADDRESS_KEY, text);
}

static int write_options(struct first_keys *keys, const struct description *description,
			 const struct configuration *configuration)
{
	char path[KV_PATH_SIZE];
	int r = 0;

	for (uint32_t i = 0; !r && i < description->n_options; i++) {
		const char *name = description->options[i].name;
		const struct configuration_option *option =
			configuration_find_option(configuration, description->name, name);

		description_option_path(description, name, path);
		if (option)
			r = write_key(keys, path, option->value);
	}
	return r;
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
			const struct description *descriptions, uint32_t n_descriptions,
			const struct configuration *configuration,
			const struct value_ipv4_net *address)
{
	struct first_keys *keys = malloc(sizeof(*keys));
	char text[VALUE_MAC_SIZE];
	int r;

	if (!keys)
		return -ENOMEM;
	keys->store = store;
	commit_init(&keys->commit);
	value_format_mac(mac, text);
	r = delete_stale(keys, descriptions, n_descriptions, configuration, address != NULL);
	if (!r)
		r = write_key(keys, "/mac", text);
	for (uint32_t i = 0; !r && i < n_descriptions; i++)
		r = write_options(keys, &descriptions[i], configuration);
	if (!r && address)
		r = write_address(keys, address);
	if (!r)
		r = commit_keys(keys);
	if (r)
		log_error("store: cannot write the first keys: %s", strerror(-r));
	free(keys);
	return r;
}
