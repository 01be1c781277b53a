/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/clock.h"
#include "userspace/priv/audit/audit-private.h"

void record_init(struct record *record, const struct audit_entry *entry,
		 const char previous[static CHAIN_SIZE])
{
	record->is_warning = strcmp(entry->verdict, "ok") != 0;
	record->length = audit_format(entry, previous, record->text);
}

void record_init_lost(struct record *record, uint64_t n_lost,
		      const char previous[static CHAIN_SIZE],
		      char reason[static RECORD_REASON_SIZE])
{
	const struct audit_entry lost = {
		.wall_ns = clock_now_ns(CLOCK_REALTIME),
		.subject = "audit",
		.verb = "lost",
		.verdict = "error",
		.reason = reason,
	};

	(void)snprintf(reason, RECORD_REASON_SIZE, "%" PRIu64 " records could not be written",
		       n_lost);
	record_init(record, &lost, previous);
}

void record_link(struct record *record, const char previous[static CHAIN_SIZE])
{
	const char *member = chain_previous(record->text, record->length - 1);

	if (member)
		memcpy(record->text + (member - record->text), previous, CHAIN_SIZE - 1);
}
