/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `calfpen status`: collect everything in one JSON object, then print it as
 * JSON or as text.
 */
#ifndef CALFPEN_CLI_STATUS_H
#define CALFPEN_CLI_STATUS_H

#include <jansson.h>
#include <stddef.h>

#include "maps/frame.h"
#include "userspace/cli/cli.h"
#include "userspace/cli/frames/frames.h"
#include "userspace/cli/instances.h"
#include "userspace/cli/state.h"
#include "userspace/cli/store.h"

/*
 * The members; one whose value is unknown is missing:
 *   instance, running, pid
 *   saved_only  true if there is nothing but a saved store and its share of host's files
 *   uids      first, last
 *   state     the supervisor's state.json; each of its calves also has
 *             `counters`, the counters in the calf's report page; the restart of
 *             what FAILED also has `error`, the last error that it logged
 *   lease     state ("none" if the calf wrote none, "expired"), server and expires from the
 *             keys below /lease, and address from /ip
 *   store     revision, keys, max_keys, commits, denials, subjects: [name,
 *             accepted, reads, refused, suppressed, watching, lost, and the
 *             number of keys that it wrote last and the bytes of their values]
 *   memory    bytes, maps: bytes by name, as reported by the kernel
 *   handlers  the keys in /status, by name
 *   handler_metrics  the numbers in the keys in /status/metrics, by name: [runs,
 *             errors, drifts, us (duration of the last run)]
 *   frames    counters by name: [verdict, packets, bytes, calves: the packets of each calf
 *             by its name; missing if there are none]
 *   quarantine  state: "off", "closed" or "open"; deadline; opened_by "lease" or
 *             "deadline"; opened, the time when the first frame passed
 */

/* status.c: each function adds one part to `status`. */

/* Add `store`, with every subject that has a name: also calves that do not run any more.
 * `watches` (KV_SUBJECTS_MAX of them) may be NULL. */
void cli_status_add_store(json_t *status, const struct kv_ctl *ctl, const struct kv_watch *watches);
/* Add `memory`. */
void cli_status_add_memory(json_t *status, const struct cli_memory *memory, size_t n_maps);
/* Add `lease` as it is at `wall_now_s`, seconds since 1970: "expired" if it is over,
 * whatever the calf last wrote. `keys` must contain /ip and the keys below /lease if
 * they exist; other keys are ignored. */
void cli_status_add_lease(json_t *status, const struct cli_key *keys, size_t n_keys,
			  int64_t wall_now_s);
/* Add `handlers` and `handler_metrics` from the keys below /status. */
void cli_status_add_handlers(json_t *status, const struct cli_key *keys, size_t n_keys);
/* Add `frames`; counters that are zero only if `all`. `owners` names the calves. */
void cli_status_add_frames(json_t *status, const struct cli_counters *counters,
			   const struct frames_owners *owners, bool all);
/* Add `quarantine`, in the state that the next frame will find. `is_leased`: the
 * watcher has reported the lease, even if no frame has arrived since. */
void cli_status_add_quarantine(json_t *status, const struct frame_quarantine *quarantine,
			       bool is_leased, uint64_t boot_now_ns);
/* Add `counters` to `calf`, an element of the state's `calves`, from its report
 * page `fd`; counters that are zero only if `all`. */
void cli_status_add_metrics(json_t *calf, int fd, bool all);
/* Add `error` to `restart`, what state.json says of a process that may have FAILED:
 * the last error in its report page `fd` (-1: none). Returns true if it has. */
bool cli_status_add_failure(json_t *restart, int fd);
/* Add `uids`, as in the table. */
void cli_status_add_uids(json_t *status, const struct uids *uids, const char *instance);
/* status_print.c: print `status` as text. */
void cli_status_print(const struct cli *cli, json_t *status);

#endif
