/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: what to write instead
 *
 * Where the options of calves are in a form or place that they do not have, or had in an
 * earlier version, the message has the line to write instead, with the operator's values.
 */
#include <string.h>

#include "userspace/priv/description/description-private.h"

#define FORMER_FIELD "options" /* of all calves, in earlier versions */
#define LINE_SIZE 800

/* A line for the operator's file. What does not fit is cut off. */
struct line {
	char text[LINE_SIZE];
	size_t used;
};

static void put(struct line *line, const char *text)
{
	size_t length = strlen(text), room = sizeof(line->text) - 1 - line->used;

	if (length > room)
		length = room;
	memcpy(line->text + line->used, text, length);
	line->used += length;
}

static void put_quoted(struct line *line, const char *text)
{
	for (; *text; text++) {
		const char escaped[] = { '\\', *text, '\0' };

		put(line, *text == '"' || *text == '\\' ? escaped : escaped + 1);
	}
}

/* As in the file, but quoted if it may not be plain between braces. */
static void put_scalar(struct line *line, const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;

	if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && text[0] &&
	    !strpbrk(text, ",[]{}")) {
		put(line, text);
		return;
	}
	put(line, "\"");
	put_quoted(line, text);
	put(line, "\"");
}

/* A value with several items is one text, in which they are separated by blanks. */
static void put_list(struct yaml_file *file, struct line *line, const yaml_node_t *list)
{
	const char *separator = "";

	put(line, "\"");
	for (const yaml_node_item_t *item = list->data.sequence.items.start;
	     item < list->data.sequence.items.top; item++) {
		const yaml_node_t *node = yaml_document_get_node(&file->document, *item);

		if (node->type != YAML_SCALAR_NODE)
			continue;
		put(line, separator);
		put_quoted(line, (const char *)node->data.scalar.value);
		separator = " ";
	}
	put(line, "\"");
}

static void put_pairs(struct yaml_file *file, struct line *line, const yaml_node_t *mapping);

/* The value of an option is a scalar, or a mapping of numbers to scalars. */
static void put_value(struct yaml_file *file, struct line *line, const yaml_node_t *value)
{
	switch (value->type) {
	case YAML_MAPPING_NODE:
		put(line, "{");
		put_pairs(file, line, value);
		put(line, "}");
		break;
	case YAML_SEQUENCE_NODE:
		put_list(file, line, value);
		break;
	default:
		put_scalar(line, value);
		break;
	}
}

static void put_pair(struct yaml_file *file, struct line *line, const yaml_node_t *key,
		     const yaml_node_t *value)
{
	put_scalar(line, key);
	put(line, ": ");
	put_value(file, line, value);
}

/* The depth of a file is limited. */
static void put_pairs(struct yaml_file *file, struct line *line, const yaml_node_t *mapping)
{
	const char *separator = "";

	for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
	     pair < mapping->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(&file->document, pair->key);

		if (key->type != YAML_SCALAR_NODE)
			continue;
		put(line, separator);
		put_pair(file, line, key, yaml_document_get_node(&file->document, pair->value));
		separator = ", ";
	}
}

/* A calf in a list: its name, or "NAME: OPTIONS". */
static void put_item(struct yaml_file *file, struct line *line, const yaml_node_t *item)
{
	if (item->type == YAML_SEQUENCE_NODE)
		return;
	if (line->used)
		put(line, ", ");
	if (item->type == YAML_SCALAR_NODE) {
		put_scalar(line, item);
		put(line, ": {}");
	} else {
		put_pairs(file, line, item);
	}
}

int calf_options_check_form(struct yaml_file *file, const yaml_node_t *node)
{
	struct line line = { .used = 0 };

	if (node->type == YAML_MAPPING_NODE)
		return 0;
	if (node->type == YAML_SCALAR_NODE && !yaml_is_nothing(node))
		put_item(file, &line, node);
	else if (node->type == YAML_SEQUENCE_NODE)
		for (const yaml_node_item_t *item = node->data.sequence.items.start;
		     item < node->data.sequence.items.top; item++)
			put_item(file, &line, yaml_document_get_node(&file->document, *item));
	if (!line.used)
		put(&line, CALVES_DEFAULT ": {}");
	return yaml_refuse(file, node,
			   CALVES_FIELD " must be a mapping of fields; write: " CALVES_FIELD
					": {%s}",
			   line.text);
}

static bool is_option_of(const struct description *description, const yaml_node_t *key)
{
	return key->type == YAML_SCALAR_NODE &&
	       description_find_option(description, (const char *)key->data.scalar.value);
}

/* Put those of the fields of a mapping that are options of the calf, with its name. Returns
 * false if none is. */
static bool put_calf(struct yaml_file *file, struct line *line,
		     const struct description *description, yaml_node_t *node,
		     const char *separator)
{
	bool has_any = false;

	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++) {
		yaml_node_t *key = yaml_document_get_node(&file->document, pair->key);

		if (!is_option_of(description, key))
			continue;
		put(line, has_any ? ", " : separator);
		if (!has_any) {
			put(line, description->name);
			put(line, ": {");
		}
		put_pair(file, line, key, yaml_document_get_node(&file->document, pair->value));
		has_any = true;
	}
	if (has_any)
		put(line, "}");
	return has_any;
}

/* Put the names of those that are options of no calf. */
static void put_unknown(struct yaml_file *file, struct line *line, const yaml_node_t *node,
			const struct calves *calves)
{
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(&file->document, pair->key);
		bool is_known = key->type != YAML_SCALAR_NODE;

		for (uint32_t i = 0; i < calves->n && !is_known; i++)
			is_known = is_option_of(&calves->descriptions[i], key);
		if (is_known)
			continue;
		put(line, line->used ? ", " : "; no calf has: ");
		put_scalar(line, key);
	}
}

/* In earlier versions an option was one of all calves that have it. */
static int refuse_former(struct yaml_file *file, const yaml_node_t *key, yaml_node_t *node,
			 const struct calves *calves)
{
	struct line line = { .used = 0 }, unknown = { .used = 0 };
	bool has_any = false;

	if (node->type == YAML_MAPPING_NODE)
		put_unknown(file, &unknown, node, calves);
	for (uint32_t i = 0; node->type == YAML_MAPPING_NODE && i < calves->n; i++)
		has_any |=
			put_calf(file, &line, &calves->descriptions[i], node, has_any ? ", " : "");
	if (!has_any)
		put(&line, "CALF: {NAME: VALUE}");
	return yaml_refuse(file, key,
			   "each calf has options of its own; instead of \"" FORMER_FIELD
			   "\", write: " CALVES_FIELD ": {%s}%s",
			   line.text, unknown.text);
}

static int refuse_field(struct yaml_file *file, const yaml_node_t *key, yaml_node_t *node,
			const struct description *description)
{
	struct line line = { .used = 0 };

	put_pair(file, &line, key, node);
	return yaml_refuse(file, key,
			   "\"%s\" is an option of a calf; write instead: " CALVES_FIELD
			   ": {%s: {%s}}",
			   (const char *)key->data.scalar.value, description->name, line.text);
}

static int check_field(struct yaml_file *file, const yaml_node_t *key, yaml_node_t *node,
		       const struct calves *calves)
{
	if (!strcmp((const char *)key->data.scalar.value, FORMER_FIELD))
		return refuse_former(file, key, node, calves);
	for (uint32_t i = 0; i < calves->n; i++)
		if (is_option_of(&calves->descriptions[i], key))
			return refuse_field(file, key, node, &calves->descriptions[i]);
	return 0;
}

static bool is_one_of(const char *const *names, size_t n_names, const char *name)
{
	for (size_t i = 0; i < n_names; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

int calf_options_check_fields(struct yaml_file *file, const char *const *names, size_t n_names,
			      const struct calves *calves)
{
	int r = 0;

	if (file->root->type != YAML_MAPPING_NODE)
		return 0;
	for (const yaml_node_pair_t *pair = file->root->data.mapping.pairs.start;
	     !r && pair < file->root->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(&file->document, pair->key);

		if (key->type == YAML_SCALAR_NODE &&
		    !is_one_of(names, n_names, (const char *)key->data.scalar.value))
			r = check_field(file, key,
					yaml_document_get_node(&file->document, pair->value),
					calves);
	}
	return r;
}
