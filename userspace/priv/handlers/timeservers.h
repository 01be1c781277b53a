/* SPDX-License-Identifier: Apache-2.0 */
/* The text of files that name time servers, and what comes of chronyd. */
#ifndef CALFPEN_PRIV_HANDLERS_TIMESERVERS_H
#define CALFPEN_PRIV_HANDLERS_TIMESERVERS_H

#include "userspace/priv/handlers/handler.h"

#define TIMESERVERS_MAX 8
#define TIMESERVERS_TEXT_SIZE 512 /* eight lines "server 255.255.255.255 iburst" */

/*
 * A line "BEFORE ADDRESS AFTER" for each of the first eight /ntp/NNN; "" if
 * there is none. A value that is no unicast address is left out: -EBADMSG as
 * handler_fail(), else 0. Both texts together are below 40 bytes.
 */
int timeservers_format(struct handler_context *context, const struct wanted *wanted,
		       const char *before, const char *after,
		       char text[static TIMESERVERS_TEXT_SIZE]);

/* A reload of chronyd's sources has ended like this, enum chrony_result: true
 * if that is another outcome than before, so that the handler is to run. */
bool timeservers_told(struct handler_context *context, int result);

#endif
