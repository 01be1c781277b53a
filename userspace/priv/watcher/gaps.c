/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/watcher/gaps.h"

void gaps_init(struct gaps *gaps, uint64_t *nextp)
{
	*gaps = (struct gaps){ .nextp = nextp, .next = *nextp };
}

/* The next process begins at the first gap of which nothing is told yet. */
static void save(const struct gaps *gaps)
{
	*gaps->nextp = gaps->n ? gaps->ranges[0].first : gaps->next;
}

static void add(struct gaps *gaps, uint64_t first, uint64_t last)
{
	uint32_t n = gaps->n;

	if (n && (n == GAPS_MAX || first <= gaps->ranges[n - 1].last + 1)) {
		if (last > gaps->ranges[n - 1].last)
			gaps->ranges[n - 1].last = last;
		return;
	}
	gaps->ranges[n].first = first;
	gaps->ranges[n].last = last;
	gaps->n++;
}

void gaps_note(struct gaps *gaps, uint64_t revision, bool is_told)
{
	uint64_t next = gaps->next;

	if (next && revision > next)
		add(gaps, next, revision - 1);
	if (!is_told && revision >= next) /* otherwise it is the same record again */
		add(gaps, revision, revision);
	if (revision >= next)
		gaps->next = revision + 1;
	save(gaps);
}

void gaps_note_damage(struct gaps *gaps)
{
	if (!gaps->next)
		gaps->next = 1;
	save(gaps);
}

bool gaps_contain(const struct gaps *gaps, uint64_t revision)
{
	for (uint32_t i = 0; i < gaps->n; i++)
		if (revision >= gaps->ranges[i].first && revision <= gaps->ranges[i].last)
			return true;
	return false;
}

void gaps_clear(struct gaps *gaps)
{
	gaps->n = 0;
	save(gaps);
}
