/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: a calf's description
 *
 * Reads calf.yaml into struct description and checks all of it, so that the
 * store's access rules, the frame rules, the bundle and the gateway's key table
 * can be created from it without further checks. It reads calf.yaml and the
 * executable's metadata, and changes nothing.
 */
#include "userspace/priv/description/description.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "userspace/common/log.h"
#include "userspace/priv/description/description-private.h"

enum { NAME, EXECUTABLE, LIMITS, KEYS, FRAMES, OPTIONS, METRICS, CHECKS_OPTIONS, _FIELD_N };

static const char *const fields[_FIELD_N] = {
	[NAME] = "name",       [EXECUTABLE] = "executable",
	[LIMITS] = "limits",   [KEYS] = "keys",
	[FRAMES] = "frames",   [OPTIONS] = "options",
	[METRICS] = "metrics", [CHECKS_OPTIONS] = "checks_options",
};

#define FIELDS_REQUIRED (KEYS + 1)

int description_check_name(struct yaml_file *file, const yaml_node_t *node, const char *name)
{
	static const char *const reserved[] = KV_SUBJECT_NAMES;

	for (const char *c = name; *c != '\0'; c++)
		if (!(*c >= 'a' && *c <= 'z') &&
		    (c == name || (!(*c >= '0' && *c <= '9') && *c != '-')))
			return yaml_refuse(file, node,
					   "name \"%s\" must consist of a-z 0-9 - and begin with a "
					   "letter",
					   name);
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (strcmp(name, reserved[i]) == 0)
			return yaml_refuse(file, node,
					   "name \"%s\" is reserved for a part of calfpen itself",
					   name);
	return 0;
}

static int parse_name(struct yaml_file *file, yaml_node_t *node, struct description *description)
{
	int r = yaml_text(file, node, "name", description->name, sizeof(description->name));

	if (!r)
		r = description_check_name(file, node, description->name);
	if (!r)
		description->name_line = yaml_line(node);
	return r;
}

/* Returns true for a plain file name that can be in the root of the container. */
static bool is_executable_name(const char *name)
{
	if (name[0] == '.' || name[0] == '-')
		return false;
	if (strcmp(name, "proc") == 0 || strcmp(name, "dev") == 0)
		return false; /* mount points in the root */
	for (const char *c = name; *c != '\0'; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') &&
		    !(*c >= '0' && *c <= '9') && *c != '.' && *c != '_' && *c != '-')
			return false;
	return true;
}

static int parse_executable(struct yaml_file *file, yaml_node_t *node,
			    struct description *description)
{
	char path[sizeof(description->directory) + sizeof(description->executable)];
	struct stat st;
	int r;

	r = yaml_text(file, node, "executable", description->executable,
		      sizeof(description->executable));
	if (r < 0)
		return r;
	if (!is_executable_name(description->executable))
		return yaml_refuse(file, node, "executable \"%s\" must be a plain file name",
				   description->executable);
	snprintf(path, sizeof(path), "%s/%s", description->directory, description->executable);
	if (lstat(path, &st) < 0)
		return yaml_refuse(file, node, "executable %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return yaml_refuse(file, node, "executable %s: not a regular file", path);
	if ((st.st_mode & S_IXUSR) == 0)
		return yaml_refuse(file, node, "executable %s: not executable", path);
	return 0;
}

/* Default quotas: enough for all keys, including options, with each value as long
 * as its rule allows. */
static void default_limits(struct description *description)
{
	uint32_t n_keys = 0;
	uint64_t n_bytes = 0;

	for (uint32_t i = 0; i < description->n_keys; i++) {
		const struct key_rule *key = &description->keys[i];

		n_keys += key->count;
		n_bytes += (uint64_t)key->count * key->rule.max_length;
	}
	if (description->max_keys == 0)
		description->max_keys = n_keys;
	if (description->max_bytes == 0)
		description->max_bytes = n_bytes;
}

static int parse(struct yaml_file *file, struct description *description)
{
	yaml_node_t *values[_FIELD_N];
	int r;

	if (!file->root)
		return yaml_refuse(file, NULL, "the file is empty");
	r = yaml_fields(file, file->root, "a description", fields, _FIELD_N, FIELDS_REQUIRED,
			values);
	if (!r)
		r = parse_name(file, values[NAME], description);
	if (!r)
		r = parse_executable(file, values[EXECUTABLE], description);
	if (!r)
		r = description_parse_limits(file, values[LIMITS], description);
	if (!r)
		r = description_parse_keys(file, values[KEYS], description);
	if (!r)
		r = description_parse_options(file, values[OPTIONS], description);
	if (!r)
		default_limits(description);
	if (!r)
		r = description_parse_frames(file, values[FRAMES], description);
	if (!r)
		r = description_parse_metrics(file, values[METRICS], description);
	if (!r && values[CHECKS_OPTIONS])
		r = yaml_bool(file, values[CHECKS_OPTIONS], "checks_options",
			      &description->checks_options);
	return r;
}

int description_load(const char *directory, struct description *descriptionp)
{
	struct description *description = NULL;
	char name[PATH_MAX + sizeof(DESCRIPTION_FILE)];
	char resolved[PATH_MAX];
	struct yaml_file file;
	int r;

	if (!realpath(directory, resolved)) {
		r = -errno;
		log_error("%s: not a calf directory: %s", directory, strerror(errno));
		return r;
	}
	snprintf(name, sizeof(name), "%s/%s", resolved, DESCRIPTION_FILE);
	description = calloc(1, sizeof(*description));
	if (!description) {
		log_error("%s: %s", name, strerror(ENOMEM));
		return -ENOMEM;
	}
	memcpy(description->directory, resolved, sizeof(resolved));
	r = yaml_file_init(&file, name);
	if (r < 0)
		goto cleanup;
	r = parse(&file, description);
	yaml_file_deinit(&file);
	if (!r)
		r = families_check(description);
	if (!r)
		*descriptionp = *description;
cleanup:
	free(description);
	return r;
}

const struct key_rule *description_find_key(const struct description *description, const char *path)
{
	return key_rule_find(description->keys, description->n_keys, path);
}

bool description_leases_ip(const struct description *description)
{
	const struct key_rule *key = description_find_key(description, "/ip");

	return description->n_frames && key && (key->access & KV_ACCESS_WRITE);
}

bool description_has_check(const struct description *description, enum frame_check check)
{
	for (uint32_t i = 0; i < description->n_frames; i++)
		if (description->frames[i].check == check)
			return true;
	return false;
}

const struct description_option *description_find_option(const struct description *description,
							 const char *name)
{
	for (uint32_t i = 0; i < description->n_options; i++)
		if (strcmp(description->options[i].name, name) == 0)
			return &description->options[i];
	return NULL;
}

void description_option_path(const struct description *description, const char *name,
			     char path[static KV_PATH_SIZE])
{
	(void)snprintf(path, KV_PATH_SIZE, DESCRIPTION_OPTIONS_DIRECTORY "/%s/%s",
		       description->name, name);
}

void description_request_path(const struct description *description, const char *name,
			      char path[static KV_PATH_SIZE])
{
	(void)snprintf(path, KV_PATH_SIZE, DESCRIPTION_REQUESTS_DIRECTORY "/%s/%s",
		       description->name, name);
}
