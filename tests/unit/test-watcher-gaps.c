/* SPDX-License-Identifier: Apache-2.0 */
/* Revisions that have no line in the audit log. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "userspace/priv/watcher/gaps.h"

static struct gaps gaps;
static uint64_t next;

static void begin(void)
{
	next = 0;
	gaps_init(&gaps, &next);
}

TestSuite(watcher_gaps, .init = begin);

/* The revisions below 40 that are in a gap, as "3 4 7". */
static const char *contained(void)
{
	static char text[256];
	size_t used = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < 40; i++)
		if (gaps_contain(&gaps, i))
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%u",
						 used ? " " : "", i);
	return text;
}

Test(watcher_gaps, none_if_all_are_read)
{
	for (uint64_t revision = 17; revision < 30; revision++)
		gaps_note(&gaps, revision, true);
	cr_expect_str_eq(contained(), "", "what was before the first one is not known");
	cr_expect_eq(next, 30);
	gaps_note(&gaps, 29, true);
	cr_expect_str_eq(contained(), "", "one is read twice");
	cr_expect_eq(next, 30);
}

Test(watcher_gaps, F1_missing_and_malformed_ones)
{
	gaps_note(&gaps, 3, true);
	gaps_note(&gaps, 6, true);
	gaps_note(&gaps, 7, false);
	gaps_note(&gaps, 8, true);
	gaps_note(&gaps, 9, false);
	gaps_note(&gaps, 10, false);
	gaps_note(&gaps, 13, false);
	gaps_note(&gaps, 14, true);
	cr_expect_str_eq(contained(), "4 5 7 9 10 11 12 13");
	gaps_clear(&gaps);
	cr_expect_str_eq(contained(), "");
	gaps_note(&gaps, 15, true);
	gaps_note(&gaps, 13, false);
	cr_expect_str_eq(contained(), "", "one is read twice");
}

/* The next watcher knows where the one before was. */
Test(watcher_gaps, F1_goes_on_after_a_restart)
{
	gaps_note(&gaps, 3, true);
	gaps_init(&gaps, &next);
	gaps_note(&gaps, 6, true);
	cr_expect_str_eq(contained(), "4 5");
}

/* The watcher exits before it has told a gap: the next one tells it, even if the records
 * behind the gap are gone from the ring. */
Test(watcher_gaps, F1_not_told_before_a_restart)
{
	gaps_note(&gaps, 3, true);
	gaps_note(&gaps, 6, true);
	gaps_note(&gaps, 9, false);
	gaps_note(&gaps, 10, true);
	gaps_init(&gaps, &next);
	cr_expect_str_eq(contained(), "");
	gaps_note(&gaps, 11, true);
	cr_expect_str_eq(contained(), "4 5 6 7 8 9 10", "rather than less");
	/* told: the next one begins behind it */
	gaps_clear(&gaps);
	gaps_init(&gaps, &next);
	gaps_note(&gaps, 13, true);
	cr_expect_str_eq(contained(), "12");
	/* damage, before anything is known */
	begin();
	gaps_note_damage(&gaps);
	gaps_init(&gaps, &next);
	gaps_note(&gaps, 3, true);
	cr_expect_str_eq(contained(), "1 2");
}

/* Nothing is known about what was before: all of it counts. */
Test(watcher_gaps, F1_damage_at_the_start)
{
	gaps_note_damage(&gaps);
	gaps_note(&gaps, 4, true);
	cr_expect_str_eq(contained(), "1 2 3");
	gaps_note_damage(&gaps);
	gaps_note(&gaps, 5, true);
	cr_expect_str_eq(contained(), "1 2 3");
}

/* Too many to tell apart: then also what is between them, rather than less. */
Test(watcher_gaps, F1_many)
{
	for (uint64_t i = 1; i <= GAPS_MAX + 3; i++)
		gaps_note(&gaps, 2 * i, false);
	for (uint64_t i = 1; i <= GAPS_MAX + 3; i++)
		cr_expect(gaps_contain(&gaps, 2 * i), "%u", (unsigned int)i);
	cr_expect_not(gaps_contain(&gaps, 1));
	cr_expect_not(gaps_contain(&gaps, 2 * (GAPS_MAX + 3) + 1));
}
