/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration store of an instance: its maps, adopted from the previous
 * run if they fit, and one gate program per subject, all frozen and pinned. Only
 * the supervisor uses it; a process that is given a gate's descriptor acts as
 * that gate's subject. store.c creates or adopts the maps, grow.c replaces them
 * by larger ones, names.c numbers the calves, gates.c loads the gates.
 */
#ifndef CALFPEN_PRIV_STORE_STORE_H
#define CALFPEN_PRIV_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "maps/kv.h"
#include "userspace/priv/pins.h"

struct kv_gate_bpf;

struct store_rule;
struct store_loading;

struct store {
	const struct pins *pins; /* outlives the store */
	int kv_fd, ctl_fd, slots_fd, events_fd, denials_fd;
	/* owns the maps of this run, undo, watches, rings, ..., until store_seal() */
	struct kv_gate_bpf *shared;
	int gate_fds[KV_SUBJECTS_MAX];
	int ring_fds[KV_SUBJECTS_MAX];	   /* -1: no right to watch */
	void *ring_pages[KV_SUBJECTS_MAX]; /* mapped, so that no subject can freeze its ring */
	struct store_rule *rules[KV_SUBJECTS_MAX]; /* until store_seal() */
	uint32_t n_rules[KV_SUBJECTS_MAX];
	struct store_loading *loading; /* store_begin_subjects(); NULL: nothing is loading */
	uint32_t n_subjects;	       /* of this run; their numbers may be higher */
	bool adopted;
};

#define STORE_NULL(_x)                                                     \
	((struct store){ .kv_fd = -1,                                      \
			 .ctl_fd = -1,                                     \
			 .slots_fd = -1,                                   \
			 .events_fd = -1,                                  \
			 .denials_fd = -1,                                 \
			 .gate_fds = { [0 ... KV_SUBJECTS_MAX - 1] = -1 }, \
			 .ring_fds = { [0 ... KV_SUBJECTS_MAX - 1] = -1 } })

/* An access rule and its path: a key, "/dir/", or "/". */
struct store_rule {
	struct kv_key key;
	struct kv_rule rule;
};

struct store_subject {
	const char *name; /* the last part of its pins' names */
	const struct store_rule *rules;
	uint32_t n_rules;
	uint32_t number; /* enum kv_subject */
	uint32_t requests_per_second;
	uint32_t request_burst;
	uint32_t audit_bytes_per_second; /* of the audit log that it causes (KV_AUDIT_COST()) ... */
	uint32_t audit_burst;		 /* ... with this many saved up */
	uint32_t max_keys;		 /* quota: keys last written by this subject */
	bool has_whole_ring;		 /* what is unread of it is limited by the ring alone */
	uint64_t max_bytes;		 /* quota: bytes of their values */
};

/*
 * Create or adopt the maps for `max_keys` keys (at most KV_KEYS_MAX) and
 * `n_subjects` subjects. Pinned maps of the previous run are adopted only if
 * their layout version, types, sizes and flags fit, and if they are frozen; those of a store
 * that has no key yet are replaced. If they are for fewer keys, larger ones with the same
 * contents replace them. A store of layout 3 is adopted if dhcp4 was its only calf, otherwise
 * renamed to aside_NAME, with one line. Returns 0; -EEXIST if the maps do not fit, after one
 * line that says how to start with an empty store; or another negative errno, logged.
 */
int store_init(struct store *store, const struct pins *pins, uint32_t max_keys,
	       uint32_t n_subjects);

/*
 * Store the number of each of `n` calves, by name (at most KV_NAME_SIZE - 1 bytes), in
 * `numbers`. A name that the store does not know gets a number that it has never given to
 * another. Returns 0; -ENOSPC, not logged, if there are not enough numbers: then no name
 * has been entered, and the first calf without a number is in *refusedp; or another
 * negative errno, logged.
 */
int store_number_calves(const struct store *store, const char *const *names, uint32_t n,
			uint32_t *numbers, uint32_t *refusedp);

/*
 * Begin to load the gates of `n` subjects in threads, and create and enter their rings, so that
 * the caller can do other work meanwhile, also by libbpf, but not with the store.
 * store_finish_subjects() must follow, or store_deinit(). The names must be valid until then.
 * Returns 0; -EINVAL if a number is too high or already has a gate, or after store_seal(); or
 * another negative errno, logged.
 */
int store_begin_subjects(struct store *store, const struct store_subject *subjects, uint32_t n);

/* Wait until the gates are loaded; fill, freeze and pin them, and store their descriptors in
 * gate_fds by subject number. Returns 0, or a negative errno, logged. */
int store_finish_subjects(struct store *store);

/* Instead: wait for the threads and discard what they have loaded. Allowed if nothing is
 * loading. */
void store_end_loading(struct store *store);

/* store_begin_subjects() and store_finish_subjects(). */
int store_add_subjects(struct store *store, const struct store_subject *subjects, uint32_t n);

/* Unload and unpin a subject's gate. Allowed if it has none. */
void store_remove_subject(struct store *store, const struct store_subject *subject);

/* Fill and freeze the watch rights, and freeze the rings, after the last subject was
 * added: call it once; no more can be added after it, whatever it returns. Before it no change
 * reaches a watching subject. Returns 0, or a negative errno, logged. */
int store_seal(struct store *store);

/* Return the revision of the last change; 0 also if there is no store. */
uint64_t store_revision(const struct store *store);

/* Close everything; pinned objects stay. Allowed on STORE_NULL. */
void store_deinit(struct store *store);

#endif
