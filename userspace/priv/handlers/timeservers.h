/* SPDX-License-Identifier: Apache-2.0 */
/* Formats files with time servers, and takes results of chronyd's reloads. */
#ifndef CALFPEN_PRIV_HANDLERS_TIMESERVERS_H
#define CALFPEN_PRIV_HANDLERS_TIMESERVERS_H

#include "userspace/priv/handlers/handler.h"

#define TIMESERVERS_MAX 8
#define TIMESERVERS_TEXT_SIZE 512 /* eight lines "server 255.255.255.255 iburst" */

/*
 * Format a line "BEFORE ADDRESS AFTER" for each of the first eight /ntp/NNN; ""
 * if there is none. `before` and `after` together must be shorter than 40 bytes.
 * A value that is not a unicast address is left out. Returns 0, or -EBADMSG as
 * handler_fail() if any was left out.
 */
int timeservers_format(struct handler_context *context, const struct wanted *wanted,
		       const char *before, const char *after,
		       char text[static TIMESERVERS_TEXT_SIZE]);

/* Note the result of a reload of chronyd's sources, an enum chrony_result. Returns
 * true if it differs from the previous one, so that the handler has to run. */
bool timeservers_told(struct handler_context *context, int result);

#endif
