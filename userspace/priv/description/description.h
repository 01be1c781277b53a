/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A calf's description (calf.yaml), used by the supervisor, the watcher,
 * container/ and persist/. It is shipped with the calf and not edited, and
 * defines the executable, the keys with access and type, the frame rules,
 * resource limits, metrics and configuration options. Except for it, priv knows
 * nothing about the calf's protocol. It is trusted no more than the calf: keys that
 * the host writes and limits above the operator's ceilings are refused.
 */
#ifndef CALFPEN_PRIV_DESCRIPTION_DESCRIPTION_H
#define CALFPEN_PRIV_DESCRIPTION_DESCRIPTION_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "maps/frame.h"
#include "maps/kv.h"
#include "userspace/common/value.h"
#include "userspace/priv/key_table.h"

struct handler;

#define DESCRIPTION_METRICS_MAX 128
#define DESCRIPTION_OPTIONS_MAX 48
#define DESCRIPTION_FILE "calf.yaml"
#define DESCRIPTION_ADDRESS_KEY "/ip" /* of the host, by the one calf that writes it */
/* Keys that priv itself writes: /mac, /address, /link, /host/name, and two below /status for
 * each handler; those below /config and /link/macs are counted with the calf that reads
 * them. */
#define DESCRIPTION_HOST_KEYS 32
/* The operator writes this beside the options of a calf: which handlers may apply its keys. */
#define DESCRIPTION_GRANTS "grants"
/* A calf with this option is told what it may not write, because of that: paths, separated by
 * blanks. */
#define DESCRIPTION_WITHHELD_OPTION "withheld"
/* All keys of options are below the first directory, and all requests to calves below the
 * second: those of one calf in a directory that has its name. */
#define DESCRIPTION_OPTIONS_DIRECTORY "/config"
#define DESCRIPTION_REQUESTS_DIRECTORY "/control"

struct description_metric {
	char name[64]; /* Prometheus name; the metric's index is its slot in the page */
	char help[128];
	bool is_gauge; /* else a counter */
};

#define DESCRIPTION_RESERVED_MAX 16

/* Numbers that an option of VALUE_NUMBERED_HEX may not have. */
struct description_reserved {
	uint32_t min, max;
	char reason[48]; /* what to do instead, for the operator */
};

struct description_option {
	char name[32]; /* becomes /config/CALF/NAME */
	struct value_rule rule;
	char value[KV_VALUE_SIZE]; /* the default; "" if has_default is false */
	bool has_default;
	struct description_reserved reserved[DESCRIPTION_RESERVED_MAX];
	uint32_t n_reserved;
	unsigned int line; /* in the description */
};

/* What a description may limit, and the ceilings of it that the operator may set: first
 * the fields of `limits`, the required ones before the others, then those of the frame
 * rules. */
enum description_limit {
	DESCRIPTION_MEMORY = 0,
	DESCRIPTION_PIDS,
	DESCRIPTION_REQUESTS_PER_SECOND,
	DESCRIPTION_REQUEST_BURST,
	DESCRIPTION_MAX_KEYS,
	DESCRIPTION_MAX_BYTES,
	DESCRIPTION_CPU,
	DESCRIPTION_AUDIT_BYTES_PER_SECOND,
	DESCRIPTION_AUDIT_BURST,
	DESCRIPTION_LOG_BYTES_PER_SECOND,
	DESCRIPTION_LOG_BURST,
	DESCRIPTION_FRAMES_PER_SECOND,
	DESCRIPTION_FRAME_BURST,
	_DESCRIPTION_LIMIT_N,
};
#define DESCRIPTION_LIMITS_REQUIRED ((int)DESCRIPTION_MAX_KEYS)
#define DESCRIPTION_LIMITS_OWN ((int)DESCRIPTION_FRAMES_PER_SECOND)

struct description {
	char name[KEY_TABLE_NAME_MAX + 1]; /* such as "dhcp4"; also the subject's name */
	unsigned int name_line;
	char directory[PATH_MAX];		  /* that contains calf.yaml */
	char executable[NAME_MAX + 1];		  /* static binary, in `directory` */
	struct key_rule keys[KEY_TABLE_KEYS_MAX]; /* /config/CALF/NAME included */
	unsigned int key_lines[KEY_TABLE_KEYS_MAX];
	bool keys_of_any[KEY_TABLE_KEYS_MAX]; /* "of: any": other calves write these */
	uint32_t n_keys;
	struct frame_rule frames[FRAME_RULES_MAX];
	unsigned int frame_lines[FRAME_RULES_MAX];
	uint32_t n_frames;
	uint32_t withheld; /* from it by the operator: a bit for each of handlers_all */
	struct description_metric metrics[DESCRIPTION_METRICS_MAX];
	uint32_t n_metrics;
	struct description_option options[DESCRIPTION_OPTIONS_MAX];
	uint32_t n_options;
	bool checks_options;	      /* the executable can be asked about their values (check/) */
	uint64_t memory_bytes;	      /* cgroup limit */
	uint32_t pids;		      /* cgroup limit, which includes the runtime's threads */
	uint32_t requests_per_second; /* store requests ... */
	uint32_t request_burst;	      /* ... with this many at once */
	uint32_t audit_bytes_per_second; /* of the audit log that its changes and refusals cause ... */
	uint32_t audit_burst;		 /* ... with this many saved up */
	uint32_t max_keys;		 /* quota; default: the sum of its keys */
	uint64_t max_bytes;		 /* quota of its values; default: the sum for its keys */
	uint32_t cpu_percent;		 /* cgroup limit: of one CPU */
	uint32_t log_bytes_per_second; /* of its log lines, sustained ... */
	uint32_t log_burst;	       /* ... with this many bytes at once */
	unsigned int limit_lines[DESCRIPTION_LIMITS_OWN];
};

/*
 * Load DIRECTORY/calf.yaml. Unknown and repeated fields are errors. Returns 0, or
 * a negative errno after one line on stderr, "FILE:LINE: reason". *descriptionp
 * is written on success only.
 */
int description_load(const char *directory, struct description *descriptionp);

/* Find the entry for a path as key_rule_find() does. Returns NULL if there is
 * none. */
const struct key_rule *description_find_key(const struct description *description,
					    const char *path);

/* Return the handler that applies the key, or the keys of the directory, if the calf may write
 * it; NULL: it has no effect on the host. */
const struct handler *description_find_handler(const char *path);

/* Print what the calf can change on the host, and what it has besides: "calfpen describe". */
void description_print_effects(const struct description *description, FILE *to);

/* Return true if the calf has frame rules and may write /ip: it is the one whose leases the
 * frame programs record, and which renews them (FRAME_CALF_HOST). */
bool description_leases_ip(const struct description *description);

/* Return true if the calf has a frame rule with this check. */
bool description_has_check(const struct description *description, enum frame_check check);

/* Returns true if the key is below one of the directories in which only the host writes,
 * the operator's requests and the calves' options included. */
bool description_is_host_path(const char *path);

/* Find an option by its name. Returns NULL if there is none. */
const struct description_option *description_find_option(const struct description *description,
							 const char *name);

/* Store the path of the calf's key /config/CALF/NAME or /control/CALF/NAME; a `name` of ""
 * is the directory. It fits: the names of options and requests have at most 31 bytes. */
void description_option_path(const struct description *description, const char *name,
			     char path[static KV_PATH_SIZE]);
void description_request_path(const struct description *description, const char *name,
			      char path[static KV_PATH_SIZE]);

#endif
