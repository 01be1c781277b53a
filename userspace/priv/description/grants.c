/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: what the operator grants a calf
 *
 * The field `grants` of a calf in the configuration names the handlers that may apply what it
 * writes. It loses the right to write what the others apply. A calf that has the option
 * `withheld` is told, so that it can leave these keys out of its commits, which would be
 * refused as a whole.
 */
#include <stdio.h>
#include <string.h>

#include "userspace/priv/description/description-private.h"
#include "userspace/priv/handlers/all.h"

#define CHANGE (KV_ACCESS_WRITE | KV_ACCESS_DELETE)
#define GRANTS_ALL ((1u << HANDLERS_ALL_N) - 1)

_Static_assert(HANDLERS_ALL_N < 32, "bits of description.withheld");

static int parse_grants(struct yaml_file *file, yaml_node_t *node, uint32_t *grantedp)
{
	const char *names[HANDLERS_ALL_N];
	uint32_t n = 0, granted = 0;
	int r = yaml_sequence(file, node, DESCRIPTION_GRANTS, HANDLERS_ALL_N, &n);

	for (uint32_t i = 0; i < HANDLERS_ALL_N; i++)
		names[i] = handlers_all[i]->name;
	for (uint32_t i = 0; !r && i < n; i++) {
		yaml_node_t *item = yaml_sequence_at(file, node, i);
		size_t i_handler = 0;

		r = yaml_choice(file, item, DESCRIPTION_GRANTS, names, HANDLERS_ALL_N, &i_handler);
		if (!r && (granted & 1u << i_handler))
			return yaml_refuse(file, item, DESCRIPTION_GRANTS " \"%s\" is repeated",
					   names[i_handler]);
		granted |= 1u << i_handler;
	}
	*grantedp = granted;
	return r;
}

static void withhold(struct description *description, uint32_t withheld)
{
	description->withheld = withheld;
	for (uint32_t i = 0; i < description->n_keys; i++)
		for (uint32_t j = 0; j < HANDLERS_ALL_N; j++)
			if ((withheld & 1u << j) &&
			    description_find_handler(description->keys[i].path) == handlers_all[j])
				description->keys[i].access &= ~CHANGE;
}

int grants_parse(struct yaml_file *file, yaml_node_t *node, struct description *description)
{
	uint32_t n = 0, granted = GRANTS_ALL;
	int r = 0;

	if (node->type != YAML_MAPPING_NODE)
		return 0; /* refused, if it is something, when the options are parsed */
	n = (uint32_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
	for (uint32_t i = 0; !r && i < n; i++) {
		yaml_node_t *key, *value;

		yaml_mapping_at(file, node, i, &key, &value);
		if (key->type == YAML_SCALAR_NODE &&
		    !strcmp((const char *)key->data.scalar.value, DESCRIPTION_GRANTS))
			r = parse_grants(file, value, &granted);
	}
	if (!r)
		withhold(description, GRANTS_ALL & ~granted);
	return r;
}

void grants_put_withheld(const struct description *description, char text[static KV_VALUE_SIZE])
{
	size_t used = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < HANDLERS_ALL_N; i++) {
		const struct handler *handler = handlers_all[i];

		if (!(description->withheld & 1u << i))
			continue;
		for (uint32_t j = 0; j < handler->n_families && used < KV_VALUE_SIZE; j++)
			if (!(handler->families[j].flags & FAMILY_DEPENDS))
				used += (size_t)snprintf(text + used, KV_VALUE_SIZE - used, "%s%s",
							 used ? " " : "",
							 handler->families[j].path);
	}
}

void grants_print(FILE *to, const struct description *description)
{
	const char *separator = "";

	if (!description->withheld)
		return;
	(void)fputs(DESCRIPTION_GRANTS ": [", to);
	for (uint32_t i = 0; i < HANDLERS_ALL_N; i++) {
		if (description->withheld & 1u << i)
			continue;
		(void)fprintf(to, "%s%s", separator, handlers_all[i]->name);
		separator = ", ";
	}
	(void)fputs("]\n", to);
}
