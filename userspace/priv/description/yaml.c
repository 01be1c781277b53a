/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: a strict reader of one YAML file
 *
 * First the event stream is checked, so that no document is built from a file
 * with aliases, tags, several documents or deep nesting; then libyaml's document
 * is read. Values are never guessed: a number is an unquoted decimal number, a
 * flag is true or false.
 */
#include "userspace/priv/description/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "userspace/common/log.h"
#include "userspace/common/value.h"

static int refuse_line(const char *name, size_t line, const char *reason)
{
	log_error("%s:%zu: %s", name, line, reason);
	return -EINVAL;
}

static int refuse_file(const char *name, int error)
{
	log_error("%s: %s", name, strerror(error));
	return -error;
}

/* reading */

/* Read a regular file of up to YAML_FILE_MAX bytes. */
static int read_file(const char *name, unsigned char *bytes, size_t *sizep)
{
	struct stat st;
	size_t size = 0;
	int fd, r = 0;

	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return refuse_file(name, errno);
	if (fstat(fd, &st) < 0) {
		r = refuse_file(name, errno);
		goto cleanup;
	}
	if (!S_ISREG(st.st_mode)) {
		log_error("%s: not a regular file", name);
		r = -EINVAL;
		goto cleanup;
	}
	for (;;) {
		ssize_t n = read(fd, bytes + size, YAML_FILE_MAX + 1 - size);

		if (n < 0) {
			r = refuse_file(name, errno);
			goto cleanup;
		}
		if (n == 0)
			break;
		size += (size_t)n;
		if (size > YAML_FILE_MAX) {
			log_error("%s: larger than %d bytes", name, YAML_FILE_MAX);
			r = -EFBIG;
			goto cleanup;
		}
	}
	*sizep = size;
cleanup:
	close(fd);
	return r;
}

/* Returns the line that libyaml refused. It sets a mark for all errors but invalid
 * bytes. */
static size_t problem_line(const yaml_parser_t *parser, const unsigned char *bytes, size_t size)
{
	size_t line = 1;

	if (parser->error != YAML_READER_ERROR)
		return parser->problem_mark.line + 1;
	for (size_t i = 0; i < size && i < parser->problem_offset; i++)
		line += bytes[i] == '\n';
	return line;
}

static int check_scalar(const char *name, const yaml_event_t *event)
{
	for (size_t i = 0; i < event->data.scalar.length; i++) {
		unsigned char c = event->data.scalar.value[i];

		if (c < 0x20 || c > 0x7e)
			return refuse_line(name, event->start_mark.line + 1,
					   "a value contains a byte that is not printable ASCII");
	}
	return 0;
}

struct event_state {
	unsigned int n_documents;
	unsigned int depth;
};

/* Check one event: anchors, aliases, tags and deep nesting are refused. */
static int check_event(const char *name, const yaml_event_t *event, struct event_state *state)
{
	size_t line = event->start_mark.line + 1;
	const yaml_char_t *anchor = NULL, *tag = NULL;

	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (++state->n_documents > 1)
			return refuse_line(name, line, "more than one document");
		break;
	case YAML_ALIAS_EVENT:
		return refuse_line(name, line, "aliases are not allowed");
	case YAML_SCALAR_EVENT:
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
		state->depth++;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
		state->depth++;
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		state->depth--;
		break;
	default:
		break;
	}
	if (anchor)
		return refuse_line(name, line, "anchors are not allowed");
	if (tag)
		return refuse_line(name, line, "tags are not allowed");
	if (state->depth > YAML_DEPTH_MAX)
		return refuse_line(name, line, "nested too deeply");
	return event->type == YAML_SCALAR_EVENT ? check_scalar(name, event) : 0;
}

static int check_events(const char *name, const unsigned char *bytes, size_t size)
{
	struct event_state state = { 0 };
	yaml_parser_t parser;
	bool end = false;
	int r = 0;

	if (!yaml_parser_initialize(&parser))
		return refuse_file(name, ENOMEM);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, bytes, size);
	while (!r && !end) {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event)) {
			r = refuse_line(name, problem_line(&parser, bytes, size),
					parser.problem ? parser.problem : "not YAML");
			break;
		}
		end = event.type == YAML_STREAM_END_EVENT;
		r = check_event(name, &event, &state);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return r;
}

/* Call this only for bytes that check_events() accepted. */
static int load_document(const char *name, const unsigned char *bytes, size_t size,
			 yaml_document_t *document)
{
	yaml_parser_t parser;
	int r = 0;

	if (!yaml_parser_initialize(&parser))
		return refuse_file(name, ENOMEM);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, bytes, size);
	if (!yaml_parser_load(&parser, document))
		r = refuse_line(name, problem_line(&parser, bytes, size),
				parser.problem ? parser.problem : "not YAML");
	yaml_parser_delete(&parser);
	return r;
}

int yaml_file_init(struct yaml_file *file, const char *name)
{
	unsigned char *bytes = malloc(YAML_FILE_MAX + 1);
	yaml_document_t document;
	size_t size = 0;
	int r;

	if (!bytes)
		return refuse_file(name, ENOMEM);
	r = read_file(name, bytes, &size);
	if (r < 0)
		goto cleanup;
	r = check_events(name, bytes, size);
	if (r < 0)
		goto cleanup;
	r = load_document(name, bytes, size, &document);
	if (r < 0)
		goto cleanup;
	file->name = name;
	file->document = document;
	file->root = yaml_document_get_root_node(&file->document);
cleanup:
	free(bytes);
	return r;
}

void yaml_file_deinit(struct yaml_file *file)
{
	yaml_document_delete(&file->document);
	file->root = NULL;
}

/* messages */

unsigned int yaml_line(const yaml_node_t *node)
{
	return (unsigned int)node->start_mark.line + 1;
}

int yaml_refuse(const struct yaml_file *file, const yaml_node_t *node, const char *format, ...)
{
	char reason[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	return refuse_line(file->name, node ? yaml_line(node) : 1, reason);
}

/* collections */

static const char *scalar(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

static size_t n_pairs(const yaml_node_t *node)
{
	return (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
}

void yaml_mapping_at(struct yaml_file *file, yaml_node_t *node, uint32_t i, yaml_node_t **keyp,
		     yaml_node_t **valuep)
{
	const yaml_node_pair_t *pair = &node->data.mapping.pairs.start[i];

	*keyp = yaml_document_get_node(&file->document, pair->key);
	*valuep = yaml_document_get_node(&file->document, pair->value);
}

/* Check that a node is a mapping and that its keys are scalars. */
static int check_mapping(struct yaml_file *file, yaml_node_t *node, const char *what)
{
	if (node->type != YAML_MAPPING_NODE)
		return yaml_refuse(file, node, "%s must be a mapping of fields", what);
	for (uint32_t i = 0; i < n_pairs(node); i++) {
		yaml_node_t *key, *value;

		yaml_mapping_at(file, node, i, &key, &value);
		if (key->type != YAML_SCALAR_NODE)
			return yaml_refuse(file, key, "a field name in %s must be plain text",
					   what);
	}
	return 0;
}

static int refuse_unknown(struct yaml_file *file, const yaml_node_t *key, const char *what,
			  const char *const *names, size_t n)
{
	char known[512] = "";
	size_t used = 0;

	for (size_t i = 0; i < n && used < sizeof(known); i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
					 i > 0 ? ", " : "", names[i]);
	return yaml_refuse(file, key, "unknown field \"%s\" in %s; known fields: %s", scalar(key),
			   what, known);
}

int yaml_fields(struct yaml_file *file, yaml_node_t *node, const char *what,
		const char *const *names, size_t n, size_t n_required, yaml_node_t **values)
{
	int r = check_mapping(file, node, what);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		values[i] = NULL;
	for (uint32_t i_pair = 0; i_pair < n_pairs(node); i_pair++) {
		yaml_node_t *key, *value;
		size_t i = 0;

		yaml_mapping_at(file, node, i_pair, &key, &value);
		while (i < n && strcmp(scalar(key), names[i]) != 0)
			i++;
		if (i == n)
			return refuse_unknown(file, key, what, names, n);
		if (values[i])
			return yaml_refuse(file, key, "field \"%s\" is repeated, first on line %u",
					   names[i], yaml_line(values[i]));
		values[i] = value;
	}
	for (size_t i = 0; i < n_required; i++)
		if (!values[i])
			return yaml_refuse(file, node, "%s has no field \"%s\"", what, names[i]);
	return 0;
}

int yaml_mapping(struct yaml_file *file, yaml_node_t *node, const char *what, uint32_t max,
		 uint32_t *np)
{
	int r = check_mapping(file, node, what);

	if (r < 0)
		return r;
	if (n_pairs(node) > max)
		return yaml_refuse(file, node, "%s has more than %u entries", what, max);
	for (uint32_t i = 0; i < n_pairs(node); i++) {
		for (uint32_t j = 0; j < i; j++) {
			yaml_node_t *key, *before, *value;

			yaml_mapping_at(file, node, i, &key, &value);
			yaml_mapping_at(file, node, j, &before, &value);
			if (strcmp(scalar(key), scalar(before)) == 0)
				return yaml_refuse(file, key,
						   "\"%s\" is repeated, first on line %u",
						   scalar(key), yaml_line(before));
		}
	}
	*np = (uint32_t)n_pairs(node);
	return 0;
}

int yaml_sequence(struct yaml_file *file, yaml_node_t *node, const char *what, uint32_t max,
		  uint32_t *np)
{
	size_t n;

	if (!node) {
		*np = 0;
		return 0;
	}
	if (node->type != YAML_SEQUENCE_NODE)
		return yaml_refuse(file, node, "%s must be a list", what);
	n = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	if (n > max)
		return yaml_refuse(file, yaml_sequence_at(file, node, max),
				   "%s has more than %u entries", what, max);
	*np = (uint32_t)n;
	return 0;
}

yaml_node_t *yaml_sequence_at(struct yaml_file *file, yaml_node_t *node, uint32_t i)
{
	return yaml_document_get_node(&file->document, node->data.sequence.items.start[i]);
}

/* scalars */

int yaml_text(const struct yaml_file *file, const yaml_node_t *node, const char *what, char *to,
	      size_t size)
{
	if (node->type != YAML_SCALAR_NODE)
		return yaml_refuse(file, node, "%s must be text", what);
	if (node->data.scalar.length == 0)
		return yaml_refuse(file, node, "%s is empty", what);
	if (node->data.scalar.length >= size)
		return yaml_refuse(file, node, "%s is longer than %zu bytes", what, size - 1);
	memcpy(to, node->data.scalar.value, node->data.scalar.length + 1);
	return 0;
}

static bool is_plain(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

int yaml_u64(const struct yaml_file *file, const yaml_node_t *node, const char *what, uint64_t min,
	     uint64_t max, uint64_t *numberp)
{
	if (!is_plain(node) || value_parse_u64(scalar(node), min, max, numberp))
		return yaml_refuse(file, node, "%s must be a number from %" PRIu64 " to %" PRIu64,
				   what, min, max);
	return 0;
}

int yaml_s64(const struct yaml_file *file, const yaml_node_t *node, const char *what, int64_t min,
	     int64_t max, int64_t *numberp)
{
	if (!is_plain(node) || value_parse_s64(scalar(node), min, max, numberp))
		return yaml_refuse(file, node, "%s must be a number from %" PRId64 " to %" PRId64,
				   what, min, max);
	return 0;
}

int yaml_u32(const struct yaml_file *file, const yaml_node_t *node, const char *what, uint32_t min,
	     uint32_t max, uint32_t *numberp)
{
	uint64_t number = 0;
	int r = yaml_u64(file, node, what, min, max, &number);

	if (r < 0)
		return r;
	*numberp = (uint32_t)number;
	return 0;
}

int yaml_bool(const struct yaml_file *file, const yaml_node_t *node, const char *what, bool *flagp)
{
	if (is_plain(node)) {
		if (strcmp(scalar(node), "true") == 0) {
			*flagp = true;
			return 0;
		}
		if (strcmp(scalar(node), "false") == 0) {
			*flagp = false;
			return 0;
		}
	}
	return yaml_refuse(file, node, "%s must be true or false", what);
}

bool yaml_is_nothing(const yaml_node_t *node)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };

	if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp((const char *)node->data.scalar.value, words[i]))
			return true;
	return false;
}

int yaml_choice(const struct yaml_file *file, const yaml_node_t *node, const char *what,
		const char *const *names, size_t n, size_t *ip)
{
	char known[512] = "";
	size_t used = 0;

	if (node->type == YAML_SCALAR_NODE) {
		for (size_t i = 0; i < n; i++) {
			if (strcmp(scalar(node), names[i]) == 0) {
				*ip = i;
				return 0;
			}
		}
	}
	for (size_t i = 0; i < n && used < sizeof(known); i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
					 i > 0 ? ", " : "", names[i]);
	if (node->type != YAML_SCALAR_NODE)
		return yaml_refuse(file, node, "%s must be one of: %s", what, known);
	return yaml_refuse(file, node, "%s \"%s\" is not one of: %s", what, scalar(node), known);
}
