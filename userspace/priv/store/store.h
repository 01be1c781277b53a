/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration store of an instance as the supervisor makes it: maps
 * (adopted from a former life where they fit), one gate program per subject,
 * all frozen and pinned. Whoever is handed a gate's descriptor acts as that
 * subject. store.c makes and adopts the maps, gates.c the gates.
 */
#ifndef CALFPEN_PRIV_STORE_STORE_H
#define CALFPEN_PRIV_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "maps/kv.h"
#include "userspace/priv/pins.h"

struct kv_gate_bpf;

struct store_rule;

struct store {
	const struct pins *pins; /* outlives the store */
	int kv_fd, ctl_fd, slots_fd, events_fd, denials_fd;
	struct kv_gate_bpf *shared; /* owns the maps of this life: undo, watches, rings, ... */
	int gate_fds[KV_SUBJECTS_MAX];
	int ring_fds[KV_SUBJECTS_MAX];	   /* -1: may watch nothing */
	void *ring_pages[KV_SUBJECTS_MAX]; /* mapped, so that no holder can freeze it */
	struct kv_gate_bpf *gates[KV_SUBJECTS_MAX];
	struct store_rule *rules[KV_SUBJECTS_MAX]; /* for store_seal() */
	uint32_t n_rules[KV_SUBJECTS_MAX];
	uint32_t n_subjects;
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

/* One access rule with its path: exact, "/dir/", or "/". */
struct store_rule {
	struct kv_key key;
	struct kv_rule rule;
};

struct store_subject {
	uint32_t number;  /* enum kv_subject */
	const char *name; /* pin names end in it */
	const struct store_rule *rules;
	uint32_t n_rules;
	uint32_t requests_per_second;
	uint32_t request_burst;
	uint32_t max_keys;  /* quota: keys it wrote last */
	uint64_t max_bytes; /* quota: bytes of their values */
};

/*
 * Make or adopt the maps for `max_keys` keys (at most KV_KEYS_MAX) and
 * `n_subjects` subjects. Pinned maps of a former life are adopted only if
 * layout version, types and sizes fit; if not, -EEXIST after one line that
 * says how to begin anew. 0, or a negative errno, logged.
 */
int store_init(struct store *store, const struct pins *pins, uint32_t max_keys,
	       uint32_t n_subjects);

/*
 * Load, fill, freeze and pin the gates of `n` subjects, on all CPUs: their
 * descriptors are then in gate_fds, by number. Threads of this call's own load
 * them, so no other may use libbpf meanwhile. -EINVAL if a number is too high
 * or has a gate; 0, or another negative errno, logged.
 */
int store_add_subjects(struct store *store, const struct store_subject *subjects, uint32_t n);

/* After the last subject: who may watch what is filled in and frozen, and so
 * are the rings. Before it no change reaches a watching subject. 0 or a
 * negative errno, logged. */
int store_seal(struct store *store);

/* The revision of the last change; 0 also where there is no store. */
uint64_t store_revision(const struct store *store);

/* Close; what is pinned stays. Legal on STORE_NULL. */
void store_deinit(struct store *store);

#endif
