/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pinned maps and programs of an instance. Keys are read through the
 * operator's gate, whose responses are consistent. Only `status` reads the maps
 * themselves: counters, memory, and the keys that handlers and calf report in.
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
	struct kv_value value; /* text is printable and NUL-terminated, and no secret */
};

/* What the operator may do with a key, or with all keys below a directory: "/x/". */
struct cli_right {
	struct kv_key key;
	struct kv_rule rule;
};

/* The frame counters of each owner (maps/frame.h, "several calves"). */
struct cli_counters {
	struct frame_counter of[FRAME_OWNERS_MAX][_FRAME_REASON_N];
};

/* Memory of one pinned map, as reported by the kernel. */
struct cli_memory {
	char name[64];
	uint64_t bytes;
};

/* store.c: all functions return 0 or more, or a negative errno for
 * cli_explain_store(). Descriptors that they return belong to the caller. */

/* Open the operator's gate. Returns a descriptor. */
int cli_store_open_gate(const struct cli *cli);
/* Open the operator's event ring. Returns a descriptor. */
int cli_store_open_ring(const struct cli *cli);
/* Read the entry of the map ctl. Returns -EPROTO if its layout has another
 * version. */
int cli_store_ctl(const struct cli *cli, struct kv_ctl *ctlp);
/* Read the state of the watches, indexed by subject. */
int cli_store_watches(const struct cli *cli, struct kv_watch watches[KV_SUBJECTS_MAX]);
/* Read the frame counters, summed over all CPUs. Those of calves that there are not are
 * zero. */
int cli_store_counters(const struct cli *cli, struct cli_counters *counters);
/* Open the map of samplers, which count the frame samples. Returns a
 * descriptor. */
int cli_store_open_samplers(const struct cli *cli);
/* Open the map of frame samples. Returns a descriptor. */
int cli_store_open_samples(const struct cli *cli);
/* Read the state of the quarantine. */
int cli_store_quarantine(const struct cli *cli, struct frame_quarantine *quarantinep);
/* Read every key at or below `directory` ("" or "/" for all) from the map
 * itself, sorted. A value that is written at the same time may be torn. Returns
 * the number of keys and stores in *keysp an array that the caller frees. */
int cli_store_walk(const struct cli *cli, const char *directory, struct cli_key **keysp);
/* Read the rights of the operator, sorted. Returns their number and stores in *rightsp an
 * array that the caller frees. */
int cli_store_rights(const struct cli *cli, struct cli_right **rightsp);
/* Read the memory of each pinned map of the store, sorted by name. Returns the
 * number of maps and stores in *memoryp an array that the caller frees. */
int cli_store_memory(const struct cli *cli, struct cli_memory **memoryp);

/* Choose the instance and open the operator's gate. Returns a descriptor, or a
 * negated exit code after printing one line. */
int cli_open_gate(struct cli *cli);

/* list.c */

/* Read every key at or below `directory` ("/" for all) through the operator's
 * gate, sorted; the operator may read all keys. Returns the number of keys and
 * stores in *keysp an array that the caller frees, or returns a negative errno
 * for cli_explain_gate(). */
int cli_list(int gate, const char *directory, struct cli_key **keysp);
/* Wait a little if `error`, of the gate, is temporary. Returns true if the
 * caller should retry, which is limited. Initialize *n_triesp to 0. */
bool cli_is_worth_waiting(int error, int *n_triesp);
/* Make the values printable, replace secrets by KV_SECRET_TEXT, sort the keys and remove
 * duplicates, keeping the newest. Returns the number of remaining keys. */
size_t cli_keys_tidy(struct cli_key *keys, size_t n_keys);

#endif
