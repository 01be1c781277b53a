/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A calf's description (calf.yaml): shipped with the calf, not edited. It
 * defines the executable, the keys with access and type, the frame rules,
 * resource limits, metrics and configuration options. Nothing about a
 * protocol is known to priv beyond what stands here.
 */
#ifndef CALFPEN_PRIV_DESCRIPTION_DESCRIPTION_H
#define CALFPEN_PRIV_DESCRIPTION_DESCRIPTION_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "maps/frame.h"
#include "maps/kv.h"
#include "userspace/common/value.h"
#include "userspace/priv/key_table.h"

#define DESCRIPTION_METRICS_MAX 128
#define DESCRIPTION_OPTIONS_MAX 48
#define DESCRIPTION_FILE "calf.yaml"

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
	char name[KEY_TABLE_NAME_MAX + 1];	  /* "dhcp4": subject name */
	char directory[PATH_MAX];		  /* that holds calf.yaml */
	char executable[NAME_MAX + 1];		  /* static binary, in `directory` */
	struct key_rule keys[KEY_TABLE_KEYS_MAX]; /* /config/NAME included */
	uint32_t n_keys;
	struct frame_rule frames[FRAME_RULES_MAX];
	uint32_t n_frames;
	struct description_metric metrics[DESCRIPTION_METRICS_MAX];
	uint32_t n_metrics;
	struct description_option options[DESCRIPTION_OPTIONS_MAX];
	uint32_t n_options;
	uint64_t memory_bytes;	      /* cgroup limit */
	uint32_t pids;		      /* cgroup limit; the runtime's threads count */
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

/* The entry for a path, by the rule of key_table_find(). */
const struct key_rule *description_find_key(const struct description *description,
					    const char *path);

#endif
