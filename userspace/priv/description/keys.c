/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a description: paths, access, types and their bounds. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/path.h"
#include "userspace/priv/description/description-private.h"

static int parse_type(struct yaml_file *file, yaml_node_t *node, enum value_type *typep)
{
	const char *names[_VALUE_TYPE_N];
	size_t i = 0;
	int r;

	for (int type = 0; type < _VALUE_TYPE_N; type++)
		names[type] = value_type_name((enum value_type)type);
	r = yaml_choice(file, node, "type", names, _VALUE_TYPE_N, &i);
	if (r < 0)
		return r;
	*typep = (enum value_type)i;
	return 0;
}

/* Each choice is a word; they are stored joined by blanks. *longestp, the longest
 * length of the type's values, is raised to that of the longest choice. */
static int parse_choices(struct yaml_file *file, yaml_node_t *node, struct value_rule *rule,
			 uint32_t *longestp)
{
	char word[sizeof(rule->choices)];
	uint32_t n;
	int r;

	if (rule->type == VALUE_TEXT)
		*longestp = 0; /* text has no values but its choices */
	r = yaml_sequence(file, node, "choices", sizeof(rule->choices), &n);
	if (!r && n == 0)
		return yaml_refuse(file, node, "choices is empty");
	for (uint32_t i = 0; !r && i < n; i++) {
		yaml_node_t *item = yaml_sequence_at(file, node, i);
		size_t used = strlen(rule->choices), length;

		r = yaml_text(file, item, "choice", word, sizeof(word));
		if (r < 0)
			break;
		length = strlen(word);
		if (strchr(word, ' '))
			return yaml_refuse(file, item, "choice \"%s\" contains a blank", word);
		if (used + (used > 0) + length >= sizeof(rule->choices))
			return yaml_refuse(file, item, "the choices are longer than %zu bytes",
					   sizeof(rule->choices) - 1);
		if (used > 0)
			rule->choices[used++] = ' ';
		memcpy(rule->choices + used, word, length + 1);
		if (length > *longestp)
			*longestp = (uint32_t)length;
	}
	return r;
}

/* The bounds of a number: those of its type, or narrower ones. */
static int parse_bounds(struct yaml_file *file, const struct description_rule_nodes *nodes,
			struct value_rule *rule)
{
	int64_t signed_max;
	int r = 0;

	rule->min = 0;
	rule->max = 0;
	if (!value_type_bounds(rule->type, &rule->min, &rule->max))
		return nodes->min || nodes->max ?
			       yaml_refuse(file, nodes->min ? nodes->min : nodes->max,
					   "%s is allowed for numbers and numbered-hex only",
					   nodes->min ? "min" : "max") :
			       0;
	signed_max = (int64_t)rule->max;
	if (nodes->min)
		r = yaml_s64(file, nodes->min, "min", rule->min,
			     signed_max < 0 ? INT64_MAX : signed_max, &rule->min);
	if (r < 0 || !nodes->max)
		return r;
	if (value_type_is_signed(rule->type)) {
		r = yaml_s64(file, nodes->max, "max", rule->min, signed_max, &signed_max);
		rule->max = (uint64_t)signed_max;
		return r;
	}
	return yaml_u64(file, nodes->max, "max", (uint64_t)rule->min, rule->max, &rule->max);
}

int description_parse_rule(struct yaml_file *file, const struct description_rule_nodes *nodes,
			   struct value_rule *rule)
{
	uint32_t max_length;
	int r;

	r = parse_type(file, nodes->type, &rule->type);
	if (!r)
		r = parse_bounds(file, nodes, rule);
	if (r < 0)
		return r;
	max_length = value_type_max_length(rule->type);
	if (nodes->choices) {
		r = parse_choices(file, nodes->choices, rule, &max_length);
		if (r < 0)
			return r;
	}
	if (nodes->max_length) {
		r = yaml_u32(file, nodes->max_length, "max_length", 1, max_length, &max_length);
		if (r < 0)
			return r;
	}
	rule->max_length = (uint16_t)max_length;
	return 0;
}

static int parse_access(struct yaml_file *file, yaml_node_t *node, uint32_t *accessp)
{
	static const char *const names[] = { "read", "write", "delete", "watch" };
	static const uint32_t bits[] = { KV_ACCESS_READ, KV_ACCESS_WRITE, KV_ACCESS_DELETE,
					 KV_ACCESS_WATCH };
	uint32_t n, access = 0;
	int r;

	r = yaml_sequence(file, node, "access", 4, &n);
	if (r < 0)
		return r;
	if (n == 0)
		return yaml_refuse(file, node, "access is empty");
	for (uint32_t i = 0; i < n; i++) {
		yaml_node_t *item = yaml_sequence_at(file, node, i);
		size_t choice = 0;

		r = yaml_choice(file, item, "access", names, 4, &choice);
		if (r < 0)
			return r;
		if ((access & bits[choice]) != 0)
			return yaml_refuse(file, item, "access \"%s\" is repeated", names[choice]);
		access |= bits[choice];
	}
	/* A watch begins with the current values, which the calf must be able to read. */
	if ((access & KV_ACCESS_WATCH) != 0 && (access & KV_ACCESS_READ) == 0)
		return yaml_refuse(file, node, "access \"watch\" requires \"read\"");
	*accessp = access;
	return 0;
}

/* Returns true for a path that options of another calf have. */
static bool is_of_other_calf(const char *path, const char *own_options)
{
	const char *calf = path + strlen(DESCRIPTION_OPTIONS_DIRECTORY "/");

	return strlen(path) > strlen(DESCRIPTION_OPTIONS_DIRECTORY "/") && strchr(calf, '/') &&
	       strncmp(path, own_options, strlen(own_options)) != 0;
}

/* Keys and directories that the host writes, or will write, with all below them. A key that
 * a description could write here would let the calf forge the host's state. */
static const struct {
	const char *path;
	const char *writers;
	bool has_requests; /* keys below it are requests to a calf, which deletes them */
} host_paths[] = {
	{ "/mac", "the host", false },
	{ "/link", "the host", false },
	{ "/link-local", "the host", false },
	{ "/address", "the host", false },
	{ "/ip6-state", "the host", false },
	{ "/identity", "the host", false },
	{ "/clock-state", "the host", false },
	{ "/host", "the host", false },
	{ "/status", "the host", false },
	{ DESCRIPTION_REQUESTS_DIRECTORY, "the operator and the supervisor", true },
};

/* Returns 0, or -EINVAL after one line on stderr if the key is the host's and the
 * description asks for more than a calf may do with it. */
static int check_host_path(struct yaml_file *file, yaml_node_t *node, const struct key_rule *key)
{
	for (size_t i = 0; i < sizeof(host_paths) / sizeof(host_paths[0]); i++) {
		const char *path = host_paths[i].path;
		bool is_directory = key->path[strlen(key->path) - 1] == '/';
		bool may_delete = host_paths[i].has_requests && !is_directory &&
				  key->path[strlen(path)] == '/';
		uint32_t refused = may_delete ? KV_ACCESS_WRITE :
						KV_ACCESS_WRITE | KV_ACCESS_DELETE;

		if (!path_is_below(key->path, path))
			continue;
		/* The operator may write what the calf may delete, but for the one request
		 * that is the supervisor's. */
		if (host_paths[i].has_requests && is_directory && (key->access & KV_ACCESS_DELETE))
			return yaml_refuse(
				file, node,
				"access \"delete\" to directory \"%s\": name each request",
				key->path);
		if (key->access & refused)
			return yaml_refuse(
				file, node,
				"access \"%s\" to \"%s\": only %s may; a calf may read%s",
				key->access & KV_ACCESS_WRITE ? "write" : "delete", key->path,
				host_paths[i].writers,
				may_delete ? ", watch and delete it" : " and watch it");
		if (key->persistent)
			return yaml_refuse(
				file, node,
				"persistent is not allowed for \"%s\", which belongs to %s",
				key->path, host_paths[i].writers);
	}
	return 0;
}

bool description_is_host_path(const char *path)
{
	for (size_t i = 0; i < sizeof(host_paths) / sizeof(host_paths[0]); i++)
		if (path_is_below(path, host_paths[i].path))
			return true;
	return path_is_below(path, DESCRIPTION_OPTIONS_DIRECTORY);
}

/* Requests to a calf are its own, and so are its options, which need no entry. It may only
 * look at those of others. */
static int check_owner(struct yaml_file *file, yaml_node_t *node,
		       const struct description *description, const char *path, bool is_of_any)
{
	char requests[KV_PATH_SIZE], options[KV_PATH_SIZE];

	description_request_path(description, "", requests);
	description_option_path(description, "", options);
	if (path_is_below(path, DESCRIPTION_OPTIONS_DIRECTORY) &&
	    (!is_of_any || !strncmp(path, options, strlen(options))))
		return yaml_refuse(file, node,
				   "path \"%s\": " DESCRIPTION_OPTIONS_DIRECTORY
				   " and keys below it are created from options%s",
				   path,
				   is_of_other_calf(path, options) ?
					   "; those of another calf require \"of: any\"" :
					   "");
	if (path_is_below(path, DESCRIPTION_REQUESTS_DIRECTORY) && !is_of_any &&
	    strncmp(path, requests, strlen(requests)) != 0)
		return yaml_refuse(file, node,
				   "path \"%s\": requests to this calf are below %s; those to "
				   "another calf require \"of: any\"",
				   path, requests);
	return 0;
}

/* "/ip", or a directory "/nameserver/", which must leave room for a segment. */
static int parse_path(struct yaml_file *file, yaml_node_t *node,
		      const struct description *description, char path[KV_PATH_SIZE])
{
	char probe[KV_PATH_SIZE + 1];
	size_t length;
	int r;

	r = yaml_text(file, node, "path", path, KV_PATH_SIZE);
	if (r < 0)
		return r;
	length = strlen(path);
	memcpy(probe, path, length + 1);
	if (length > 1 && path[length - 1] == '/')
		memcpy(probe + length, "0", 2);
	if (!path_is_canonical(probe))
		return yaml_refuse(file, node,
				   "path \"%s\" is not canonical; use a leading slash, then 1 to "
				   "%d names of a-z 0-9 . _ -",
				   path, KV_SEGMENTS_MAX);
	for (uint32_t i = 0; i < description->n_keys; i++)
		if (strcmp(description->keys[i].path, path) == 0)
			return yaml_refuse(file, node, "path \"%s\" is repeated", path);
	return 0;
}

/* Other calves write the key, so this one may not. */
static int parse_of(struct yaml_file *file, yaml_node_t *node, const struct key_rule *key)
{
	static const char *const names[] = { "any" };
	size_t i;
	int r;

	r = yaml_choice(file, node, "of", names, 1, &i);
	if (r < 0)
		return r;
	if (key->access & (KV_ACCESS_WRITE | KV_ACCESS_DELETE))
		return yaml_refuse(file, node,
				   "\"of: any\" is not allowed with access \"%s\": a calf may only "
				   "read and watch the keys of others",
				   key->access & KV_ACCESS_WRITE ? "write" : "delete");
	if (key->persistent)
		return yaml_refuse(file, node,
				   "\"of: any\" is not allowed with persistent: the "
				   "calf that writes a key says whether it is saved");
	return 0;
}

/* A key that the calf cannot write is another's, and so is its secret. So a secret is never
 * of the host, and never "of: any". */
static int parse_secret(struct yaml_file *file, yaml_node_t *node, struct key_rule *key)
{
	int r = yaml_bool(file, node, "secret", &key->secret);

	if (!r && key->secret && !(key->access & KV_ACCESS_WRITE))
		return yaml_refuse(file, node,
				   "secret requires access \"write\": it is for the calf that "
				   "writes the key");
	return r;
}

static int parse_key(struct yaml_file *file, yaml_node_t *node, struct description *description)
{
	enum {
		PATH,
		TYPE,
		ACCESS,
		MIN,
		MAX,
		MAX_LENGTH,
		CHOICES,
		COUNT,
		PERSISTENT,
		SECRET,
		OF,
		N
	};
	static const char *const names[N] = { "path",	    "type",	  "access",  "min",
					      "max",	    "max_length", "choices", "count",
					      "persistent", "secret",	  "of" };
	struct key_rule *key = &description->keys[description->n_keys];
	yaml_node_t *values[N];
	bool is_directory;
	int r;

	r = yaml_fields(file, node, "a key", names, N, ACCESS + 1, values);
	if (r < 0)
		return r;
	r = parse_path(file, values[PATH], description, key->path);
	if (r < 0)
		return r;
	r = description_parse_rule(
		file,
		&(struct description_rule_nodes){ values[TYPE], values[MIN], values[MAX],
						  values[MAX_LENGTH], values[CHOICES] },
		&key->rule);
	if (r < 0)
		return r;
	r = parse_access(file, values[ACCESS], &key->access);
	if (r < 0)
		return r;
	is_directory = key->path[strlen(key->path) - 1] == '/';
	if (is_directory && !values[COUNT])
		return yaml_refuse(file, node, "directory \"%s\" has no field \"count\"",
				   key->path);
	if (!is_directory && values[COUNT])
		return yaml_refuse(file, values[COUNT], "count is allowed for directories only");
	key->count = 1;
	if (is_directory) {
		r = yaml_u32(file, values[COUNT], "count", 1, KV_KEYS_MAX, &key->count);
		if (r < 0)
			return r;
	}
	if (values[PERSISTENT]) {
		r = yaml_bool(file, values[PERSISTENT], "persistent", &key->persistent);
		if (r < 0)
			return r;
	}
	if (values[SECRET]) {
		r = parse_secret(file, values[SECRET], key);
		if (r < 0)
			return r;
	}
	if (values[OF]) {
		r = parse_of(file, values[OF], key);
		if (r < 0)
			return r;
		description->keys_of_any[description->n_keys] = true;
	}
	r = check_owner(file, values[PATH], description, key->path, values[OF] != NULL);
	if (r < 0)
		return r;
	r = check_host_path(file, values[ACCESS], key);
	if (r < 0)
		return r;
	description->key_lines[description->n_keys] = yaml_line(node);
	description->n_keys++;
	return 0;
}

uint32_t description_count_keys(const struct description *description)
{
	uint32_t total = 0;

	for (uint32_t i = 0; i < description->n_keys; i++)
		total += description->keys[i].count;
	return total;
}

int description_parse_keys(struct yaml_file *file, yaml_node_t *node,
			   struct description *description)
{
	uint32_t n;
	int r;

	r = yaml_sequence(file, node, "keys", KEY_TABLE_KEYS_MAX, &n);
	for (uint32_t i = 0; !r && i < n; i++) {
		yaml_node_t *item = yaml_sequence_at(file, node, i);

		r = parse_key(file, item, description);
		if (!r && description_count_keys(description) > KV_KEYS_MAX)
			r = yaml_refuse(file, item, "the keys up to here add up to more than %d",
					KV_KEYS_MAX);
	}
	return r;
}
