/* SPDX-License-Identifier: Apache-2.0 */
/* A record of the audit log, and its line; pure functions. */
#ifndef CALFPEN_PRIV_AUDIT_ENTRY_H
#define CALFPEN_PRIV_AUDIT_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maps/kv.h"
#include "userspace/common/audit_files.h"
#include "userspace/common/chain.h"

struct audit_entry {
	uint64_t wall_ns;  /* CLOCK_REALTIME of the event */
	uint64_t sequence; /* 0: left out */
	uint64_t revision; /* 0: left out */
	uint32_t segment;  /* 0: left out */
	const char *subject;
	const char *verb;
	const char *path;    /* NULL: left out */
	const char *verdict; /* "ok", or the name of an errno */
	const char *value;   /* NULL: left out */
	const char *reason;  /* NULL: left out */
	uint32_t suppressed; /* 0: left out */
	bool has_caller;     /* uid and pid are known */
	uint32_t uid;
	uint32_t pid;
};

/* Format one line, newline included, that follows the line with the hash `previous`. Bytes
 * outside 0x20..0x7e are written as \u00XX, texts are truncated to KV_VALUE_MAX bytes.
 * Returns the length. */
size_t audit_format(const struct audit_entry *entry, const char previous[static CHAIN_SIZE],
		    char line[static AUDIT_LINE_SIZE]);
/* Returns the name of a verdict of the gate: "EACCES" for -EACCES, "ok" for 0, NULL
 * for a number that the gate does not return. */
const char *audit_verdict(int verdict);
/* Return the reason why the log cannot be opened or written to. */
const char *audit_strerror(int error);

#endif
