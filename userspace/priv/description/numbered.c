/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: options of numbers with octets
 *
 * The operator writes a mapping of numbers to values that say what they are:
 * `text:TEXT`, `hex:DIGITS` or `address:ADDRESS`. The store and the calf have the
 * octets in hex, VALUE_NUMBERED_HEX, in the order of the numbers.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/priv/description/description-private.h"

#define BYTES_MAX (KV_VALUE_MAX / 2)

struct item {
	uint32_t number;
	const yaml_node_t *value;
};

/* Parse "50" or "50-59". */
static int parse_range(const char *text, const struct value_rule *rule,
		       struct description_reserved *reserved)
{
	const char *dash = strchr(text, '-');
	char first[VALUE_UINT_SIZE];
	size_t length = dash ? (size_t)(dash - text) : strlen(text);

	if (length >= sizeof(first))
		return -EINVAL;
	memcpy(first, text, length);
	first[length] = '\0';
	return value_parse_uint(first, (uint32_t)rule->min, (uint32_t)rule->max, &reserved->min) <
				       0 ||
			       value_parse_uint(dash ? dash + 1 : first, reserved->min,
						(uint32_t)rule->max, &reserved->max) < 0 ?
		       -EINVAL :
		       0;
}

int description_parse_reserved(struct yaml_file *file, yaml_node_t *node,
			       struct description_option *option)
{
	uint32_t n = 0;
	int r;

	if (option->rule.type != VALUE_NUMBERED_HEX)
		return yaml_refuse(file, node, "reserved is allowed for numbered-hex only");
	r = yaml_mapping(file, node, "reserved", DESCRIPTION_RESERVED_MAX, &n);
	for (uint32_t i = 0; !r && i < n; i++) {
		struct description_reserved *reserved = &option->reserved[i];
		char text[2 * VALUE_UINT_SIZE];
		yaml_node_t *key, *value;

		yaml_mapping_at(file, node, i, &key, &value);
		r = yaml_text(file, key, "a reserved number", text, sizeof(text));
		if (!r && parse_range(text, &option->rule, reserved) < 0)
			r = yaml_refuse(file, key,
					"reserved number \"%s\" is not a number from %u to %u, or "
					"two with a - in between",
					text, (uint32_t)option->rule.min,
					(uint32_t)option->rule.max);
		if (!r)
			r = yaml_text(file, value, "reason", reserved->reason,
				      sizeof(reserved->reason));
	}
	option->n_reserved = n;
	return r;
}

static int parse_number(struct yaml_file *file, const yaml_node_t *key,
			const struct description_option *option, uint32_t *numberp)
{
	char text[64];
	int r = yaml_text(file, key, "a number", text, sizeof(text));

	if (r < 0)
		return r;
	if (value_parse_uint(text, (uint32_t)option->rule.min, (uint32_t)option->rule.max,
			     numberp) < 0)
		return yaml_refuse(file, key, "option \"%s\": \"%s\" is not a number from %u to %u",
				   option->name, text, (uint32_t)option->rule.min,
				   (uint32_t)option->rule.max);
	for (uint32_t i = 0; i < option->n_reserved; i++)
		if (*numberp >= option->reserved[i].min && *numberp <= option->reserved[i].max)
			return yaml_refuse(file, key, "option \"%s\": %u is not allowed: %s",
					   option->name, *numberp, option->reserved[i].reason);
	return 0;
}

/* Return the text after "KIND:", or NULL if the value is of another kind. */
static const char *after(const char *value, const char *kind)
{
	size_t length = strlen(kind);

	return strncmp(value, kind, length) == 0 && value[length] == ':' ? value + length + 1 :
									   NULL;
}

static int parse_hex(const char *text, uint8_t *bytes, size_t *np)
{
	char lower[KV_VALUE_SIZE] = "";

	for (size_t i = 0; text[i] != '\0' && i + 1 < sizeof(lower); i++)
		lower[i] = (char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] - 'A' + 'a' : text[i]);
	return value_parse_hex(lower, bytes, BYTES_MAX, np);
}

/* Addresses are separated by single blanks, as in other options. */
static int parse_addresses(const char *text, uint8_t *bytes, size_t *np)
{
	char one[VALUE_IPV4_SIZE];
	struct in_addr address;
	size_t n = 0;

	for (;;) {
		size_t length = strcspn(text, " ");

		if (length >= sizeof(one) || n + sizeof(address) > BYTES_MAX)
			return -EBADMSG;
		memcpy(one, text, length);
		one[length] = '\0';
		if (value_parse_ipv4(one, &address) < 0)
			return -EBADMSG;
		memcpy(bytes + n, &address, sizeof(address));
		n += sizeof(address);
		if (text[length] == '\0')
			break;
		text += length + 1;
	}
	*np = n;
	return 0;
}

/* Any printable text, but not none: that is "hex:", because it has no octets. */
static int parse_text(const char *text, uint8_t *bytes, size_t *np)
{
	size_t length = strlen(text);

	if (length == 0 || length > BYTES_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)text[i];
	*np = length;
	return 0;
}

static int parse_octets(const char *value, uint8_t bytes[static BYTES_MAX], size_t *np)
{
	static const struct {
		const char *kind;
		int (*parse)(const char *text, uint8_t *bytes, size_t *np);
	} kinds[] = {
		{ "text", parse_text },
		{ "hex", parse_hex },
		{ "address", parse_addresses },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const char *text = after(value, kinds[i].kind);

		if (text)
			return kinds[i].parse(text, bytes, np);
	}
	return -EBADMSG;
}

/* Append " NUMBER:HEX". */
static int append(struct yaml_file *file, const struct item *item,
		  const struct description_option *option, char *to)
{
	char value[KV_VALUE_SIZE], hex[2 * BYTES_MAX + 1];
	uint8_t bytes[BYTES_MAX];
	size_t used = strlen(to), n;
	int r = yaml_text(file, item->value, option->name, value, sizeof(value));

	if (r < 0)
		return r;
	if (parse_octets(value, bytes, &n) < 0)
		return yaml_refuse(file, item->value,
				   "option \"%s\": %u: \"%s\" is not text:TEXT, hex:DIGITS or "
				   "address:ADDRESS",
				   option->name, item->number, value);
	value_format_hex(bytes, n, hex);
	if (snprintf(to + used, KV_VALUE_SIZE - used, "%s%u:%s", used ? " " : "", item->number,
		     hex) >= (int)(KV_VALUE_SIZE - used))
		return yaml_refuse(file, item->value,
				   "option \"%s\": the values are too long together", option->name);
	return 0;
}

static int compare(const void *left, const void *right)
{
	const struct item *a = left, *b = right;

	return (a->number > b->number) - (a->number < b->number);
}

int description_parse_numbered(struct yaml_file *file, yaml_node_t *node,
			       const struct description_option *option,
			       char value[static KV_VALUE_SIZE])
{
	struct item items[UINT8_MAX];
	uint32_t n = 0;
	int r;

	r = yaml_mapping(file, node, option->name, UINT8_MAX, &n);
	if (!r && n == 0)
		return yaml_refuse(file, node, "%s is empty", option->name);
	for (uint32_t i = 0; !r && i < n; i++) {
		yaml_node_t *item_key, *item_value;

		yaml_mapping_at(file, node, i, &item_key, &item_value);
		items[i].value = item_value;
		r = parse_number(file, item_key, option, &items[i].number);
	}
	if (r < 0)
		return r;
	qsort(items, n, sizeof(items[0]), compare);
	value[0] = '\0';
	for (uint32_t i = 0; !r && i < n; i++)
		r = append(file, &items[i], option, value);
	if (!r && strlen(value) > option->rule.max_length)
		return yaml_refuse(file, node, "option \"%s\": the values are too long together",
				   option->name);
	return r;
}
