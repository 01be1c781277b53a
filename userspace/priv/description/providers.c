/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the order of providers
 *
 * Several calves may name servers, domains and the like. Which of them comes first is the
 * operator's choice; without one it is that of RFC 8106 section 5.3.1: DHCP before router
 * advertisements.
 */
#include <stdio.h>
#include <string.h>

#include "userspace/priv/description/description-private.h"

#define NAMES_SIZE 512 /* for the names of all calves in a message */

static bool has_provider(const struct handler_options *options, const char *name)
{
	for (uint32_t i = 0; i < options->n_providers; i++)
		if (!strcmp(options->providers[i], name))
			return true;
	return false;
}

static bool has_calf(const struct calves *calves, const char *name)
{
	for (uint32_t i = 0; i < calves->n; i++)
		if (!strcmp(calves->descriptions[i].name, name))
			return true;
	return false;
}

static void add(struct handler_options *options, const char *name)
{
	if (options->n_providers < HANDLER_PROVIDERS_MAX && !has_provider(options, name))
		(void)snprintf(options->providers[options->n_providers++], KV_NAME_SIZE, "%s",
			       name);
}

void providers_add_others(const struct calves *calves, struct configuration *configuration)
{
	static const char *const first[] = { "dhcp4", "dhcp6", "ra" };

	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		if (has_calf(calves, first[i]))
			add(&configuration->handlers, first[i]);
	for (uint32_t i = 0; i < calves->n; i++)
		add(&configuration->handlers, calves->descriptions[i].name);
}

static int refuse_unknown(struct yaml_file *file, const yaml_node_t *node, const char *name,
			  const struct calves *calves)
{
	char names[NAMES_SIZE] = "";
	size_t used = 0;

	for (uint32_t i = 0; i < calves->n && used < sizeof(names); i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
					 i > 0 ? ", " : "", calves->descriptions[i].name);
	return yaml_refuse(file, node,
			   PROVIDERS_FIELD ": \"%s\" is no calf of this instance; its "
					   "calves are: %s",
			   name, names);
}

int providers_parse(struct yaml_file *file, yaml_node_t *node, const struct calves *calves,
		    struct configuration *configuration)
{
	struct handler_options *options = &configuration->handlers;
	uint32_t n = 0;
	int r = yaml_sequence(file, node, PROVIDERS_FIELD, HANDLER_PROVIDERS_MAX, &n);

	for (uint32_t i = 0; !r && i < n; i++) {
		yaml_node_t *item = yaml_sequence_at(file, node, i);
		char name[KEY_TABLE_NAME_MAX + 1];

		r = yaml_text(file, item, "calf name", name, sizeof(name));
		if (r)
			break;
		if (!has_calf(calves, name))
			return refuse_unknown(file, item, name, calves);
		if (has_provider(options, name))
			return yaml_refuse(file, item, PROVIDERS_FIELD ": \"%s\" is repeated",
					   name);
		add(options, name);
	}
	return r;
}
