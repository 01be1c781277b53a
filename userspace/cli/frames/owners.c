/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "userspace/cli/frames/frames.h"
#include "userspace/common/sanitise.h"
#include "userspace/state/state.h"

void frames_owners_init(struct frames_owners *owners, const json_t *state)
{
	const json_t *calf;
	size_t i;

	memset(owners, 0, sizeof(*owners));
	json_array_foreach(json_object_get(state, STATE_CALVES), i, calf)
	{
		const json_t *filter = json_object_get(calf, STATE_CALF_FILTER);
		const char *name = json_string_value(json_object_get(calf, STATE_CALF_NAME));
		json_int_t number = json_is_integer(filter) ? json_integer_value(filter) : -1;
		char *to;

		if (!name || !*name || number < 0 || number >= FRAME_CALVES_MAX)
			continue;
		to = owners->names[1 + number];
		owners->n += !*to;
		sanitise(to, sizeof(owners->names[0]), name, strlen(name));
	}
}

const char *frames_owner(const struct frames_owners *owners, uint32_t owner)
{
	return owner < FRAME_OWNERS_MAX && owners->names[owner][0] ? owners->names[owner] : NULL;
}
