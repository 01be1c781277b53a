/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the options of the calves in a configuration
 *
 * Each calf has options of its own, below its name in the field `calves`.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/common/host_name.h"
#include "userspace/common/log.h"
#include "userspace/priv/description/description-private.h"

#define KNOWN_SIZE 768 /* for the names of all options in a message */
#define ROOM_STEP 16

static struct configuration_option *find_option(const struct configuration *configuration,
						const char *calf, const char *name)
{
	for (uint32_t i = 0; i < configuration->n_options; i++)
		if (!strcmp(configuration->options[i].name, name) &&
		    !strcmp(configuration->options[i].calf, calf))
			return &configuration->options[i];
	return NULL;
}

const struct configuration_option *
configuration_find_option(const struct configuration *configuration, const char *calf,
			  const char *name)
{
	return find_option(configuration, calf, name);
}

bool configuration_inform(const struct configuration *configuration, const char *present,
			  struct in_addr *addressp)
{
	const struct configuration_option *option =
		configuration_find_option(configuration, configuration->lease_calf, "inform");
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

/* Returns an option that is all zeros but for its name, or NULL without memory. */
static struct configuration_option *add_option(struct configuration *configuration,
					       const char *calf, const char *name)
{
	struct configuration_option *options = configuration->options, *option;
	uint32_t n = configuration->n_options;

	if (n % ROOM_STEP == 0)
		options = realloc(options, (n + ROOM_STEP) * sizeof(*options));
	if (!options)
		return NULL;
	configuration->options = options;
	option = &options[configuration->n_options++];
	*option = (struct configuration_option){ .line = 0 };
	(void)snprintf(option->calf, sizeof(option->calf), "%s", calf);
	(void)snprintf(option->name, sizeof(option->name), "%s", name);
	return option;
}

int configuration_set_option(struct configuration *configuration, const char *calf,
			     const char *name, const char *value, bool is_set)
{
	struct configuration_option *option = find_option(configuration, calf, name);

	if (!option)
		option = add_option(configuration, calf, name);
	if (!option)
		return -ENOMEM;
	(void)snprintf(option->value, sizeof(option->value), "%s", value);
	option->is_set = is_set;
	option->line = 0;
	return 0;
}

int calf_options_set_defaults(const struct calves *calves, struct configuration *configuration)
{
	for (uint32_t i_calf = 0; i_calf < calves->n; i_calf++) {
		const struct description *description = &calves->descriptions[i_calf];

		char withheld[KV_VALUE_SIZE];

		grants_put_withheld(description, withheld);
		for (uint32_t i = 0; i < description->n_options; i++) {
			const struct description_option *option = &description->options[i];
			bool is_withheld = !strcmp(option->name, DESCRIPTION_WITHHELD_OPTION);

			if (is_withheld ? !withheld[0] : !option->has_default)
				continue;
			if (configuration_set_option(configuration, description->name, option->name,
						     is_withheld ? withheld : option->value,
						     false) < 0) {
				log_error("configuration: %s", strerror(ENOMEM));
				return -ENOMEM;
			}
		}
	}
	return 0;
}

static int refuse_unknown(struct yaml_file *file, const yaml_node_t *key, const char *name,
			  const struct description *description)
{
	char known[KNOWN_SIZE] = "";
	size_t used = 0;

	for (uint32_t i = 0; i < description->n_options && used < sizeof(known); i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
					 used > 0 ? ", " : "", description->options[i].name);
	if (used == 0)
		return yaml_refuse(file, key, "unknown option \"%s\"; %s has no options", name,
				   description->name);
	return yaml_refuse(file, key, "unknown option \"%s\" of %s; known options: %s", name,
			   description->name, known);
}

/* Explain an error of value_check() to the operator. */
static int refuse_value(struct yaml_file *file, const yaml_node_t *node, const char *name,
			const char *value, const struct value_rule *rule, int error)
{
	bool has_choices = rule->choices[0] != '\0';
	char item[64], list[64] = "";
	uint64_t greatest;
	int64_t least;

	if (error == -EMSGSIZE)
		return yaml_refuse(file, node, "option \"%s\" is longer than %u bytes", name,
				   rule->max_length);
	if (has_choices && rule->type == VALUE_TEXT && rule->max_items == 0)
		return yaml_refuse(file, node, "option \"%s\": \"%s\" is not one of: %s", name,
				   value, rule->choices);
	if (value_type_is_signed(rule->type))
		snprintf(item, sizeof(item), "number from %" PRId64 " to %" PRId64, rule->min,
			 (int64_t)rule->max);
	else if (value_type_bounds(rule->type, &least, &greatest))
		snprintf(item, sizeof(item), "number from %" PRId64 " to %" PRIu64, rule->min,
			 rule->max);
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

static int parse_option(struct yaml_file *file, const yaml_node_t *key, yaml_node_t *node,
			const struct description *description, struct configuration *configuration)
{
	const struct description_option *option;
	char name[sizeof(option->name)];
	char value[KV_VALUE_SIZE];
	int r;

	r = yaml_text(file, key, "option name", name, sizeof(name));
	if (r < 0 || !strcmp(name, DESCRIPTION_GRANTS)) /* the description was changed by that */
		return r;
	if (!strcmp(name, DESCRIPTION_WITHHELD_OPTION))
		return yaml_refuse(file, key, "option \"%s\" follows from \"%s\"; use that", name,
				   DESCRIPTION_GRANTS);
	option = description_find_option(description, name);
	if (!option)
		return refuse_unknown(file, key, name, description);
	r = read_value(file, node, option, value);
	if (r < 0)
		return r;
	if (configuration_set_option(configuration, description->name, name, value, true) < 0) {
		log_error("configuration: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	find_option(configuration, description->name, name)->line = yaml_line(key);
	return 0;
}

static const struct description *find_calf(const struct calves *calves, const char *name)
{
	for (uint32_t i = 0; i < calves->n; i++)
		if (!strcmp(calves->descriptions[i].name, name))
			return &calves->descriptions[i];
	return NULL;
}

static int parse_calf(struct yaml_file *file, const yaml_node_t *key, yaml_node_t *node,
		      const struct calves *calves, struct configuration *configuration)
{
	char name[KEY_TABLE_NAME_MAX + 1];
	const struct description *description;
	uint32_t n = 0;
	int r = yaml_text(file, key, "calf name", name, sizeof(name));

	if (r < 0)
		return r;
	description = find_calf(calves, name);
	if (!description)
		return calves_refuse_unknown(file, key, name);
	if (yaml_is_nothing(node))
		return 0;
	r = yaml_mapping(file, node, name, YAML_FILE_MAX, &n);
	for (uint32_t i = 0; !r && i < n; i++) {
		yaml_node_t *option, *value;

		yaml_mapping_at(file, node, i, &option, &value);
		r = parse_option(file, option, value, description, configuration);
	}
	return r;
}

int calf_options_parse(struct yaml_file *file, yaml_node_t *node, const struct calves *calves,
		       struct configuration *configuration)
{
	uint32_t n = 0;
	int r = calf_options_check_form(file, node);

	if (!r)
		r = yaml_mapping(file, node, CALVES_FIELD, YAML_FILE_MAX, &n);
	for (uint32_t i = 0; !r && i < n; i++) {
		yaml_node_t *key, *value;

		yaml_mapping_at(file, node, i, &key, &value);
		r = parse_calf(file, key, value, calves, configuration);
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
		const struct description *description = find_calf(calves, option->calf);
		const struct description_option *described =
			description ? description_find_option(description, option->name) : NULL;

		if (!strcmp(option->value, HOST_NAME_WORD) && described &&
		    is_choice(described->rule, HOST_NAME_WORD))
			return true;
	}
	return false;
}
