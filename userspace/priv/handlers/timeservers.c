/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the time servers from /ntp/NNN, for the program that keeps the time of this
 * host: one line each in RUN_ROOT/INSTANCE/ntp-servers, and, if chronyd's
 * directory for servers from DHCP exists, its source file. chronyd reads that file
 * when it starts and when it is asked to. The watcher may not write to its control
 * socket, so it asks the supervisor (supervisor/chrony.c) to request the reload;
 * the result arrives later and is handled by a later pass. The clock is not touched
 * here.
 */
#include "userspace/priv/handlers/timeservers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "userspace/common/address.h"
#include "userspace/common/value.h"
#include "userspace/priv/chrony/chrony.h"
#include "userspace/priv/handlers/file.h"
#include "userspace/priv/handlers/lease.h"
#include "userspace/priv/handlers/shared.h"

#define DIRECTORY "/ntp/"
#define OWN_FILE "ntp-servers"

static const struct handler_family timeservers_families[] = {
	{ "/ntp",
	  FAMILY_TYPE(VALUE_IPV4) | FAMILY_TYPE(VALUE_IPV6) | FAMILY_TYPE(VALUE_IP) |
		  FAMILY_TYPE(VALUE_HOST),
	  FAMILY_LIST | FAMILY_PROVIDERS },
};

int timeservers_format(struct handler_context *context, const struct wanted *wanted,
		       const char *before, const char *after,
		       char text[static TIMESERVERS_TEXT_SIZE])
{
	uint32_t i, n = 0;
	int r = 0;
	size_t at = 0;

	text[0] = '\0';
	for (i = wanted_first_below(wanted, DIRECTORY);
	     wanted_is_below(wanted, i, DIRECTORY) && n < TIMESERVERS_MAX; i++) {
		const struct wanted_key *key = wanted->keys[i];
		char server[VALUE_IPV4_SIZE];
		struct in_addr address;

		if (value_parse_ipv4(key->value.text, &address) || !address_is_host(address)) {
			r = handler_first(r, handler_fail(context, -EBADMSG, "%.63s is \"%s\"",
							  key->key.path, key->value.text));
			continue;
		}
		value_format_ipv4(address, server);
		at += (size_t)snprintf(text + at, TIMESERVERS_TEXT_SIZE - at, "%s%s%s\n", before,
				       server, after);
		n++;
	}
	return r;
}

/* Without chronyd the directory does not exist; then there is no file to write. */
static int set_sources(struct handler_context *context, const char *path, const char *text)
{
	char present[TIMESERVERS_TEXT_SIZE];
	bool is_same;
	int n, r;

	n = file_read(path, present, sizeof(present));
	if (n < 0 && n != -ENOENT && n != -EFBIG)
		return handler_fail(context, n, "%s", path);
	is_same = n == -ENOENT ? !text[0] : n >= 0 && strcmp(present, text) == 0;
	if (is_same)
		return 0;
	r = text[0] ? file_write(path, text, strlen(text)) : file_remove(path);
	/* A failed write may have changed the file nevertheless. */
	context->chrony.is_due |= r != -ENOENT;
	return !r || r == -ENOENT ? 0 : handler_fail(context, r, "%s", path);
}

static bool is_success(int result)
{
	return result == CHRONY_RELOADED || result == CHRONY_NOT_RUNNING;
}

/* Request a reload after each change, once per run (a previous run may have ended
 * before it did), and again after a failure. */
static void ask_for_reload(struct handler_context *context)
{
	struct handler_chrony *chrony = &context->chrony;
	bool is_again = chrony->result >= 0 && !is_success(chrony->result) && !chrony->is_new;
	bool is_first = !chrony->was_asked && context->options->use_ntp &&
			access(context->chrony_directory, F_OK) == 0;

	if (chrony->is_due)
		chrony->result = -1; /* it was the result of another file */
	chrony->is_new = false;
	if (!chrony->is_due && !is_again && !is_first)
		return;
	chrony->is_due = false;
	chrony->was_asked = true;
	chrony->ask(chrony->data);
}

static int report_reload(struct handler_context *context, const char *path, bool has_servers)
{
	const char *directory = context->options->chronyd_directory;
	int result = context->chrony.result;

	if (result < 0 && context->chrony.was_asked)
		handler_note(context, "chronyd was asked to reload its sources");
	else if (result == CHRONY_RELOADED)
		handler_note(context, "chronyd has reloaded its sources");
	else if (result == CHRONY_NOT_RUNNING && has_servers)
		handler_note(context, "chronyd is not running; it reads %s when it starts", path);
	if (result < 0 || is_success(result))
		return 0;
	if (result == CHRONY_SILENT)
		return handler_fail(context, -ETIMEDOUT, "chronyd does not answer in %s",
				    directory);
	if (result == CHRONY_MALFORMED)
		return handler_fail(context, -EBADMSG, "chronyd sent a malformed reply in %s",
				    directory);
	if (result >= CHRONY_REFUSED && result <= CHRONY_REFUSED + CHRONY_STATUS_MAX)
		return handler_fail(context, -EPROTO,
				    "chronyd refused to reload its sources, status %d (%s)",
				    result - CHRONY_REFUSED,
				    chrony_status_name((uint16_t)(result - CHRONY_REFUSED)));
	if (result > CHRONY_ERROR)
		return handler_fail(context, -(result - CHRONY_ERROR), "chronyd's socket in %s",
				    directory);
	return handler_fail(context, -EIO, "cannot ask chronyd to reload its sources, see the log");
}

bool timeservers_told(struct handler_context *context, int result)
{
	struct handler_chrony *chrony = &context->chrony;

	if (chrony->result == result)
		return false;
	chrony->result = result;
	chrony->is_new = true;
	return true;
}

static int sources_path(struct handler_context *context, const char *instance,
			char path[static PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/%s.sources", context->chrony_directory, instance);

	return n < 0 || n >= PATH_MAX ?
		       handler_fail(context, -ENAMETOOLONG, "%s", context->chrony_directory) :
		       0;
}

static int set_chrony(struct handler_context *context, const char *text)
{
	char path[PATH_MAX];
	int r = sources_path(context, context->instance, path);

	if (r)
		return r;
	r = set_sources(context, path, text);
	if (r || !context->chrony.ask)
		return r;
	ask_for_reload(context);
	return report_reload(context, path, text[0]);
}

/* Remove the source file of an instance whose servers are over. */
static bool clear_sources(const char *instance, const char *text, bool is_over, void *data)
{
	struct handler_context *context = data;
	char path[PATH_MAX];

	(void)text;
	return is_over && strcmp(instance, context->instance) != 0 &&
	       !sources_path(context, instance, path) && !set_sources(context, path, "");
}

/* Write the instance's own file, and remove those that are over. */
static int say(struct handler_context *context, const char *text)
{
	int lock, r = shared_lock(context, &lock);

	if (r)
		return r;
	r = shared_say(context, OWN_FILE, text[0] ? text : NULL, strlen(text));
	if (!r)
		r = shared_each(context, OWN_FILE, clear_sources, context);
	shared_unlock(lock);
	return r;
}

static int timeservers_apply(struct handler_context *context, const struct wanted *wanted)
{
	static const struct wanted none;
	const struct wanted *servers = shared_begin(context, wanted);
	char text[TIMESERVERS_TEXT_SIZE];
	int r;

	if (!context->options->use_ntp)
		servers = &none;
	r = timeservers_format(context, servers, "", "", text);
	r = handler_first(r, say(context, text));
	(void)timeservers_format(context, servers, "server ", " iburst", text);
	return handler_first(r, set_chrony(context, text));
}

const struct handler handler_timeservers = {
	.name = "timeservers",
	.effect = "the time servers of chronyd",
	.families = timeservers_families,
	.n_families = sizeof(timeservers_families) / sizeof(timeservers_families[0]),
	.apply = timeservers_apply,
};
