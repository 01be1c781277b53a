/* SPDX-License-Identifier: Apache-2.0 */
/* Which calf gets which number in the frame filter. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/capture.h"
#include "userspace/priv/supervisor/supervisor-private.h"

#define N_CALVES (FRAME_CALVES_MAX + 2)

static struct description calves[N_CALVES];
static struct supervisor s;

/* "f": with frame rules; "h": also writes /ip; "-": neither; "i": writes /ip only. */
static void number(const char *kinds)
{
	memset(&s, 0, sizeof(s));
	memset(calves, 0, sizeof(calves));
	s.descriptions = calves;
	for (uint32_t i = 0; kinds[i]; i++) {
		struct description *calf = &calves[s.n_descriptions++];

		snprintf(calf->directory, sizeof(calf->directory), "/calves/%u", i);
		calf->n_frames = kinds[i] == 'f' || kinds[i] == 'h';
		calf->frame_lines[0] = 7;
		calf->n_keys = 1;
		calf->keys[0] = (struct key_rule){ .path = "/ip",
						   .access = kinds[i] == 'h' || kinds[i] == 'i' ?
								     KV_ACCESS_WRITE :
								     KV_ACCESS_READ };
	}
	supervisor_number_calves(&s);
}

Test(taps, the_hosts_calf_is_number_0)
{
	static const struct {
		const char *kinds;
		int numbers[4]; /* of each calf; -1: none */
	} rows[] = {
		{ "h", { 0 } },	     { "hf", { 0, 1 } },     { "fh", { 1, 0 } },
		{ "f", { 1 } },	     { "-", { -1 } },	     { "-h-f", { -1, 0, -1, 1 } },
		{ "if", { -1, 1 } }, { "ffh", { 1, 2, 0 } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool has_frames = false;

		number(rows[i].kinds);
		for (uint32_t j = 0; rows[i].kinds[j]; j++) {
			int is = rows[i].numbers[j];
			const struct tap *tap = supervisor_tap_of(&s, &calves[j]);

			has_frames |= is >= 0;
			cr_expect_eq(tap, is < 0 ? NULL : &s.taps[is], "%s, calf %u", rows[i].kinds,
				     j);
			cr_expect_eq(supervisor_number_of(&s, &calves[j]), is);
		}
		cr_expect_eq(supervisor_has_frames(&s), has_frames, "%s", rows[i].kinds);
	}
}

/* With as many as there may be (tests/unit/test-description-overlap.c), each has a number. */
Test(taps, eight_calves)
{
	static const char *const kinds[] = { "hfffffff", "fffffff-h" };

	for (size_t i = 0; i < 2; i++) {
		number(kinds[i]);
		for (uint32_t calf = 0; calf < FRAME_CALVES_MAX; calf++)
			cr_expect_not_null(s.framed[calf], "%s, number %u", kinds[i], calf);
	}
}
