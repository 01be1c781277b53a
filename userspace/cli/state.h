/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's state.json, and text that depends on it or on the clock:
 * names of subjects, times.
 */
#ifndef CALFPEN_CLI_STATE_H
#define CALFPEN_CLI_STATE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "maps/kv.h"
#include "userspace/cli/cli.h"
#include "userspace/common/clock.h"
#include "userspace/state/state.h"

#define CLI_SUBJECT_SIZE 24 /* bytes of a subject's name or number */

/* Load state.json. Returns the object, which the caller releases, or NULL if
 * there is none. Stores CLI_OK in *rp, also if the file does not exist;
 * CLI_FAILURE if it cannot be read or has another version, after printing one
 * line. Callers continue without the state where they do not need it. */
json_t *cli_state_load(const struct cli *cli, int *rp);
/* Return whether the state says that the launcher is gone, so that nothing can be restarted. */
bool cli_state_has_no_launcher(const json_t *state);

/* Return whether the state says that a process of the instance FAILED. */
bool cli_state_is_failed(const json_t *state);
/* Return the name of a subject as the store has it, made printable, or "subject N" if it
 * has none. The result is a constant or in `text`. */
const char *cli_state_subject(unsigned int subject, const struct kv_ctl *ctl,
			      char text[static CLI_SUBJECT_SIZE]);
/* Format CLOCK_BOOTTIME nanoseconds as wall time: 2026-11-24T02:15:25Z. Formats
 * "-" for 0 and for a time more than a day ahead, which is from another boot. */
void cli_state_time(uint64_t boot_ns, char text[static CLOCK_SECONDS_SIZE]);

#endif
