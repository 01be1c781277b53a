/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an instance has pinned. Keys are read through the operator's gate,
 * whose answers are consistent; the maps themselves are read for `status`
 * only: counters, memory, and what the handlers say.
 */
#ifndef CALFPEN_CLI_STORE_H
#define CALFPEN_CLI_STORE_H

#include <stddef.h>

#include "maps/frame.h"
#include "maps/kv.h"
#include "userspace/cli/cli.h"

#define STORE_KEYS_MAX (KV_KEYS_MAX + KV_KEYS_SLACK)

struct cli_key {
	struct kv_key key;
	struct kv_value value; /* text printable and NUL-terminated, length its own */
};

/* What one pinned map takes, as the kernel states it. */
struct cli_memory {
	char name[64];
	uint64_t bytes;
};

/* store.c: all return 0 or more, or a negative errno for cli_explain_store() */

/* The operator's gate, or its ring of events: a descriptor. */
int cli_store_open_gate(const struct cli *cli);
int cli_store_open_ring(const struct cli *cli);
/* The entry of ctl. */
int cli_store_ctl(const struct cli *cli, struct kv_ctl *ctlp);
/* Who watches, by subject. */
int cli_store_watches(const struct cli *cli, struct kv_watch watches[KV_SUBJECTS_MAX]);
/* The frame counters, summed over all CPUs. */
int cli_store_counters(const struct cli *cli, struct frame_counter counters[_FRAME_REASON_N]);
/* The maps of the frame samples: a descriptor each. */
int cli_store_open_samplers(const struct cli *cli);
int cli_store_open_samples(const struct cli *cli);
/* Where the quarantine stands. */
int cli_store_quarantine(const struct cli *cli, struct frame_quarantine *quarantinep);
/* Every key at or below `directory` ("" or "/" for all), sorted, from the map
 * itself: a value that changes meanwhile may be seen half. Their number with
 * *keysp for the caller to free. */
int cli_store_walk(const struct cli *cli, const char *directory, struct cli_key **keysp);
/* The memory of each pinned map, sorted by name: their number with *memoryp
 * for the caller to free. */
int cli_store_memory(const struct cli *cli, struct cli_memory **memoryp);

/* Choose the instance and open the operator's gate: a descriptor, or an exit
 * code, negated, after one line. */
int cli_open_gate(struct cli *cli);

/* list.c */

/* Every key at or below `directory` ("/" for all), since the operator reads all,
 * sorted, by its gate: their number with *keysp for the caller to free, or a
 * negative errno for cli_explain_gate(). */
int cli_list(int gate, const char *directory, struct cli_key **keysp);
/* After an error of the gate that time heals: wait a little, true to try again.
 * *n_triesp begins with 0; there is an end to it. */
bool cli_is_worth_waiting(int error, int *n_triesp);
/* Make what was read printable, in order, and free of duplicates: the number
 * of keys left, of equal ones the newest. */
size_t cli_keys_tidy(struct cli_key *keys, size_t n_keys);

#endif
