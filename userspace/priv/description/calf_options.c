/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the options of the calves in a configuration
 *
 * Each is checked against every description that contains it. All calves share one
 * namespace.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/host_name.h"
#include "userspace/common/log.h"
#include "userspace/priv/description/description-private.h"

#define KNOWN_SIZE 768 /* for the names of all options in a message */

/* Returns the index of an option, n_options if there is none. */
static uint32_t find_option(const struct configuration *configuration, const char *name)
{
	uint32_t i = 0;

	while (i < configuration->n_options && strcmp(configuration->options[i].name, name) != 0)
		i++;
	return i;
}

const struct configuration_option *
configuration_find_option(const struct configuration *configuration, const char *name)
{
	uint32_t i = find_option(configuration, name);

	return i < configuration->n_options ? &configuration->options[i] : NULL;
}

bool configuration_inform(const struct configuration *configuration, const char *present,
			  struct in_addr *addressp)
{
	const struct configuration_option *option =
		configuration_find_option(configuration, "inform");
	struct value_ipv4_net net;

	if (!option || !strcmp(option->value, "0"))
		return false;
	if (strcmp(option->value, "1") != 0)
		return !value_parse_ipv4(option->value, addressp);
	if (!present || value_parse_ipv4_net(present, &net))
		return false;
	*addressp = net.address;
	return true;
}

int configuration_set_option(struct configuration *configuration, const char *name,
			     const char *value, bool is_set)
{
	uint32_t i = find_option(configuration, name);
	struct configuration_option *option = &configuration->options[i];

	if (i == DESCRIPTION_OPTIONS_MAX)
		return -ENOSPC;
	if (i == configuration->n_options) {
		configuration->n_options++;
		snprintf(option->name, sizeof(option->name), "%s", name);
	}
	snprintf(option->value, sizeof(option->value), "%s", value);
	option->is_set = is_set;
	option->line = 0;
	return 0;
}

int calf_options_set_defaults(const struct calves *calves, struct configuration *configuration)
{
	for (uint32_t i_calf = 0; i_calf < calves->n; i_calf++) {
		const struct description *description = &calves->descriptions[i_calf];

		for (uint32_t i = 0; i < description->n_options; i++) {
			const struct description_option *option = &description->options[i];

			if (!option->has_default ||
			    configuration_find_option(configuration, option->name))
				continue;
			if (configuration_set_option(configuration, option->name, option->value,
						     false) < 0) {
				log_error("%s/%s:%u: option \"%s\": the calves together have more "
					  "than %d options",
					  description->directory, DESCRIPTION_FILE, option->line,
					  option->name, DESCRIPTION_OPTIONS_MAX);
				return -ENOSPC;
			}
		}
	}
	return 0;
}

/* Returns true if one of the first n calves has the option. */
static bool is_described(const struct calves *calves, uint32_t n, const char *name)
{
	for (uint32_t i = 0; i < n; i++)
		if (description_find_option(&calves->descriptions[i], name))
			return true;
	return false;
}

static int refuse_unknown(struct yaml_file *file, const yaml_node_t *key, const char *name,
			  const struct calves *calves)
{
	char known[KNOWN_SIZE] = "";
	size_t used = 0;

	for (uint32_t i_calf = 0; i_calf < calves->n; i_calf++) {
		const struct description *description = &calves->descriptions[i_calf];

		for (uint32_t i = 0; i < description->n_options && used < sizeof(known); i++) {
			const char *other = description->options[i].name;

			if (!is_described(calves, i_calf, other))
				used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
							 used > 0 ? ", " : "", other);
		}
	}
	if (used == 0)
		return yaml_refuse(file, key, "unknown option \"%s\"; the calves have no options",
				   name);
	return yaml_refuse(file, key, "unknown option \"%s\"; known options: %s", name, known);
}

/* Explain an error of value_check() to the operator. */
static int refuse_value(struct yaml_file *file, const yaml_node_t *node, const char *name,
			const char *value, const struct value_rule *rule, int error)
{
	bool has_choices = rule->choices[0] != '\0';
	char item[64], list[64] = "";

	if (error == -EMSGSIZE)
		return yaml_refuse(file, node, "option \"%s\" is longer than %u bytes", name,
				   rule->max_length);
	if (has_choices && rule->type == VALUE_TEXT && rule->max_items == 0)
		return yaml_refuse(file, node, "option \"%s\": \"%s\" is not one of: %s", name,
				   value, rule->choices);
	if (rule->type == VALUE_U16 || rule->type == VALUE_U32)
		snprintf(item, sizeof(item), "number from %u to %u", rule->min, rule->max);
	else
		snprintf(item, sizeof(item), "valid %s", value_type_name(rule->type));
	if (rule->max_items > 0)
		snprintf(list, sizeof(list),
			 "list of up to %u, separated by single blanks, each a ", rule->max_items);
	return yaml_refuse(file, node, "option \"%s\": \"%s\" is not a %s%s%s%s", name, value, list,
			   item, has_choices ? ", and not one of: " : "", rule->choices);
}

/* Get the value as text for the store; that of an option of numbers is a mapping. */
static int read_value(struct yaml_file *file, yaml_node_t *node,
		      const struct description_option *option, char value[static KV_VALUE_SIZE])
{
	int r;

	if (option->rule.type == VALUE_NUMBERED_HEX)
		return description_parse_numbered(file, node, option, value);
	r = yaml_text(file, node, option->name, value, KV_VALUE_SIZE);
	if (r < 0)
		return r;
	r = value_check(&option->rule, value, strlen(value));
	return r < 0 ? refuse_value(file, node, option->name, value, &option->rule, r) : 0;
}

static int parse_calf_option(struct yaml_file *file, const yaml_node_t *key, yaml_node_t *node,
			     const struct calves *calves, struct configuration *configuration)
{
	char name[sizeof(configuration->options[0].name)];
	char value[KV_VALUE_SIZE];
	int r;

	r = yaml_text(file, key, "option name", name, sizeof(name));
	if (r < 0)
		return r;
	if (!is_described(calves, calves->n, name))
		return refuse_unknown(file, key, name, calves);
	for (uint32_t i = 0; i < calves->n; i++) {
		const struct description_option *option =
			description_find_option(&calves->descriptions[i], name);

		if (!option)
			continue;
		r = read_value(file, node, option, value);
		if (r < 0)
			return r;
	}
	if (configuration_set_option(configuration, name, value, true) < 0)
		return yaml_refuse(file, key, "more than %d options", DESCRIPTION_OPTIONS_MAX);
	configuration->options[find_option(configuration, name)].line = yaml_line(key);
	return 0;
}

int calf_options_parse(struct yaml_file *file, yaml_node_t *node, const struct calves *calves,
		       struct configuration *configuration)
{
	uint32_t n = 0;
	int r;

	r = yaml_mapping(file, node, "options", YAML_FILE_MAX, &n);
	for (uint32_t i = 0; !r && i < n; i++) {
		yaml_node_t *key, *value;

		yaml_mapping_at(file, node, i, &key, &value);
		r = parse_calf_option(file, key, value, calves, configuration);
	}
	return r;
}

static bool is_choice(struct value_rule rule, const char *word)
{
	rule.type = VALUE_TEXT; /* which has no values but the choices */
	rule.max_items = 0;
	return rule.choices[0] != '\0' && value_check(&rule, word, strlen(word)) == 0;
}

bool calf_options_tell_host_name(const struct calves *calves,
				 const struct configuration *configuration)
{
	for (uint32_t i = 0; i < configuration->n_options; i++) {
		const struct configuration_option *option = &configuration->options[i];

		if (strcmp(option->value, HOST_NAME_WORD) != 0)
			continue;
		for (uint32_t i_calf = 0; i_calf < calves->n; i_calf++) {
			const struct description_option *described = description_find_option(
				&calves->descriptions[i_calf], option->name);

			if (described && is_choice(described->rule, HOST_NAME_WORD))
				return true;
		}
	}
	return false;
}
