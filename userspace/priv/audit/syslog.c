/* SPDX-License-Identifier: Apache-2.0 */
/* Records to the syslog daemon, which nobody waits for: some may be lost there. */
#include <errno.h>
#include <stdio.h>

#include "userspace/common/log.h"
#include "userspace/priv/audit/audit-private.h"

/* Why a message was lost: because those before it wait for something. */
static int waiting_error(const struct outlet *outlet, int r)
{
	return r == -ENOBUFS && outlet->error != -EAGAIN ? outlet->error : r;
}

static uint64_t *n_lost(const struct audit *audit)
{
	return &audit->settings.syslog->outlet.n_lost[OUTLET_RECORD];
}

static int send_record(struct audit *audit, const struct record *record)
{
	int r = syslog_send_record(audit->settings.syslog, record->is_warning, record->text,
				   record->length - 1);

	return waiting_error(&audit->settings.syslog->outlet, r);
}

/* Report how many were lost, to the daemon, too. Returns 0 if it takes records again. */
static int report_lost(struct audit *audit)
{
	char reason[RECORD_REASON_SIZE];
	struct record record;
	int r;

	if (!outlet_has_room(&audit->settings.syslog->outlet))
		return waiting_error(&audit->settings.syslog->outlet, -ENOBUFS);
	record_init_lost(&record, *n_lost(audit), audit->last, reason);
	r = send_record(audit, &record);
	if (r < 0)
		return r;
	*n_lost(audit) = 0;
	log_warning("audit to syslog: writable again; %s", reason);
	return 0;
}

void audit_send_to_syslog(struct audit *audit, const struct record *record)
{
	int r;

	if (!audit->settings.syslog)
		return;
	r = *n_lost(audit) ? report_lost(audit) : 0;
	if (!r)
		r = send_record(audit, record);
	if (r < 0 && !(*n_lost(audit))++)
		log_error("audit to syslog: %s; audit records are being lost", audit_strerror(r));
}

void audit_retry_syslog(struct audit *audit)
{
	if (audit->settings.syslog && *n_lost(audit))
		(void)report_lost(audit);
}

bool audit_describe_syslog(const struct audit *audit, char *text, size_t size)
{
	if (!audit->settings.syslog || !*n_lost(audit))
		return false;
	(void)snprintf(text, size, "syslog: %s; records are lost",
		       audit_strerror(waiting_error(&audit->settings.syslog->outlet, -ENOBUFS)));
	return true;
}

/* Nothing waits for the daemon any more. */
static void on_syslog_empty(void *data)
{
	audit_retry_syslog(data);
}

void audit_use_syslog(struct audit *audit)
{
	struct syslog *syslog = audit->settings.syslog;

	if (!syslog || !syslog_is_open(syslog)) {
		audit->settings.syslog = NULL;
		return;
	}
	syslog->on_empty = on_syslog_empty;
	syslog->data = audit;
}
