/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: one writer per key
 *
 * If two calves could write one key, each would undo what the other does, and neither
 * the audit log nor the deletion of a calf's keys could say whose it is. The rule for a key
 * is the one that the gate looks up: that of its path, else that of its directory.
 * So "/ntp/" and "/ntp/ra/" do not overlap, "/ntp/" and "/ntp/001" do, unless the calf
 * with the directory also has an entry for "/ntp/001" that does not let it write.
 */
#include "userspace/priv/description/overlap.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "userspace/common/log.h"

#define CHANGE (KV_ACCESS_WRITE | KV_ACCESS_DELETE)

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

/* Look for a key, or all keys of a directory, that `other` may change: may `own`, too? */
static int check_keys(const struct description *own, const struct description *other)
{
	for (uint32_t i = 0; i < other->n_keys; i++) {
		const struct key_rule *changed = &other->keys[i], *found;

		if (!(changed->access & CHANGE))
			continue;
		/* for a directory: its own entry only, whose keys are the same */
		found = description_find_key(own, changed->path);
		if (!found || !(found->access & CHANGE))
			continue;
		log_error("%s/" DESCRIPTION_FILE ":%u: path \"%s\": %s/" DESCRIPTION_FILE
			  ":%u may write or delete \"%s\", too; only one calf of an instance may",
			  own->directory, line_of(own, found), found->path, other->directory,
			  line_of(other, changed), changed->path);
		return -EINVAL;
	}
	return 0;
}

static int check_frames(const struct description *own, const struct description *other)
{
	for (uint32_t i = 0; i < own->n_frames; i++)
		for (uint32_t j = 0; j < other->n_frames; j++) {
			if (own->frames[i].check != other->frames[j].check ||
			    own->frames[i].local_port != other->frames[j].local_port)
				continue;
			log_error("%s/" DESCRIPTION_FILE ":%u: frame rule matches the same frames "
				  "as that of %s/" DESCRIPTION_FILE
				  ":%u; a frame is for one calf of an instance only",
				  own->directory, own->frame_lines[i], other->directory,
				  other->frame_lines[j]);
			return -EINVAL;
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
				r = check_frames(own, other);
		}
	return r;
}
