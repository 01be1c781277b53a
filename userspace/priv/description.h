/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A calf's description (calf.yaml): shipped with the calf, not edited. It
 * defines the executable, the keys with access and type, the frame rules,
 * resource limits, metrics and configuration options. Nothing about a
 * protocol is known to priv beyond what stands here.
 */
#ifndef CALFPEN_PRIV_DESCRIPTION_H
#define CALFPEN_PRIV_DESCRIPTION_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "maps/frame.h"
#include "maps/kv.h"
#include "userspace/common/value.h"

#define DESCRIPTION_KEYS_MAX 96
#define DESCRIPTION_METRICS_MAX 128
#define DESCRIPTION_OPTIONS_MAX 48
#define DESCRIPTION_NAME_MAX 15
#define DESCRIPTION_FILE "calf.yaml"

struct description_key {
	char path[KV_PATH_SIZE]; /* "/ip", or "/nameserver/": each key below it */
	uint32_t access;	 /* KV_ACCESS_* of the calf */
	struct value_rule rule;
	uint32_t count;	 /* keys this entry can add up to: 1, or of a directory */
	bool persistent; /* survives a reboot in the snapshot (persist.h) */
};

struct description_metric {
	char name[64]; /* Prometheus name; its index is its slot in the page */
	char help[128];
	bool is_gauge; /* else a counter */
};

struct description_option {
	char name[32]; /* becomes /config/NAME */
	struct value_rule rule;
	char value[KV_VALUE_SIZE]; /* default; "" with has_default false: absent */
	bool has_default;
	unsigned int line; /* in the description */
};

struct description {
	char name[DESCRIPTION_NAME_MAX + 1];		   /* "dhcp4": subject name */
	char directory[PATH_MAX];			   /* that holds calf.yaml */
	char executable[NAME_MAX + 1];			   /* static binary, in `directory` */
	struct description_key keys[DESCRIPTION_KEYS_MAX]; /* /config/NAME included */
	uint32_t n_keys;
	struct frame_rule frames[FRAME_RULES_MAX];
	uint32_t n_frames;
	struct description_metric metrics[DESCRIPTION_METRICS_MAX];
	uint32_t n_metrics;
	struct description_option options[DESCRIPTION_OPTIONS_MAX];
	uint32_t n_options;
	uint64_t memory_bytes;	      /* cgroup limit */
	uint32_t pids;		      /* cgroup limit */
	uint32_t requests_per_second; /* store requests ... */
	uint32_t request_burst;	      /* ... with this many at once */
	uint32_t max_keys;	      /* it may own; default: what its keys add up to */
	uint64_t max_bytes;	      /* of values it may own; default: what its keys add up to */
};

/*
 * Load DIRECTORY/calf.yaml. 0, or a negative errno after one line on stderr:
 * "FILE:LINE: reason". Unknown and repeated fields are errors. *descriptionp
 * is written on success only.
 */
int description_load(const char *directory, struct description *descriptionp);

/* The rule of a path: the exact entry, else its directory's, else NULL. */
const struct description_key *description_find_key(const struct description *description,
						   const char *path);

#endif
