/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's state.json, and what needs it or a clock to be said:
 * subjects by name, times.
 */
#ifndef CALFPEN_CLI_STATE_H
#define CALFPEN_CLI_STATE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/cli/cli.h"
#include "userspace/common/clock.h"
#include "userspace/state/state.h"

/* state.json, or NULL. *rp is CLI_OK, also if it is not there; if it cannot be
 * read or is of another version, CLI_FAILURE after one line that says so. What
 * does not need the state continues without. */
json_t *cli_state_load(const struct cli *cli, int *rp);
/* The name of a subject, "calf N" of a calf that `state` (may be NULL) does
 * not name; `text` is room for one that has to be put together. */
const char *cli_state_subject(unsigned int subject, const json_t *state, char *text, size_t size);
/* 2026-11-24T02:15:25Z, of CLOCK_BOOTTIME nanoseconds, at most a day ahead;
 * "-" of another boot's. */
void cli_state_time(uint64_t boot_ns, char text[static CLOCK_SECONDS_SIZE]);

#endif
