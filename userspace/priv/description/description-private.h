/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of description_load(), one for each list in the file, and of
 * configuration_load(). */
#ifndef CALFPEN_PRIV_DESCRIPTION_DESCRIPTION_PRIVATE_H
#define CALFPEN_PRIV_DESCRIPTION_DESCRIPTION_PRIVATE_H

#include "userspace/priv/description/configuration.h"
#include "userspace/priv/description/description.h"
#include "userspace/priv/description/yaml.h"

/* description.c: check the name of a calf, which is used as a subject, in paths of keys,
 * in names of pins and in a container id. Returns 0, or -EINVAL after one line on stderr. */
int description_check_name(struct yaml_file *file, const yaml_node_t *node, const char *name);

/* Parse a list and append its entries to the description. `node` is NULL if the
 * file has no such list. Each returns 0, or a negative errno after one line on
 * stderr. */

/* limits.c; the ceilings are the field `ceilings` of a configuration. */
int description_parse_limits(struct yaml_file *file, yaml_node_t *node,
			     struct description *description);
void ceilings_set_defaults(struct configuration *configuration);
/* Parse the operator's ceilings. Returns 0, or -EINVAL after one line on stderr. */
int ceilings_parse(struct yaml_file *file, yaml_node_t *node, struct configuration *configuration);
/* Print all of them as that field. */
void ceilings_print(const struct configuration *configuration, FILE *to);
/* Returns 0, or -EINVAL after one line on stderr, "FILE:LINE: reason" of the description, if
 * one of its limits is above its ceiling. */
int ceilings_check(const struct description *description,
		   const struct configuration *configuration);

/* keys.c */
int description_parse_keys(struct yaml_file *file, yaml_node_t *node,
			   struct description *description);
/* A type and its bounds, shared by keys and options. */
struct description_rule_nodes {
	yaml_node_t *type, *min, *max, *max_length, *choices;
};
int description_parse_rule(struct yaml_file *file, const struct description_rule_nodes *nodes,
			   struct value_rule *rule);
/* Returns the maximum number of keys of the description. */
uint32_t description_count_keys(const struct description *description);

/* options.c. Call this after the keys, because it adds a key /config/CALF/NAME for each option. */
int description_parse_options(struct yaml_file *file, yaml_node_t *node,
			      struct description *description);

/* numbered.c: options of VALUE_NUMBERED_HEX. */

/* Parse the mapping of reserved numbers, or ranges of them, to reasons. */
int description_parse_reserved(struct yaml_file *file, yaml_node_t *node,
			       struct description_option *option);
/* Parse an operator's mapping of numbers to octets, each `text:TEXT`, `hex:DIGITS` or
 * `address:ADDRESS[ ADDRESS...]`, into the text that the store has. */
int description_parse_numbered(struct yaml_file *file, yaml_node_t *node,
			       const struct description_option *option,
			       char value[static KV_VALUE_SIZE]);

/* frames.c */
int description_parse_frames(struct yaml_file *file, yaml_node_t *node,
			     struct description *description);
int description_parse_metrics(struct yaml_file *file, yaml_node_t *node,
			      struct description *description);

/* dns.c: parse the field `dns` of a configuration. Returns 0, or -EINVAL after one line
 * on stderr. */
int configuration_parse_dns(struct yaml_file *file, yaml_node_t *node, struct handler_dns *dns);

/* The calves of an instance. */
struct calves {
	const struct description *descriptions;
	uint32_t n;
};

/* configuration.c: configuration_load() of a file that is open; NULL: only the defaults. */
int configuration_parse(struct yaml_file *file, const struct options *options,
			const struct calves *calves, struct configuration *configurationp);

/* calves.c: refuse the name of a calf in the field `calves`. Returns -EINVAL. */
int calves_refuse_unknown(struct yaml_file *file, const yaml_node_t *node, const char *name);

/* families.c: refuse a key that a calf may write if a handler takes another type, or reads it
 * from another place. Returns 0, or -EINVAL after one line on stderr. */
int families_check(const struct description *description);

/* grants.c: the field `grants` of a calf in a configuration. */

/* Take the rights from the calf that the operator does not grant. `node` is what the
 * configuration has for the calf. Returns 0, or -EINVAL after one line on stderr. */
int grants_parse(struct yaml_file *file, yaml_node_t *node, struct description *description);
/* Store the families that are withheld from the calf, separated by blanks. */
void grants_put_withheld(const struct description *description, char text[static KV_VALUE_SIZE]);
/* Print the field, if anything is withheld. */
void grants_print(FILE *to, const struct description *description);

/* providers.c: the field `providers` of a configuration. */

#define PROVIDERS_FIELD "providers"

/* Parse the operator's order. Returns 0, or -EINVAL after one line on stderr. */
int providers_parse(struct yaml_file *file, yaml_node_t *node, const struct calves *calves,
		    struct configuration *configuration);
/* Add the calves that it does not have, in the default order. */
void providers_add_others(const struct calves *calves, struct configuration *configuration);

/* calf_options.c: the field `calves` of a configuration. */

#define CALVES_FIELD "calves"
#define CALVES_DEFAULT "dhcp4" /* the only one if there is no such field */

/* Set the options that have one to their default. Returns 0, or -ENOMEM after one line on
 * stderr. */
int calf_options_set_defaults(const struct calves *calves, struct configuration *configuration);
/* Parse the operator's values. Returns 0, or a negative errno after one line on stderr. */
int calf_options_parse(struct yaml_file *file, yaml_node_t *node, const struct calves *calves,
		       struct configuration *configuration);
/* Return whether an option is the kernel's host name: it has the value for that, and
 * its description has it as a choice. */
bool calf_options_tell_host_name(const struct calves *calves,
				 const struct configuration *configuration);

/* calf_options_form.c: what to write instead. */

/* Refuse a field that is no mapping, and say what to write instead. Returns 0, or -EINVAL
 * after one line on stderr. */
int calf_options_check_form(struct yaml_file *file, const yaml_node_t *node);
/* Refuse options of calves among the fields of the file, of which `names` are those of the
 * instance, and say what to write instead. Returns 0, or -EINVAL after one line on stderr. */
int calf_options_check_fields(struct yaml_file *file, const char *const *names, size_t n_names,
			      const struct calves *calves);

#endif
