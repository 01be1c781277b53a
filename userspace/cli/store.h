/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an instance has pinned, read for people. Only the gate's answers are
 * consistent: a value that changes while `ls` walks the map may be seen half.
 */
#ifndef CALFPEN_CLI_STORE_H
#define CALFPEN_CLI_STORE_H

#include <stddef.h>

#include "maps/frame.h"
#include "maps/kv.h"
#include "userspace/cli/cli.h"

struct cli_key {
	struct kv_key key;
	struct kv_value value; /* text printable and NUL-terminated, length its own */
};

/* Every key at or below `prefix`, sorted by path: their number with *keysp
 * for the caller to free, or a negative errno. */
int cli_store_list(const struct cli *cli, const char *prefix, struct cli_key **keysp);
/* The entry of ctl: 0 or a negative errno. */
int cli_store_ctl(const struct cli *cli, struct kv_ctl *ctlp);
/* The frame counters, summed over all CPUs: 0 or a negative errno. */
int cli_store_counters(const struct cli *cli, struct frame_counter counters[_FRAME_REASON_N]);
/* The operator's gate: a descriptor or a negative errno. */
int cli_store_open_gate(const struct cli *cli);
/* One line that explains an error of the above; returns CLI_FAILURE. */
int cli_store_explain(const struct cli *cli, int error);

/* Make what was read printable, in order, and free of duplicates: the number
 * of keys left. (Walking a map that changes may give a key twice.) */
size_t cli_keys_tidy(struct cli_key *keys, size_t n_keys);

#endif
