/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: one writer per key
 *
 * If two calves could write one key, each would undo what the other does, and neither
 * the audit log nor the deletion of a calf's keys could say whose it is. The rule for a key
 * is the one that the gate looks up: that of its path, else that of its directory.
 * So "/ntp/" and "/ntp/ra/" do not overlap, "/ntp/" and "/ntp/001" do, unless the calf
 * with the directory also has an entry for "/ntp/001" that does not let it write.
 *
 * A directory is the calf's own, unless its entry says "of: any", so that no calf
 * reads by accident what another one writes.
 */
#include "userspace/priv/description/overlap.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "userspace/common/log.h"
#include "userspace/common/path.h"

#define CHANGE (KV_ACCESS_WRITE | KV_ACCESS_DELETE)
#define RIGHTS_MAX (KV_RULES_MAX - 192) /* the rest is for what does not depend on keys */

static bool is_directory(const struct key_rule *key)
{
	return key->path[strlen(key->path) - 1] == '/';
}

static bool is_of_any(const struct description *description, const struct key_rule *key)
{
	return description->keys_of_any[key - description->keys];
}

static unsigned int line_of(const struct description *description, const struct key_rule *key)
{
	return description->key_lines[key - description->keys];
}

static int check_names(const struct description *own, const struct description *other)
{
	if (strcmp(own->name, other->name) != 0)
		return 0;
	log_error("%s/" DESCRIPTION_FILE ":%u: name \"%s\" is also that of %s/" DESCRIPTION_FILE
		  ":%u; the calves of an instance need different names",
		  own->directory, own->name_line, own->name, other->directory, other->name_line);
	return -EINVAL;
}

static int refuse_writers(const struct description *own, const struct key_rule *own_key,
			  const struct description *other, const struct key_rule *other_key)
{
	log_error("%s/" DESCRIPTION_FILE ":%u: path \"%s\": %s/" DESCRIPTION_FILE
		  ":%u may write or delete \"%s\", too; only one calf of an instance may",
		  own->directory, line_of(own, own_key), own_key->path, other->directory,
		  line_of(other, other_key), other_key->path);
	return -EINVAL;
}

static int refuse_foreign(const struct description *own, const struct key_rule *own_key,
			  const struct description *other, const struct key_rule *other_key)
{
	log_error("%s/" DESCRIPTION_FILE ":%u: directory \"%s\": %s/" DESCRIPTION_FILE
		  ":%u may write or delete \"%s\"; a directory of another calf requires "
		  "\"of: any\"",
		  own->directory, line_of(own, own_key), own_key->path, other->directory,
		  line_of(other, other_key), other_key->path);
	return -EINVAL;
}

static int refuse_secret(const struct description *own, const struct key_rule *own_key,
			 const struct description *other, const struct key_rule *other_key)
{
	log_error("%s/" DESCRIPTION_FILE ":%u: path \"%s\": %s/" DESCRIPTION_FILE
		  ":%u has \"%s\" as a secret; only the calf that writes it may read it",
		  own->directory, line_of(own, own_key), own_key->path, other->directory,
		  line_of(other, other_key), other_key->path);
	return -EINVAL;
}

/* Returns true if the entry of `other` is for keys that are in the directory of `own`, or is
 * that directory, or the other way round. */
static bool have_common_keys(const struct description *own, const struct key_rule *own_key,
			     const struct description *other, const struct key_rule *other_key)
{
	return description_find_key(own, other_key->path) == own_key ||
	       description_find_key(other, own_key->path) == other_key;
}

/* The gate would refuse it anyway; the description is wrong. */
static int check_secrets(const struct description *own, const struct description *other)
{
	for (uint32_t i = 0; i < other->n_keys; i++)
		for (uint32_t j = 0; other->keys[i].secret && j < own->n_keys; j++)
			if ((own->keys[j].access & (KV_ACCESS_READ | KV_ACCESS_WATCH)) &&
			    have_common_keys(own, &own->keys[j], other, &other->keys[i]))
				return refuse_secret(own, &own->keys[j], other, &other->keys[i]);
	return 0;
}

/* Compare what `other` may change with what `own` has for the same keys. */
static int check_keys(const struct description *own, const struct description *other)
{
	for (uint32_t i = 0; i < other->n_keys; i++) {
		const struct key_rule *changed = &other->keys[i], *found;

		if (!(changed->access & CHANGE))
			continue;
		/* for a directory: its own entry only, whose keys are the same */
		found = description_find_key(own, changed->path);
		if (found && (found->access & CHANGE))
			return refuse_writers(own, found, other, changed);
		if (found && is_directory(found) && !is_of_any(own, found))
			return refuse_foreign(own, found, other, changed);
	}
	return 0;
}

/* Returns true if a calf may write the key, or a key of the directory, of `own`. */
static bool is_written_by(const struct description *other, const struct description *own,
			  const struct key_rule *key)
{
	const struct key_rule *found = description_find_key(other, key->path);

	if (found && (found->access & KV_ACCESS_WRITE))
		return true;
	for (uint32_t i = 0; i < other->n_keys; i++)
		if ((other->keys[i].access & KV_ACCESS_WRITE) &&
		    description_find_key(own, other->keys[i].path) == key)
			return true;
	return false;
}

/* Returns true for an option or a request: the supervisor and the operator write these. */
static bool is_for_calf(const char *path)
{
	return path_is_below(path, DESCRIPTION_OPTIONS_DIRECTORY) ||
	       path_is_below(path, DESCRIPTION_REQUESTS_DIRECTORY);
}

/* Returns true if the key, or one in the directory, of `own` is an option of the calf, or a
 * request that it carries out and then deletes. */
static bool is_taken_by(const struct description *other, const struct description *own,
			const struct key_rule *key)
{
	for (uint32_t i = 0; i < other->n_keys; i++) {
		const struct key_rule *taken = &other->keys[i];

		if (!is_of_any(other, taken) && description_find_key(own, taken->path) == key &&
		    ((taken->access & KV_ACCESS_DELETE) ||
		     path_is_below(taken->path, DESCRIPTION_OPTIONS_DIRECTORY)))
			return true;
	}
	return false;
}

/* It may be what the operator wants: calves can do without each other. */
static void report_unwritten(const struct description *own, const struct description *descriptions,
			     uint32_t n_descriptions)
{
	for (uint32_t i = 0; i < own->n_keys; i++) {
		const struct key_rule *key = &own->keys[i];
		bool is_option = is_for_calf(key->path), is_used = false;

		if (!own->keys_of_any[i])
			continue;
		for (uint32_t j = 0; j < n_descriptions && !is_used; j++)
			is_used = is_option ? is_taken_by(&descriptions[j], own, key) :
					      is_written_by(&descriptions[j], own, key);
		if (!is_used)
			log_info("%s/" DESCRIPTION_FILE ":%u: no calf of this instance %s \"%s\"",
				 own->directory, own->key_lines[i], is_option ? "has" : "writes",
				 key->path);
	}
}

/* Returns true if both calves could speak to the same servers: as the host, whatever port
 * of its own a calf has. */
static bool have_same_servers(const struct frame_rule *own, const struct frame_rule *other)
{
	return own->check == FRAME_CHECK_DHCP4 && other->check == FRAME_CHECK_DHCP4 &&
	       own->remote_port == other->remote_port;
}

static int check_frames(const struct description *own, const struct description *other)
{
	for (uint32_t i = 0; i < own->n_frames; i++)
		for (uint32_t j = 0; j < other->n_frames; j++) {
			const struct frame_rule *a = &own->frames[i], *b = &other->frames[j];
			bool is_same_frame = a->check == b->check && a->local_port == b->local_port;

			if (!is_same_frame && !have_same_servers(a, b))
				continue;
			log_error("%s/" DESCRIPTION_FILE ":%u: frame rule %s that of "
				  "%s/" DESCRIPTION_FILE
				  ":%u; %s is for one calf of an instance only",
				  own->directory, own->frame_lines[i],
				  is_same_frame ? "matches the same frames as" :
						  "has the same remote_port as",
				  other->directory, other->frame_lines[j],
				  is_same_frame ? "a frame" : "a server");
			return -EINVAL;
		}
	return 0;
}

/* What all of them may have together: keys of one store, and rights of the supervisor and of
 * the operator, which also have one for each directory of options and requests. */
static int check_totals(const struct description *descriptions, uint32_t n_descriptions)
{
	struct {
		const char *what;
		uint32_t limit, n;
	} totals[] = {
		{ "keys", KV_KEYS_MAX - DESCRIPTION_HOST_KEYS, 0 },
		{ "persistent keys", RIGHTS_MAX, 0 },
		{ "requests", RIGHTS_MAX, 0 },
	};

	for (uint32_t i = 0; i < n_descriptions; i++)
		for (uint32_t j = 0; j < descriptions[i].n_keys; j++) {
			const struct key_rule *key = &descriptions[i].keys[j];

			totals[0].n += key->count;
			totals[1].n += key->persistent;
			totals[2].n += path_is_below(key->path, DESCRIPTION_REQUESTS_DIRECTORY) &&
				       (key->access & KV_ACCESS_DELETE);
			for (size_t k = 0; k < sizeof(totals) / sizeof(totals[0]); k++) {
				if (totals[k].n <= totals[k].limit)
					continue;
				log_error("%s/" DESCRIPTION_FILE ":%u: the %s of all calves up to "
					  "here are more than %u",
					  descriptions[i].directory, descriptions[i].key_lines[j],
					  totals[k].what, totals[k].limit);
				return -EINVAL;
			}
		}
	return 0;
}

/* Calves with frame rules have numbers: one is for the calf of the host's lease, also if there
 * is none (maps/frame.h, "several calves"). */
static int check_framed(const struct description *descriptions, uint32_t n_descriptions)
{
	uint32_t n = FRAME_CALF_HOST + 1;

	for (uint32_t i = 0; i < n_descriptions; i++) {
		const struct description *description = &descriptions[i];

		if (!description->n_frames || description_leases_ip(description))
			continue;
		if (n == FRAME_CALVES_MAX) {
			log_error("%s/" DESCRIPTION_FILE
				  ":%u: too many calves with frame rules; an instance may have one "
				  "that writes \"/ip\" and %d others",
				  description->directory, description->frame_lines[0],
				  FRAME_CALVES_MAX - 1);
			return -EINVAL;
		}
		n++;
	}
	return 0;
}

int overlap_check(const struct description *descriptions, uint32_t n_descriptions)
{
	int r = 0;

	for (uint32_t i = 0; i < n_descriptions; i++)
		for (uint32_t j = 0; j < i && !r; j++) {
			const struct description *own = &descriptions[i], *other = &descriptions[j];

			r = check_names(own, other);
			if (!r)
				r = check_keys(own, other);
			if (!r)
				r = check_keys(other, own);
			if (!r)
				r = check_secrets(own, other);
			if (!r)
				r = check_secrets(other, own);
			if (!r)
				r = check_frames(own, other);
		}
	if (!r)
		r = check_totals(descriptions, n_descriptions);
	if (!r)
		r = check_framed(descriptions, n_descriptions);
	for (uint32_t i = 0; i < n_descriptions && !r; i++)
		report_unwritten(&descriptions[i], descriptions, n_descriptions);
	return r;
}
