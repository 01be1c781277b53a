/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of the records that the gate writes to its rings. All who read one use
 * this: the watcher (changes, refusals), the gateways and `calfpen watch` (a subject's
 * ring). The gate (bpf/kv_check.bpf.h) accepts no request of which the record would be
 * refused here, and tests/bpf/test-gate-property.c compares the two: a change that
 * one of them accepts and another does not would be made without a line in the audit
 * log. The kernel wrote the records, but every field is checked before it is used.
 *
 * Nothing here has side effects, or allocates.
 */
#ifndef CALFPEN_COMMON_RECORD_H
#define CALFPEN_COMMON_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maps/kv.h"
#include "userspace/common/bytes.h"

struct record_change {
	struct kv_key key;
	uint16_t operation; /* KV_CHANGE_WRITE or KV_CHANGE_DELETE */
	uint16_t length;
	const char *text; /* printable, NUL-terminated, valid as long as the record */
	bool is_secret;	  /* a write whose text the record does not have: it is KV_SECRET_TEXT */
};

struct record_commit {
	struct kv_event header;
	struct bytes_reader changes; /* those not returned yet */
	uint32_t i_change;
};

/*
 * Parse a record of the change ring, a struct kv_event with its changes. All of them are
 * checked: sizes, verb and operations, canonical paths, printable values, zeros behind
 * them. `data` must outlive the commit. Returns 0, or -EBADMSG if the gate cannot have
 * written it.
 */
int record_commit_init(struct record_commit *commit, const void *data, size_t size);
/* Store the next change in *changep. Returns 1, or 0 after the last change. */
int record_commit_next(struct record_commit *commit, struct record_change *changep);

/* Parse a record of the refusal ring. Returns 0, or -EBADMSG. */
int record_denial_init(struct kv_denial *denial, const void *data, size_t size);

/* Parse a record of a subject's ring, a struct kv_watch_event and its change. `data`
 * must outlive the change. Returns 0, or -EBADMSG. */
int record_watch_init(struct kv_watch_event *event, struct record_change *change, const void *data,
		      size_t size);

/* What the kernel itself wrote into a record of the change or the refusal ring, whatever
 * the rest of it is. */
struct record_origin {
	uint64_t revision; /* of the change; 0: a refusal */
	uint64_t sequence; /* of the refusal; 0: a change */
	uint64_t boot_ns;
	uint32_t subject;
	uint32_t uid, tgid;
};

/* Find it in a record that is not well-formed. Returns false if the record is too short
 * or of no known type. */
bool record_origin(const void *data, size_t size, struct record_origin *originp);

#define RECORD_SHOWN 64 /* first bytes of a record in a description */
#define RECORD_TEXT_SIZE (2 * RECORD_SHOWN + 64)

/* Describe a record that is not well-formed: "384 bytes: 0100...", its first bytes in
 * hexadecimal. */
void record_describe(const void *data, size_t size, char text[static RECORD_TEXT_SIZE]);

#endif
