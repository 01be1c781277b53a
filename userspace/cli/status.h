/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `calfpen status`: everything is collected into one JSON object, which is
 * printed as it is or for people.
 */
#ifndef CALFPEN_CLI_STATUS_H
#define CALFPEN_CLI_STATUS_H

#include <jansson.h>
#include <stddef.h>

#include "maps/frame.h"
#include "userspace/cli/cli.h"
#include "userspace/cli/state.h"
#include "userspace/cli/store.h"

/*
 * The members, each left out where it is not known:
 *   instance, running, pid
 *   state     what the supervisor wrote into state.json; each of its calves with
 *             `counters`: what it counts in its metrics page
 *   lease     state ("none" if the calf wrote none), server and expires, as they
 *             stand below /lease, and address, which is /ip
 *   store     revision, keys, max_keys, commits, denials, subjects: [name,
 *             accepted, reads, refused, suppressed, watching, lost, and keys
 *             and bytes of the values that it wrote last]
 *   memory    bytes, maps: by name, as the kernel states it
 *   handlers  the keys in /status, by name
 *   handler_metrics  the numbers of the keys in /status/metrics, by name: [runs,
 *             errors, drifts, us (the last run took)]
 *   frames    counters by name: [verdict, packets, bytes]
 *   quarantine  state: "off", "closed" or "open"; deadline; opened_by "lease" or
 *             "deadline", and opened, when the first frame passed
 */

/* Take the parts into `status` (status.c). `state` and `watches` (of
 * KV_SUBJECTS_MAX) may be NULL. */
void cli_status_add_store(json_t *status, const struct kv_ctl *ctl, const struct kv_watch *watches,
			  const json_t *state);
void cli_status_add_memory(json_t *status, const struct cli_memory *memory, size_t n_maps);
/* Of all keys, or of /ip and those below /lease. */
void cli_status_add_lease(json_t *status, const struct cli_key *keys, size_t n_keys);
void cli_status_add_handlers(json_t *status, const struct cli_key *keys, size_t n_keys);
void cli_status_add_frames(json_t *status, const struct frame_counter counters[_FRAME_REASON_N],
			   bool all);
/* `is_leased`: the watcher has said so, even if no frame has come since. */
void cli_status_add_quarantine(json_t *status, const struct frame_quarantine *quarantine,
			       bool is_leased, uint64_t boot_now_ns);
/* Into an element of the state's `calves`, from its page at `fd`. */
void cli_status_add_metrics(json_t *calf, int fd, bool all);
/* Print it for people (status_print.c). */
void cli_status_print(const struct cli *cli, json_t *status);

#endif
