// SPDX-License-Identifier: Apache-2.0
/*
 * DOC: the time servers of /ntp/NNN, for whoever keeps this host's time: a
 * line each in RUN_ROOT/INSTANCE/ntp-servers, and, where chronyd's directory
 * for servers from DHCP is there, its source file. chronyd reads that at its
 * start and when it is told; its control socket is not ours to write to
 * (docs/handlers.md). Nothing of the clock is touched here.
 */
#include "userspace/priv/handlers/timeservers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/value.h"
#include "userspace/priv/handlers/file.h"
#include "userspace/priv/handlers/lease.h"
#include "userspace/priv/handlers/shared.h"

#define DIRECTORY "/ntp/"
#define OWN_FILE "ntp-servers"

static bool timeservers_concerns(const char *path)
{
	return !strncmp(path, DIRECTORY, sizeof(DIRECTORY) - 1);
}

int timeservers_format(struct handler_context *context, const struct wanted *wanted,
		       const char *before, const char *after,
		       char text[static TIMESERVERS_TEXT_SIZE])
{
	uint32_t i, n = 0;
	int error = 0;
	size_t at = 0;

	text[0] = '\0';
	for (i = wanted_first_below(wanted, DIRECTORY);
	     wanted_is_below(wanted, i, DIRECTORY) && n < TIMESERVERS_MAX; i++) {
		const struct wanted_key *key = wanted->keys[i];
		char server[VALUE_IPV4_SIZE];
		struct in_addr address;

		if (value_parse_ipv4(key->value.text, &address) || !lease_is_unicast(address)) {
			error = handler_first(error,
					      handler_fail(context, -EBADMSG, "%.63s is \"%s\"",
							   key->key.path, key->value.text));
			continue;
		}
		value_format_ipv4(address, server);
		at += (size_t)snprintf(text + at, TIMESERVERS_TEXT_SIZE - at, "%s%s%s\n", before,
				       server, after);
		n++;
	}
	return error;
}

/* Where chronyd is not installed there is no such directory, and no file. */
static int set_sources(struct handler_context *context, const char *text)
{
	char path[PATH_MAX], present[TIMESERVERS_TEXT_SIZE];
	int n = snprintf(path, sizeof(path), "%s/%s.sources", context->chrony_directory,
			 context->instance);
	int r = 0;

	if (n < 0 || n >= PATH_MAX)
		return handler_fail(context, -ENAMETOOLONG, "%s", context->chrony_directory);
	n = file_read(path, present, sizeof(present));
	if (n < 0 && n != -ENOENT && n != -EFBIG)
		return handler_fail(context, n, "%s", path);
	if (n == -ENOENT ? text[0] : n < 0 || strcmp(present, text) != 0)
		r = text[0] ? file_write(path, text, strlen(text)) : file_remove(path);
	if (r)
		return r == -ENOENT ? 0 : handler_fail(context, r, "%s", path);
	if (text[0])
		handler_note(context, "chronyd reads %s when it is told to: chronyc reload sources",
			     path);
	return 0;
}

static int timeservers_apply(struct handler_context *context, const struct wanted *wanted)
{
	static const struct wanted none;
	const struct wanted *servers = context->configuration->use_ntp ? wanted : &none;
	char text[TIMESERVERS_TEXT_SIZE];
	int error;

	error = timeservers_format(context, servers, "", "", text);
	error = handler_first(error,
			      shared_say(context, OWN_FILE, text[0] ? text : NULL, strlen(text)));
	(void)timeservers_format(context, servers, "server ", " iburst", text);
	return handler_first(error, set_sources(context, text));
}

const struct handler handler_timeservers = {
	.name = "timeservers",
	.concerns = timeservers_concerns,
	.apply = timeservers_apply,
};
