/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/cli/types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/state/state.h"

/* Returns false for what this version does not know. */
static bool read_type(const char *name, enum value_type *typep)
{
	for (int type = 0; type < _VALUE_TYPE_N; type++)
		if (strcmp(name, value_type_name((enum value_type)type)) == 0) {
			*typep = (enum value_type)type;
			return true;
		}
	return false;
}

/* Returns false for what no rule has. */
static bool read_max(const json_t *json, uint64_t *maxp)
{
	const char *text = json_string_value(json);

	*maxp = (uint64_t)json_integer_value(json);
	return json_is_integer(json) || (text && !value_parse_u64(text, 0, UINT64_MAX, maxp));
}

static bool read_key(json_t *json, struct key_rule *key)
{
	const char *path = NULL, *type = NULL, *choices = NULL;
	json_int_t min, max_length;
	json_t *max = NULL;
	uint64_t greatest;

	if (json_unpack(json, "{s:s, s:s, s:I, s:o, s:I, s:s}", STATE_KEY_PATH, &path,
			STATE_KEY_TYPE, &type, STATE_KEY_MIN, &min, STATE_KEY_MAX, &max,
			STATE_KEY_MAX_LENGTH, &max_length, STATE_KEY_CHOICES, &choices) < 0)
		return false;
	if (strlen(path) >= sizeof(key->path) || path[0] == '\0' ||
	    strlen(choices) >= sizeof(key->rule.choices) || !read_max(max, &greatest) ||
	    max_length < 0 || max_length > KV_VALUE_MAX)
		return false;
	*key = (struct key_rule){
		.access = KV_ACCESS_WRITE,
		.rule = { .min = min, .max = greatest, .max_length = (uint16_t)max_length }
	};
	memcpy(key->path, path, strlen(path) + 1);
	memcpy(key->rule.choices, choices, strlen(choices) + 1);
	return read_type(type, &key->rule.type);
}

static void read_keys(const json_t *keys, struct cli_types *types)
{
	for (size_t i = 0; i < json_array_size(keys); i++)
		types->n_keys += read_key(json_array_get(keys, i), &types->keys[types->n_keys]);
}

void cli_types_init(struct cli_types *types, const json_t *state)
{
	const json_t *calves = json_object_get(state, STATE_CALVES);
	size_t n = 0;

	*types = (struct cli_types){ 0 };
	for (size_t i = 0; i < json_array_size(calves); i++)
		n += json_array_size(json_object_get(json_array_get(calves, i), STATE_CALF_KEYS));
	types->keys = n ? calloc(n, sizeof(*types->keys)) : NULL;
	if (!types->keys)
		return;
	for (size_t i = 0; i < json_array_size(calves); i++)
		read_keys(json_object_get(json_array_get(calves, i), STATE_CALF_KEYS), types);
}

void cli_types_deinit(struct cli_types *types)
{
	free(types->keys);
	*types = (struct cli_types){ 0 };
}

const char *cli_types_flaw(const struct cli_types *types, const char *path, const char *value,
			   size_t length, char text[static CLI_FLAW_SIZE])
{
	const struct key_rule *key = key_rule_find(types->keys, types->n_keys, path);

	if (!key || value_check(&key->rule, value, length) == 0)
		return NULL;
	(void)snprintf(text, CLI_FLAW_SIZE, "not a valid %s", value_type_name(key->rule.type));
	return text;
}
