/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/*
 * The configuration store as shared by kernel and user space: the records of
 * the maps, of the gate's request and of the event rings, and every limit of
 * the store.
 *
 * All fields have a fixed width and are in host order, because both sides are
 * the same host. Everything that is pinned has KV_LAYOUT_VERSION; increase it
 * when a record changes.
 */
#ifndef CALFPEN_MAPS_KV_H
#define CALFPEN_MAPS_KV_H

#include <linux/types.h>

#define KV_LAYOUT_VERSION 5

/* Limits. A path is canonical text with a leading slash, NUL-padded. */
#define KV_PATH_SIZE 64		     /* bytes of a key, at least one NUL included */
#define KV_PATH_MAX 63		     /* strlen of the longest path */
#define KV_SEGMENTS_MAX 8	     /* segments of a path */
#define KV_SEGMENT_MAX 31	     /* bytes of one segment */
#define KV_VALUE_SIZE 1024	     /* bytes of a value, at least one NUL included */
#define KV_VALUE_MAX 1023	     /* strlen of the longest value */
#define KV_ANSWER_SIZE 1040	     /* bytes of an answer: a result and the longest value */
#define KV_KEYS_MAX 4096	     /* keys of one store */
#define KV_CHANGES_MAX 128	     /* changes of one commit */
#define KV_KEYS_SLACK KV_CHANGES_MAX /* spare map entries, so that no insert fails half-way */
#define KV_REQUEST_MAX 32768	     /* bytes of the packed changes of one commit */
#define KV_BATCH_MAX 32		     /* requests of one batch; a power of two */
#define KV_SUBJECTS_MAX 64	     /* subjects of one instance */
#define KV_NAME_SIZE 16		     /* bytes of a subject's name, at least one NUL included */
#define KV_RULES_MAX 512	     /* access rules of one subject */
#define KV_EVENTS_SIZE (1 << 20)     /* bytes of the event ring */
#define KV_WATCH_SIZE (1 << 17)	     /* bytes of the ring of one watching subject */
#define KV_DENIALS_SIZE (1 << 16)    /* bytes of the ring of refused requests */

/*
 * Subjects: who acts. The number is in the frozen .rodata of a gate instance; a
 * process that holds the descriptor of that instance has this identity. A calf
 * gets the first free number from KV_SUBJECT_CALF on when the store first sees its
 * name (kv_ctl.names), and keeps it for the life of the store.
 */
enum kv_subject {
	KV_SUBJECT_SUPERVISOR = 0,
	KV_SUBJECT_WATCHER = 1,
	KV_SUBJECT_OPERATOR = 2,
	KV_SUBJECT_CALF = 3,
};

/* Names of the subjects that each store has; a calf's is in its description. */
#define KV_NAME_SUPERVISOR "supervisor"
#define KV_NAME_WATCHER "watcher"
#define KV_NAME_OPERATOR "operator"
/* Indexed by enum kv_subject, below KV_SUBJECT_CALF. */
#define KV_SUBJECT_NAMES                                              \
	{                                                             \
		KV_NAME_SUPERVISOR, KV_NAME_WATCHER, KV_NAME_OPERATOR \
	}

enum kv_verb {
	KV_VERB_NONE = 0, /* only in a denial: an operation that does not exist */
	KV_VERB_READ = 1,
	KV_VERB_WRITE = 2,   /* exactly one change, KV_CHANGE_WRITE */
	KV_VERB_DELETE = 3,  /* exactly one change, KV_CHANGE_DELETE */
	KV_VERB_COMMIT = 4,  /* 1..KV_CHANGES_MAX changes, all or nothing */
	KV_VERB_LIST = 5,    /* a page of paths and revisions under a directory */
	KV_VERB_WATCH = 6,   /* begin, end or query the filling of the subject's ring */
	KV_VERB_RESTORE = 7, /* supervisor, while the revision is 0: set it */
	KV_VERB_BATCH = 8,   /* 1..KV_BATCH_MAX independent reads, writes and deletes */
	KV_VERB_DENIAL = 9,  /* record a refusal by the caller itself; changes nothing */
};

/* struct kv_request.revision of a write, delete or commit. */
#define KV_REVISION_ANY 0ull	   /* no condition */
#define KV_REVISION_ABSENT (~0ull) /* create only: none of its keys may exist */

/* Access bits of struct kv_rule. */
#define KV_ACCESS_READ (1u << 0)
#define KV_ACCESS_WRITE (1u << 1)
#define KV_ACCESS_DELETE (1u << 2)
#define KV_ACCESS_WATCH (1u << 3)
#define KV_ACCESS_SECRET (1u << 4) /* no right: what is written is a secret */

/*
 * Type class: what the kernel checks of a value. userspace/common/value.h has
 * the full types (ipv4, hostname, ...). Every class allows 0x20..0x7e only.
 */
enum kv_class {
	KV_CLASS_TEXT = 0, /* printable */
	KV_CLASS_HEX = 1,  /* lower-case hex digits, even length */
	KV_CLASS_UINT = 2, /* 1..10 decimal digits */
};

enum kv_operation {
	KV_CHANGE_WRITE = 1,
	KV_CHANGE_DELETE = 2,
	KV_CHANGE_SECRET = 3, /* in a record only: a write of a secret, without its text */
};

/*
 * A secret is what a subject writes by a rule with KV_ACCESS_SECRET. Its text leaves the gate
 * only for the subject that wrote it, for the supervisor, and, if the supervisor wrote it
 * (as it does after a reboot), for the subject with such a rule. Other calves may not read
 * it. The watcher and the operator, and every record of the change but the one in the
 * writer's own ring, get no text; those who print it print this instead.
 */
#define KV_SECRET_TEXT "<secret>"
#define KV_SECRET_LENGTH 8u /* strlen of it */

/* struct kv_value.flags */
#define KV_VALUE_SECRET (1u << 0)
/* Not in the store: the gate has kept the text back. */
#define KV_VALUE_HIDDEN (1u << 1)

struct kv_key {
	char path[KV_PATH_SIZE];
};

struct kv_value {
	__u64 revision; /* of the commit that wrote it */
	__u64 boot_ns;	/* CLOCK_BOOTTIME of that commit, nanoseconds */
	__u16 length;	/* bytes of text before its NUL */
	__u16 flags;	/* KV_VALUE_* */
	__u16 subject;	/* writer, enum kv_subject */
	__u16 slot;	/* index in the map slots */
	char text[KV_VALUE_SIZE];
};

/*
 * One access rule. It is looked up by exact path, then by the path's directory
 * "/dir/", then by "/"; without a match the access is denied.
 */
struct kv_rule {
	__u32 access;	  /* KV_ACCESS_* */
	__u16 class;	  /* enum kv_class */
	__u16 max_length; /* bytes of the value, at most KV_VALUE_MAX */
};

/*
 * One change, as sent to the gate and as stored in event records: this header,
 * then `length` bytes of text, then NULs up to the next multiple of 8 (at least
 * one NUL). KV_CHANGE_DELETE has length 0 and one word of NULs, and so have the
 * requests that change nothing. Anything else is refused, because the readers of a
 * record, which is a copy of these bytes, refuse it, too (common/record.h). Only the write
 * of a secret is not copied: its record is a KV_CHANGE_SECRET, which has length 0 and one
 * word of NULs. In its writer's own ring it is a KV_CHANGE_WRITE with the text.
 */
struct kv_change {
	char path[KV_PATH_SIZE];
	__u16 operation; /* enum kv_operation */
	__u16 length;	 /* bytes of text */
	__u32 noted;	 /* 0 in a request; in a record the gate's KV_NOTE() of the path */
};

/* What is behind the path of a secret in a record. */
struct kv_hidden {
	__u16 operation; /* KV_CHANGE_SECRET */
	__u16 length;	 /* 0 */
	__u32 noted;
	__u64 text; /* 0 */
};

/* strlen("/dir/") and strlen("/dir/name") of a path, as found by the gate. */
#define KV_NOTE(directory, length) ((__u32)(directory) | (__u32)(length) << 16)
#define KV_NOTE_DIRECTORY(noted) ((noted)&0xffffu)
#define KV_NOTE_LENGTH(noted) ((noted) >> 16)

#define KV_CHANGE_HEADER 72u
#define KV_CHANGE_SIZE(length) (KV_CHANGE_HEADER + (((__u32)(length) + 8u) & ~7u))

/*
 * A request of a batch: this header, then its one kv_change. Requests are
 * served in order while the lock is held once. Each has its own rate, verdict,
 * revision, event and denial, and does not depend on the others.
 */
struct kv_batched {
	__u64 revision; /* condition, as of kv_request */
	__u32 verb;	/* KV_VERB_READ, _WRITE or _DELETE */
	__u32 reserved;
	__u64 room[3]; /* for the gate, which turns this header into a struct kv_event */
};

/* The result of such a request: this header, then the value if it is a read,
 * with NULs up to a multiple of 8. */
struct kv_result {
	__u64 revision; /* of the commit, or of the value read */
	__s32 verdict;	/* 0, or a negative errno */
	__u32 length;	/* bytes of text */
};

#define KV_RESULT_SIZE(length) ((__u32)sizeof(struct kv_result) + (((__u32)(length) + 7u) & ~7u))

/*
 * The gate's context (BPF_PROG_RUN copies it in and back). `request` points to
 * `size` bytes of packed changes; for KV_VERB_READ to one kv_change with
 * operation 0 and the path to read; for KV_VERB_LIST to one whose path is a
 * directory, canonical, or "/" for everything. KV_VERB_WATCH and
 * KV_VERB_RESTORE have no changes. For KV_VERB_BATCH `request` points to struct
 * kv_batched, each followed by a change; for KV_VERB_DENIAL to one kv_change
 * with operation 0 and the refused path, or NULs if that is not canonical. The
 * refused verb is one up to KV_VERB_WATCH, and the errno one of those for which a
 * gateway refuses a request: E2BIG, EACCES, EBADMSG, EILSEQ, EINVAL, EMSGSIZE,
 * EUSERS.
 *
 * Condition (`revision` in): for a write or delete, the key must exist with
 * exactly this revision; for a commit, none of its keys may be newer than this;
 * KV_REVISION_ABSENT: none of the keys may exist.
 *
 * retval: 0 or a negative errno:
 *   -EBUSY    this instance or the store is locked; nothing happened
 *   -EDQUOT   the subject's rate, keys or bytes are used up; nothing happened
 *   -EFBIG    the subject's bytes of the audit log are used up; nothing happened
 *   -EFAULT   request cannot be read
 *   -EINVAL   verb, count or packing is wrong
 *   -EILSEQ   a path is not canonical
 *   -EACCES   a path is unknown to this subject, the right is missing, or the value is
 *             another calf's secret
 *   -EMSGSIZE a value is longer than its rule allows
 *   -EBADMSG  a value is not of its class, or what follows it is not NUL
 *   -ENOSPC   the commit would exceed the number of keys
 *   -EAGAIN   the event ring, or this subject's share of it, is full
 *   -ENOENT   read of an absent key
 *   -ESTALE   the condition on the revision does not hold
 *   -EEXIST   restore: the store already has a revision
 *
 * A batch whose own envelope is refused, or that cannot get the lock or exceeds
 * its rate, returns the error with a cursor of 0: this is the verdict of its
 * first request, and there is none for the others. Otherwise it returns 0, and
 * `cursor` is the number of requests that were served: all, or those before a
 * read whose value does not fit.
 */
struct kv_request {
	__u32 verb;		   /* in: enum kv_verb */
	__u32 n_changes;	   /* in: 1..KV_CHANGES_MAX, 0 of watch and restore */
	__u64 request;		   /* in: user-space address */
	__u32 size;		   /* in: bytes at `request`, at most KV_REQUEST_MAX */
	__u32 i_refused;	   /* out: index of the change that was refused */
	__u64 revision;		   /* in: condition, or the revision to restore; out: of the commit,
				    * of the value read, or of the store (list, watch) */
	__u64 boot_ns;		   /* out: read: when it was written; watch: number of events lost
				    * so far */
	__u32 length;		   /* in: watch: 1 begin, 0 end, 2 query; denial: errno, positive;
				    * out: bytes of text */
	__u32 cursor;		   /* list: in: 0 or the cursor of the last page, out: 0 at the end;
				    * read: out: KV_CURSOR() of the subject that wrote it; batch:
				    * out: number of served requests; denial: in: the refused verb */
	char text[KV_ANSWER_SIZE]; /* out: read: value, NUL-terminated; list: packed
				   * struct kv_entry, batch: packed struct kv_result,
				   * `length` bytes of them */
};

/* The writer of a value that was read, and its KV_VALUE_*. */
#define KV_CURSOR(subject, flags) ((__u32)(subject) | (__u32)(flags) << 16)
#define KV_CURSOR_SUBJECT(cursor) ((__u16)(cursor))
#define KV_CURSOR_FLAGS(cursor) ((__u16)((cursor) >> 16))

/* One listed key: this header, then its path with NULs up to a multiple of 8
 * (at least one). A key that exists during the whole listing is listed once;
 * one that is created or deleted meanwhile may be listed. */
struct kv_entry {
	__u64 revision;
};

#define KV_ENTRY_SIZE(path_length) (8u + (((__u32)(path_length) + 8u) & ~7u))

/*
 * Bytes of the audit log that a change, or the record of a refusal, causes at most;
 * the subject pays for them. KV_AUDIT_FIXED is for all members of a line of
 * audit_format() (userspace/priv/audit/audit.c) but the path and the value, with
 * each number and the subject's name as long as they can be, and for 50 bytes of a
 * digest. A path is printed as it is; each byte of a value can need a backslash.
 */
#define KV_AUDIT_FIXED 304u
#define KV_AUDIT_COST(path_length, value_length) \
	(KV_AUDIT_FIXED + (__u32)(path_length) + 2u * (__u32)(value_length))

/* An entry of the map slots: the path of a key, for listing. */
struct kv_slot {
	char path[KV_PATH_SIZE]; /* empty: free */
	__u32 noted;		 /* KV_NOTE() of the path */
	__u32 next_free;	 /* slot + 1 of the next free one, 0: none */
};

/* A subject's ring of events (map rings, one ring buffer per subject that may
 * watch anything). It is filled while the subject watches. */
struct kv_watch {
	__u32 active;
	__u32 reserved;
	__u64 sequence; /* number of records, lost ones included: a gap means a loss */
	__u64 n_lost;	/* records lost because the ring was full */
};

/* The one entry of the map ctl. */
struct kv_ctl {
	__u32 layout_version;
	__u32 lock;	 /* try-lock: 0 free, else subject + 1 */
	__u64 revision;	 /* of the last commit */
	__u32 n_keys;	 /* keys in kv now */
	__u32 max_keys;	 /* more keys are refused */
	__u64 n_commits; /* since the maps were created */
	__u64 n_denials; /* records written to the denial ring */
	__u32 n_slots;	 /* number of slots of the map slots ever used */
	__u32 free_slot; /* slot + 1 of the first free one below n_slots, 0: none */
	__u64 watching;	 /* one bit per subject whose ring is filled */
	struct {
		__u64 mark;	  /* producer position when `since` began */
		__u64 before;	  /* bytes written before mark, possibly unread */
		__u64 since;	  /* bytes written after mark */
		__u64 n_accepted; /* commits */
		__u64 n_reads;
		__u64 n_refused;    /* all refusals */
		__u64 n_suppressed; /* denials without a record */
		__u64 n_bytes;	    /* of the values that it wrote last */
		__u32 n_keys;	    /* that it wrote last */
		__u32 reserved;
	} subject[KV_SUBJECTS_MAX];
	/* By number, NUL-padded, empty: free. The gate does not use them; they are last, so
	 * that the fields that it uses are where they were. */
	char names[KV_SUBJECTS_MAX][KV_NAME_SIZE];
};

/* The context of kv_enter_name() (bpf/kv_names.bpf.c), which returns the number of the
 * calf with this name, entered now if it is new, or a negative errno: -EINVAL (empty, or
 * the last byte is not NUL), -ENOSPC (no number is free). */
struct kv_naming {
	char name[KV_NAME_SIZE]; /* NUL-padded */
};

/* Record types of the two rings; the first word of each record. */
enum kv_record {
	KV_RECORD_COMMIT = 1, /* ring events: struct kv_event */
	KV_RECORD_DENIAL = 2, /* ring denials: struct kv_denial */
	KV_RECORD_CHANGE = 3, /* rings: struct kv_watch_event */
};

/* A request being served: one of a batch, or the only one. */
struct kv_item {
	__u64 rate_ns; /* kv_staging.rate_ns before this request was charged */
	__u32 at;      /* offset of its change; of a commit, of the refused one */
	__s32 verdict;
	__u32 verb;
	__u32 canonical; /* the path at `at` may be shown */
};

/* What was found in the words of a path. Bit i of each field is about byte i,
 * but `other` is 0 if every byte may be in a path. */
struct kv_path_bits {
	__u64 slash;
	__u64 dot;
	__u64 nul;
	__u64 other;
	__u64 n_slashes;
	__u64 n_nuls;
};

/* And in the words of a value; not 0 if the value is not of the class. */
struct kv_value_bits {
	__u64 not_text;
	__u64 not_hex;
	__u64 not_uint;
};

/*
 * The state of a call. It is in a map and not on the program's stack, because
 * the verifier does not track map values, so they cannot multiply the states
 * that it must explore.
 */
struct kv_work {
	__u64 at;	/* offset of the current change */
	__u64 revision; /* of this commit; returned in kv_request */
	__u64 boot_ns;
	__u64 condition; /* kv_request.revision */
	__u64 mask;	 /* subjects that get a copy of the change */
	__u64 keys_before;
	__u64 bytes_before;
	__u64 answer_boot_ns;
	struct kv_path_bits path;
	struct kv_value_bits value;
	__u32 verb;
	__u32 base; /* offset of the first change */
	__u32 size; /* bytes from base on */
	__u32 n_changes;
	__u32 n_applied;
	__u32 i_refused;
	__u32 canonical; /* the path of the refused change may be shown */
	__s32 error;
	__u32 slot;	 /* the next one to list */
	__u32 used;	 /* bytes of the page */
	__u32 directory; /* strlen of the directory that is listed */
	__u32 is_batch;	 /* otherwise there is one item */
	__u32 header;	 /* size of the header of each change: struct kv_batched, or 0 */
	__u32 n_items;	 /* of the request */
	__u32 n_served;	 /* of them */
	__u32 n_refused; /* of them */
	__u32 answer_length;
	__u32 answer_cursor;
	__u32 asked;  /* kv_request.length: a watch's operation, a denial's errno */
	__u32 needed; /* KV_ACCESS_* of the change */
	__u32 uid;    /* of the caller, as reported by the kernel */
	__u32 tgid;
	__u32 audit_bytes; /* KV_AUDIT_COST() of the changes */
	__u32 record_size; /* bytes of the changes in the record: without texts of secrets */
	__u32 n_secrets;   /* among the changes */
	__u32 record_at;   /* bytes of the record that are written, if it has a secret */
};

/*
 * The private memory of one gate instance (map staging). The request is copied
 * here before anything is checked, so that a caller that changes or unmaps its
 * memory meanwhile has no effect.
 */
struct kv_staging {
	__u32 busy;	  /* this instance is running */
	__u32 suppressed; /* denials since the last one recorded */
	__u64 rate_ns;	  /* theoretical arrival time of the next request */
	__u64 denial_ns;  /* the same for the next denial record */
	__u64 audit_ns;	  /* the same for the next byte of the audit log */
	struct kv_work work;
	struct kv_item items[KV_BATCH_MAX];
	char page[KV_ANSWER_SIZE]; /* kv_request.text is assembled here */
	struct kv_value value;	   /* and a new key's value */
	struct kv_batched first;   /* space before the request, for its event */
	/* A request, and room for the longest change at any offset in it. */
	__u8 request[KV_REQUEST_MAX + sizeof(struct kv_batched) + KV_CHANGE_SIZE(KV_VALUE_MAX)];
};

/* How to undo one change of a commit (maps undo and undo_values, used under the
 * lock). */
enum kv_undo_action {
	KV_UNDO_NOTHING = 0,
	KV_UNDO_REMOVE,	 /* the change created the key */
	KV_UNDO_RESTORE, /* the change replaced or removed the saved value */
};

struct kv_undo {
	__u32 action;
	__u32 at; /* offset of the change in the request */
};

/* One record per commit, followed by n_changes packed struct kv_change. */
struct kv_event {
	__u32 type;	/* KV_RECORD_COMMIT */
	__u32 size;	/* bytes of the changes that follow */
	__u64 revision; /* gap-free: it is also the sequence number of the ring */
	__u64 boot_ns;	/* CLOCK_BOOTTIME, nanoseconds */
	__u32 uid;	/* of the caller, as reported by the kernel */
	__u32 tgid;
	__u16 subject;
	__u16 verb;
	__u32 n_changes;
};

/* A refused request. `suppressed` denials before it have no record. */
struct kv_denial {
	__u32 type;	/* KV_RECORD_DENIAL */
	__s32 verdict;	/* the negative errno returned */
	__u64 sequence; /* of this ring, gap-free for the records written */
	__u64 boot_ns;
	__u32 uid;
	__u32 tgid;
	__u16 subject;
	__u16 verb;
	__u32 suppressed;
	char path[KV_PATH_SIZE]; /* of the refused change, empty if not canonical */
};

/* One change in a watching subject's ring, followed by its struct kv_change. */
struct kv_watch_event {
	__u32 type; /* KV_RECORD_CHANGE */
	__u32 size; /* bytes of the change that follows */
	__u64 sequence;
	__u64 revision;
	__u64 boot_ns;
};

/* Frozen .rodata of one gate instance, set before it is loaded. */
struct kv_gate_config {
	__u32 subject;
	__u32 reserved;
	__u64 rate_interval_ns;	  /* one request per this many nanoseconds ... */
	__u64 rate_burst_ns;	  /* ... with this much saved up */
	__u64 denial_interval_ns; /* the same for records of refusals */
	__u64 denial_burst_ns;
	__u64 audit_byte_ns; /* the same for bytes of the audit log */
	__u64 audit_burst_ns;
	__u64 max_bytes; /* of values that the subject wrote last */
	__u32 max_keys;	 /* that the subject wrote last */
	__u32 share;	 /* bytes of the event ring that may be unread because of it */
};

_Static_assert(sizeof(struct kv_key) == 64, "kv_key layout");
_Static_assert(sizeof(struct kv_value) == 1048, "kv_value layout");
_Static_assert(sizeof(struct kv_rule) == 8, "kv_rule layout");
_Static_assert(sizeof(struct kv_change) == KV_CHANGE_HEADER, "kv_change layout");
_Static_assert(KV_PATH_SIZE + sizeof(struct kv_hidden) == KV_CHANGE_SIZE(0), "kv_hidden layout");
_Static_assert(sizeof(struct kv_request) == 48 + KV_ANSWER_SIZE, "kv_request layout");
_Static_assert(sizeof(struct kv_batched) == 40, "kv_batched layout");
_Static_assert(sizeof(struct kv_result) == 16, "kv_result layout");
_Static_assert(KV_ANSWER_SIZE >= KV_RESULT_SIZE(KV_VALUE_MAX),
	       "a batch serves one request at least");
_Static_assert(sizeof(struct kv_event) == sizeof(struct kv_batched), "kv_event layout");
_Static_assert(sizeof(struct kv_denial) == 104, "kv_denial layout");
_Static_assert(sizeof(struct kv_ctl) == 56 + (72 + KV_NAME_SIZE) * KV_SUBJECTS_MAX,
	       "kv_ctl layout");
_Static_assert(sizeof(struct kv_slot) == 72, "kv_slot layout");
_Static_assert(sizeof(struct kv_watch) == 24, "kv_watch layout");
_Static_assert(sizeof(struct kv_watch_event) == 32, "kv_watch_event layout");

#endif
