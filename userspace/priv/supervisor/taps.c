/* SPDX-License-Identifier: Apache-2.0 */
/* The calves with frame rules, by their numbers (maps/frame.h, "several calves"), and
 * their taps. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/log.h"
#include "userspace/priv/supervisor/supervisor-private.h"

void supervisor_number_calves(struct supervisor *s)
{
	uint32_t n = FRAME_CALF_HOST + 1; /* overlap_check() has refused too many */

	for (uint32_t i = 0; i < s->n_descriptions; i++) {
		const struct description *description = &s->descriptions[i];

		if (description->n_frames)
			s->framed[description_leases_ip(description) ? FRAME_CALF_HOST : n++] =
				description;
	}
}

bool supervisor_has_frames(const struct supervisor *s)
{
	for (uint32_t calf = 0; calf < FRAME_CALVES_MAX; calf++)
		if (s->framed[calf])
			return true;
	return false;
}

static int make_tap(struct supervisor *s, uint32_t calf)
{
	char alias[sizeof("calfpen  ") + INSTANCE_NAME_MAX + KEY_TABLE_NAME_MAX];
	struct tap *tap = &s->taps[calf];
	int r;

	snprintf(alias, sizeof(alias), "calfpen %s %s", s->options->instance,
		 s->framed[calf]->name);
	r = tap_init(tap, s->netlink, alias);
	if (!r && tap->ipv6_error && !s->is_ipv6_logged) {
		log_info("%s: cannot disable IPv6: /proc/sys: %s; continuing, because its filter "
			 "drops what the host sends there",
			 tap->name, strerror(-tap->ipv6_error));
		s->is_ipv6_logged = true;
	}
	return r;
}

int supervisor_make_taps(struct supervisor *s)
{
	int r = 0;

	for (uint32_t calf = 0; !r && calf < FRAME_CALVES_MAX; calf++)
		if (s->framed[calf] && s->taps[calf].fd < 0)
			r = make_tap(s, calf);
	return r;
}

int supervisor_set_taps_up(struct supervisor *s)
{
	int r = 0;

	for (uint32_t calf = 0; !r && calf < FRAME_CALVES_MAX; calf++)
		if (s->framed[calf])
			r = tap_up(&s->taps[calf], s->netlink);
	return r;
}

int supervisor_number_of(const struct supervisor *s, const struct description *description)
{
	for (int calf = 0; calf < FRAME_CALVES_MAX; calf++)
		if (s->framed[calf] == description)
			return calf;
	return -1;
}

const struct tap *supervisor_tap_of(const struct supervisor *s,
				    const struct description *description)
{
	int number = supervisor_number_of(s, description);

	return number < 0 ? NULL : &s->taps[number];
}

int supervisor_close_taps(struct supervisor *s)
{
	char alias[sizeof("calfpen  ") + INSTANCE_NAME_MAX];
	int r;

	for (uint32_t calf = 0; calf < FRAME_CALVES_MAX; calf++)
		tap_deinit(&s->taps[calf]);
	snprintf(alias, sizeof(alias), "calfpen %s ", s->options->instance);
	r = taps_delete(s->netlink, alias);
	return r ? r : frames_detach_taps(&s->pins, s->netlink);
}
