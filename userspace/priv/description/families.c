/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: what a calf may change on the host
 *
 * A handler applies what is in its families of keys (handlers/family.h). A description that
 * lets the calf write such a key must give it the type that the handler takes, and a place that
 * the handler reads: that of the family, or the calf's own below it. Otherwise the calf could
 * write in the name of another, or values that are refused for ever.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/log.h"
#include "userspace/common/path.h"
#include "userspace/priv/description/description-private.h"
#include "userspace/priv/handlers/all.h"

#define CHANGE (KV_ACCESS_WRITE | KV_ACCESS_DELETE)
#define NAMES_SIZE 128

/* "/001" */
static bool is_element(const char *tail)
{
	return tail[0] == '/' && strspn(tail + 1, "0123456789") == 3 && tail[4] == '\0';
}

/* Does the handler read a key, or the keys of a directory, that has this behind the path of the
 * family, or behind the name of the calf? */
static bool is_place(const struct handler_family *family, const char *tail)
{
	if (family->flags & FAMILY_LIST)
		return !strcmp(tail, "/") || is_element(tail);
	return !tail[0];
}

static bool is_read(const struct handler_family *family, const struct description *description,
		    const char *tail)
{
	size_t length = strlen(description->name);

	if (is_place(family, tail))
		return true;
	return (family->flags & FAMILY_PROVIDERS) && tail[0] == '/' &&
	       !strncmp(tail + 1, description->name, length) && is_place(family, tail + 1 + length);
}

static int refuse_place(const struct description *description, uint32_t i_key,
			const struct handler *handler, const struct handler_family *family)
{
	const char *slash = family->flags & FAMILY_LIST ? "/" : "";
	char own[KV_PATH_SIZE + 16] = "";

	if (family->flags & FAMILY_PROVIDERS)
		(void)snprintf(own, sizeof(own), " or \"%s/%s%s\"", family->path, description->name,
			       slash);
	log_error("%s/" DESCRIPTION_FILE ":%u: path \"%s\": the handler %s reads \"%s%s\"%s of "
		  "this calf",
		  description->directory, description->key_lines[i_key],
		  description->keys[i_key].path, handler->name, family->path, slash, own);
	return -EINVAL;
}

static int refuse_type(const struct description *description, uint32_t i_key,
		       const struct handler *handler, const struct handler_family *family)
{
	char names[NAMES_SIZE] = "";
	size_t used = 0;

	for (int type = 0; type < _VALUE_TYPE_N && used < sizeof(names); type++)
		if (family->types & FAMILY_TYPE(type))
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
						 used ? ", " : "",
						 value_type_name((enum value_type)type));
	log_error("%s/" DESCRIPTION_FILE ":%u: path \"%s\": type %s; the handler %s takes %s",
		  description->directory, description->key_lines[i_key],
		  description->keys[i_key].path,
		  value_type_name(description->keys[i_key].rule.type), handler->name, names);
	return -EINVAL;
}

/* Returns true if the entry is for a directory that has the family among its keys. */
static bool has_family(const struct description *description, const struct key_rule *key,
		       const struct handler_family *family)
{
	return !(family->flags & FAMILY_LIST) &&
	       description_find_key(description, family->path) == key;
}

static int check_key(const struct description *description, uint32_t i_key,
		     const struct handler *handler, const struct handler_family *family)
{
	const struct key_rule *key = &description->keys[i_key];

	if ((family->flags & FAMILY_DEPENDS) ||
	    !(path_is_below(key->path, family->path) || has_family(description, key, family)))
		return 0;
	if (has_family(description, key, family) && strcmp(key->path, family->path) != 0) {
		log_error("%s/" DESCRIPTION_FILE ":%u: directory \"%s\" contains \"%s\", which the "
			  "handler %s applies; give that key an entry of its own",
			  description->directory, description->key_lines[i_key], key->path,
			  family->path, handler->name);
		return -EINVAL;
	}
	if (!is_read(family, description, key->path + strlen(family->path)))
		return refuse_place(description, i_key, handler, family);
	if (key->secret) {
		log_error("%s/" DESCRIPTION_FILE ":%u: path \"%s\": secret; the handler %s cannot "
			  "read it to apply it",
			  description->directory, description->key_lines[i_key], key->path,
			  handler->name);
		return -EINVAL;
	}
	return family->types & FAMILY_TYPE(key->rule.type) ?
		       0 :
		       refuse_type(description, i_key, handler, family);
}

int families_check(const struct description *description)
{
	int r = 0;

	for (uint32_t i = 0; i < description->n_keys; i++) {
		if (!(description->keys[i].access & CHANGE))
			continue;
		for (uint32_t j = 0; j < HANDLERS_ALL_N; j++) {
			const struct handler *handler = handlers_all[j];

			for (uint32_t k = 0; !r && k < handler->n_families; k++)
				r = check_key(description, i, handler, &handler->families[k]);
		}
	}
	return r;
}

/* Returns true if what the calf writes there is applied by the handler itself. */
static bool is_applied(const struct handler *handler, const char *path)
{
	for (uint32_t i = 0; i < handler->n_families; i++)
		if (!(handler->families[i].flags & FAMILY_DEPENDS) &&
		    path_is_below(path, handler->families[i].path))
			return true;
	return false;
}

const struct handler *description_find_handler(const char *path)
{
	for (uint32_t i = 0; i < HANDLERS_ALL_N; i++)
		if (is_applied(handlers_all[i], path))
			return handlers_all[i];
	return NULL;
}
