/* SPDX-License-Identifier: Apache-2.0 */
/* The options of a description, each of which is a key below /config, too. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/path.h"
#include "userspace/priv/description/description-private.h"

static int parse_default(struct yaml_file *file, yaml_node_t *node,
			 struct description_option *option)
{
	int r;

	r = yaml_text(file, node, "default", option->value, sizeof(option->value));
	if (r < 0)
		return r;
	r = value_check(&option->rule, option->value, strlen(option->value));
	if (r == -EMSGSIZE)
		return yaml_refuse(file, node, "default is longer than %u bytes",
				   option->rule.max_length);
	if (r < 0)
		return yaml_refuse(file, node, "default \"%s\" is not a valid %s", option->value,
				   value_type_name(option->rule.type));
	option->has_default = true;
	return 0;
}

/* Add the option's key, which the calf may read and watch. */
static int add_option_key(struct yaml_file *file, yaml_node_t *node,
			  struct description *description, const struct description_option *option)
{
	struct key_rule *key = &description->keys[description->n_keys];
	char path[KV_PATH_SIZE] = "";

	if (description->n_keys == KEY_TABLE_KEYS_MAX)
		return yaml_refuse(file, node, "more than %d keys, options included",
				   KEY_TABLE_KEYS_MAX);
	description_option_path(description, option->name, path);
	if (!path_is_canonical(path))
		return yaml_refuse(file, node, "option name \"%s\" must consist of a-z 0-9 . _ -",
				   option->name);
	for (uint32_t i = 0; i < description->n_keys; i++)
		if (strcmp(description->keys[i].path, path) == 0)
			return yaml_refuse(file, node, "option \"%s\" is repeated", option->name);
	memcpy(key->path, path, sizeof(key->path));
	key->rule = option->rule;
	key->access = KV_ACCESS_READ | KV_ACCESS_WATCH;
	key->count = 1;
	description->key_lines[description->n_keys] = option->line;
	description->n_keys++;
	if (description_count_keys(description) > KV_KEYS_MAX)
		return yaml_refuse(file, node, "the keys up to here add up to more than %d",
				   KV_KEYS_MAX);
	return 0;
}

/* A list is as long as its items and the blanks between them. */
static int parse_items(struct yaml_file *file, yaml_node_t *node, struct value_rule *rule)
{
	uint32_t n = 0, length;
	int r = yaml_u32(file, node, "items", 1, UINT8_MAX, &n);

	if (r < 0)
		return r;
	length = n * (rule->max_length + 1u) - 1;
	rule->max_items = (uint8_t)n;
	rule->max_length = (uint16_t)(length < KV_VALUE_MAX ? length : KV_VALUE_MAX);
	return 0;
}

static int parse_option(struct yaml_file *file, yaml_node_t *node, struct description *description)
{
	enum { NAME, TYPE, MIN, MAX, MAX_LENGTH, CHOICES, ITEMS, DEFAULT, RESERVED, N };
	static const char *const names[N] = { "name",  "type",	     "min",
					      "max",   "max_length", "choices",
					      "items", "default",    "reserved" };
	struct description_option *option = &description->options[description->n_options];
	yaml_node_t *values[N];
	int r;

	r = yaml_fields(file, node, "an option", names, N, TYPE + 1, values);
	if (r < 0)
		return r;
	option->line = yaml_line(node);
	r = yaml_text(file, values[NAME], "option name", option->name, sizeof(option->name));
	if (r < 0)
		return r;
	if (!strcmp(option->name, DESCRIPTION_GRANTS))
		return yaml_refuse(file, values[NAME], "option name \"%s\" is reserved",
				   option->name);
	r = description_parse_rule(
		file,
		&(struct description_rule_nodes){ values[TYPE], values[MIN], values[MAX],
						  values[MAX_LENGTH], values[CHOICES] },
		&option->rule);
	if (r < 0)
		return r;
	if (values[ITEMS]) {
		r = parse_items(file, values[ITEMS], &option->rule);
		if (r < 0)
			return r;
	}
	if (values[DEFAULT]) {
		r = parse_default(file, values[DEFAULT], option);
		if (r < 0)
			return r;
	}
	if (values[RESERVED]) {
		r = description_parse_reserved(file, values[RESERVED], option);
		if (r < 0)
			return r;
	}
	r = add_option_key(file, values[NAME], description, option);
	if (r < 0)
		return r;
	description->n_options++;
	return 0;
}

int description_parse_options(struct yaml_file *file, yaml_node_t *node,
			      struct description *description)
{
	uint32_t n;
	int r;

	r = yaml_sequence(file, node, "options", DESCRIPTION_OPTIONS_MAX, &n);
	for (uint32_t i = 0; !r && i < n; i++)
		r = parse_option(file, yaml_sequence_at(file, node, i), description);
	return r;
}
