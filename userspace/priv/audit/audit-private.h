/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by audit.c, line.c, open.c and syslog.c. */
#ifndef CALFPEN_PRIV_AUDIT_AUDIT_PRIVATE_H
#define CALFPEN_PRIV_AUDIT_AUDIT_PRIVATE_H

#include "userspace/priv/audit/audit.h"

#define RECORD_REASON_SIZE 64

/* A formatted entry. */
struct record {
	bool is_warning;
	size_t length; /* of the line, its newline included */
	char text[AUDIT_LINE_SIZE];
};

/* line.c */

void record_init(struct record *record, const struct audit_entry *entry,
		 const char previous[static CHAIN_SIZE]);
/* A record that says how many were lost; stores that text, too. */
void record_init_lost(struct record *record, uint64_t n_lost,
		      const char previous[static CHAIN_SIZE],
		      char reason[static RECORD_REASON_SIZE]);
/* Let it follow another line. */
void record_link(struct record *record, const char previous[static CHAIN_SIZE]);

/* audit.c */

/* Return whether records are in a reserve. */
bool audit_is_waiting(const struct audit *audit);
/* The log itself has this record now, which is newer than all others. */
void audit_note_written(struct audit *audit, const struct record *record);
/* The last record is this one, wherever it is. */
void audit_note_last(struct audit *audit, const struct record *record);
/* The log has taken a record, or was opened. */
void audit_note_works(struct audit *audit);

/* open.c */

bool audit_is_open(const struct audit *audit);
/* Open audit->path. Returns 0, or a negative errno. */
int audit_open_log(struct audit *audit);
/* Use this descriptor as a stream. */
void audit_open_stream(struct audit *audit, int fd);
void audit_close_log(struct audit *audit);
/* Prepare to append `length` bytes to the file: rotate it, or create it if it was removed.
 * Returns 0, or a negative errno. */
int audit_make_room(struct audit *audit, size_t length);
/* Find out at which record the chain is. */
void audit_find_last(struct audit *audit);

/* syslog.c */

/* Use settings.syslog, or set it to NULL if it is not open. */
void audit_use_syslog(struct audit *audit);
void audit_send_to_syslog(struct audit *audit, const struct record *record);
/* Report what was lost there, if it can be written again. */
void audit_retry_syslog(struct audit *audit);
/* Describe what is wrong there. Returns false if nothing is. */
bool audit_describe_syslog(const struct audit *audit, char *text, size_t size);

#endif
