/* SPDX-License-Identifier: Apache-2.0 */
/* Formats files with time servers, and takes results of chronyd's reloads. */
#ifndef CALFPEN_PRIV_HANDLERS_TIMESERVERS_H
#define CALFPEN_PRIV_HANDLERS_TIMESERVERS_H

#include "userspace/priv/handlers/handler.h"

#define TIMESERVERS_MAX 8
#define TIMESERVERS_OF_PROVIDER_MAX 3 /* so that one that lies is outnumbered */
#define TIMESERVERS_AFFIX_MAX 40      /* bytes */
/* eight lines "server NAME iburst" with names of 253 bytes */
#define TIMESERVERS_TEXT_SIZE \
	(TIMESERVERS_MAX * (VALUE_HOSTNAME_MAX + TIMESERVERS_AFFIX_MAX + 1) + 1)

/*
 * Format a line "BEFORE SERVER AFTER" for each time server: the first three of each provider
 * (provider.h) in turns, each once, at most eight in all; "" if there is none. `before` and
 * `after` together are at most TIMESERVERS_AFFIX_MAX bytes. A value that is neither a unicast
 * address nor the name of a host is left out, and so is a link-local address, with a note,
 * because chronyd knows no zones. *endsp: without the lease they would be others. Returns 0, or
 * -EBADMSG as handler_fail() for a wrong value.
 */
int timeservers_format(struct handler_context *context, const struct wanted *wanted, bool is_leased,
		       const char *before, const char *after,
		       char text[static TIMESERVERS_TEXT_SIZE], bool *endsp);

/* Note the result of a reload of chronyd's sources, an enum chrony_result. Returns
 * true if it differs from the previous one, so that the handler has to run. */
bool timeservers_told(struct handler_context *context, int result);

#endif
