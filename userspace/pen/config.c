/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "userspace/pen/config-private.h"
#include "userspace/pen/filter.h"

/* Ours have 11 KiB. */
#define CONFIG_MAX (256 * 1024)

/* the top level */

static int take_version(struct pen_reader *reader, json_t *value)
{
	const char *text = json_string_value(value);

	return text && !strncmp(text, "1.", 2) ? 0 : pen_refuse(reader, "must be version 1");
}

static int take_hostname(struct pen_reader *reader, json_t *value)
{
	const char *text = json_string_value(value);
	size_t length = text ? strlen(text) : 0;

	if (length == 0 || length >= PEN_HOSTNAME_SIZE)
		return pen_refuse(reader, "must be a string of 1 to %d bytes",
				  PEN_HOSTNAME_SIZE - 1);
	memcpy(reader->config->hostname, text, length + 1);
	return 0;
}

static int take_root_path(struct pen_reader *reader, json_t *value)
{
	reader->root = json_string_value(value);
	return reader->root && reader->root[0] ? 0 : pen_refuse(reader, "must be a path");
}

static int take_root(struct pen_reader *reader, json_t *value)
{
	static const struct pen_field fields[] = {
		{ "path", take_root_path, true },
		{ "readonly", pen_take_true, true },
	};

	return pen_take_object(reader, value, fields, PEN_N_OF(fields));
}

/* mounts: the pen makes none, so they are only checked */

static int take_any_text(struct pen_reader *reader, json_t *value)
{
	return json_is_string(value) ? 0 : pen_refuse(reader, "must be a string");
}

static int take_any_texts(struct pen_reader *reader, json_t *value)
{
	return pen_take_array(reader, value, take_any_text);
}

static bool has_text(json_t *array, const char *wanted)
{
	json_t *value;
	size_t i;

	json_array_foreach(array, i,
			   value) if (json_is_string(value) &&
				      !strcmp(json_string_value(value), wanted)) return true;
	return false;
}

static int take_mount(struct pen_reader *reader, json_t *value)
{
	static const struct pen_field fields[] = {
		{ "destination", take_any_text, true },
		{ "type", take_any_text, true },
		{ "source", take_any_text, true },
		{ "options", take_any_texts, true },
	};
	const char *destination, *type;
	int r = pen_take_object(reader, value, fields, PEN_N_OF(fields));

	if (r)
		return r;
	destination = json_string_value(json_object_get(value, "destination"));
	type = json_string_value(json_object_get(value, "type"));
	if ((!strcmp(destination, "/proc") && !strcmp(type, "proc")) ||
	    (!strcmp(destination, "/dev") && !strcmp(type, "tmpfs")))
		return 0;
	if (strcmp(type, "bind") != 0 || reader->bind_source)
		return pen_refuse(reader, "mount on %s: not supported", destination);
	if (!has_text(json_object_get(value, "options"), "ro"))
		return pen_refuse(reader, "mount on %s: must have the option ro", destination);
	reader->bind_source = json_string_value(json_object_get(value, "source"));
	reader->bind_destination = destination;
	return 0;
}

static int take_mounts(struct pen_reader *reader, json_t *value)
{
	return pen_take_array(reader, value, take_mount);
}

/* what several fields say together */

static int set_program(struct pen_reader *reader)
{
	struct pen_config *config = reader->config;
	const char *directory = reader->root[0] == '/' ? "" : reader->bundle;
	int n;

	if (reader->bind_source && strcmp(reader->bind_destination, config->argv[0]) != 0) {
		pen_field_enter(reader, "mounts");
		return pen_refuse(reader, "mount on %s: not supported", reader->bind_destination);
	}
	n = reader->bind_source ?
		    snprintf(config->program, sizeof(config->program), "%s", reader->bind_source) :
		    snprintf(config->program, sizeof(config->program), "%s%s%s%s", directory,
			     directory[0] ? "/" : "", reader->root, config->argv[0]);
	if (n < (int)sizeof(config->program))
		return 0;
	pen_field_enter(reader, "process.args[0]");
	return pen_refuse(reader, "the path is too long");
}

static bool allows(const struct pen_reader *reader, const char *call)
{
	/* The same right: a bundle names the call that other runtimes make. */
	if (!strcmp(call, "execveat"))
		call = "execve";
	for (size_t i = 0; i < reader->n_calls; i++)
		if (!strcmp(reader->calls[i], call))
			return true;
	return false;
}

static int check_calls(struct pen_reader *reader)
{
	const char *call;

	for (size_t i = 0; reader->has_calls && (call = pen_filter_call(i)); i++)
		if (!allows(reader, call)) {
			pen_field_enter(reader, "linux.seccomp.syscalls");
			return pen_refuse(
				reader, "does not allow %s, without which no program starts", call);
		}
	return 0;
}

static int take_bundle(struct pen_reader *reader, json_t *value)
{
	static const struct pen_field fields[] = {
		{ "ociVersion", take_version, true }, { "hostname", take_hostname, true },
		{ "root", take_root, true },	      { "process", pen_take_process, true },
		{ "mounts", take_mounts, false },     { "linux", pen_take_linux, true },
	};
	int r = pen_take_object(reader, value, fields, PEN_N_OF(fields));

	if (!r)
		r = set_program(reader);
	return r ? r : check_calls(reader);
}

int pen_config_parse(const char *text, size_t length, const char *bundle,
		     struct pen_config *configp, char error[PEN_ERROR_SIZE])
{
	struct pen_reader reader = { .config = configp, .bundle = bundle, .error = error };
	json_error_t where;
	json_t *root;
	int r;

	memset(configp, 0, sizeof(*configp));
	root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &where);
	if (!root)
		return pen_refuse(&reader, "line %d: %s", where.line, where.text);
	r = take_bundle(&reader, root);
	json_decref(root);
	return r;
}

int pen_config_read(const char *bundle, struct pen_config *configp, char error[PEN_ERROR_SIZE])
{
	static char text[CONFIG_MAX];
	char path[PATH_MAX];
	size_t length = 0;
	ssize_t n = 0;
	int fd, r = 0;

	if (snprintf(path, sizeof(path), "%s/config.json", bundle) >= (int)sizeof(path))
		r = -ENAMETOOLONG;
	fd = r ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (!r && fd < 0)
		r = -errno;
	while (!r && length < sizeof(text)) {
		n = read(fd, text + length, sizeof(text) - length);
		if (n < 0)
			r = -errno;
		if (n <= 0)
			break;
		length += (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	if (!r && length == sizeof(text))
		r = -EFBIG;
	if (r) {
		snprintf(error, PEN_ERROR_SIZE, "%.300s: %s", path, strerrordesc_np(-r));
		return r;
	}
	return pen_config_parse(text, length, bundle, configp, error);
}
