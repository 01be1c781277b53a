/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the time servers of all providers, for the program that keeps the time of this
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
#include "userspace/priv/handlers/provider.h"
#include "userspace/priv/handlers/shared.h"

#define FAMILY "/ntp"

static const struct handler_family timeservers_families[] = {
	{ FAMILY,
	  FAMILY_TYPE(VALUE_IPV4) | FAMILY_TYPE(VALUE_IPV6) | FAMILY_TYPE(VALUE_IP) |
		  FAMILY_TYPE(VALUE_HOST),
	  FAMILY_LIST | FAMILY_PROVIDERS },
};

struct lines {
	struct handler_context *context;
	const char *before, *after;
	char *text;
	size_t at;
	const char *servers[TIMESERVERS_MAX];
	uint32_t n_servers;
	uint32_t n_of_provider[PROVIDER_SOURCES_MAX];
	bool has_own;
	int r;
};

static bool is_time_server(const char *text)
{
	struct value_ip address;

	if (value_parse_ip(text, &address))
		return value_is_host(text);
	return address.family == AF_INET ? address_is_host(address.ipv4) :
					   address_is_host6(&address.ipv6);
}

static bool is_link_local(const char *text)
{
	struct in6_addr address;

	return !value_parse_ipv6(text, &address) && IN6_IS_ADDR_LINKLOCAL(&address);
}

static bool has_server(const struct lines *lines, const char *server)
{
	for (uint32_t i = 0; i < lines->n_servers; i++)
		if (!strcasecmp(lines->servers[i], server))
			return true;
	return false;
}

static bool add_line(const struct provider_element *element, void *data)
{
	const char *path = element->key->key.path, *server = element->key->value.text;
	struct lines *lines = data;
	uint32_t *n_of_provider = &lines->n_of_provider[element->i_provider];

	if (!is_time_server(server)) {
		lines->r = handler_first(lines->r, handler_fail(lines->context, -EBADMSG,
								"%.63s is \"%s\"", path, server));
		return false;
	}
	if (is_link_local(server)) {
		handler_note(lines->context, "%.63s is left out: %s is of one link only", path,
			     server);
		return false;
	}
	if (*n_of_provider == TIMESERVERS_OF_PROVIDER_MAX)
		return true;
	(*n_of_provider)++; /* also if another one has said the same */
	if (lines->n_servers == TIMESERVERS_MAX || has_server(lines, server))
		return true;
	lines->at += (size_t)snprintf(lines->text + lines->at, TIMESERVERS_TEXT_SIZE - lines->at,
				      "%s%s%s\n", lines->before, server, lines->after);
	lines->servers[lines->n_servers++] = server;
	lines->has_own |= element->is_own;
	return true;
}

int timeservers_format(struct handler_context *context, const struct wanted *wanted, bool is_leased,
		       const char *before, const char *after,
		       char text[static TIMESERVERS_TEXT_SIZE], bool *endsp)
{
	struct lines lines = { .context = context, .before = before, .after = after, .text = text };

	text[0] = '\0';
	provider_take_turns(context, wanted, FAMILY, is_leased, add_line, &lines);
	*endsp = lines.has_own;
	return lines.r;
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
static int say(struct handler_context *context, const struct shared_text *text)
{
	int lock, r = shared_lock(context, &lock);

	if (r)
		return r;
	r = shared_say(context, SHARED_TIME_SERVERS, text);
	if (!r)
		r = shared_each(context, SHARED_TIME_SERVERS, clear_sources, context);
	shared_unlock(lock);
	return r;
}

static int timeservers_apply(struct handler_context *context, const struct wanted *wanted)
{
	static const struct wanted none;
	bool is_leased = shared_begin(context, wanted);
	const struct wanted *servers = context->options->use_ntp ? wanted : &none;
	struct shared_text text = { .text = NULL };
	char bytes[TIMESERVERS_TEXT_SIZE];
	int r;

	r = timeservers_format(context, servers, is_leased, "", "", bytes, &text.ends);
	text.length = strlen(bytes);
	text.text = text.length ? bytes : NULL;
	r = handler_first(r, say(context, &text));
	(void)timeservers_format(context, servers, is_leased, "server ", " iburst", bytes,
				 &text.ends);
	return handler_first(r, set_chrony(context, bytes));
}

const struct handler handler_timeservers = {
	.name = "timeservers",
	.effect = "the time servers of chronyd",
	.families = timeservers_families,
	.n_families = sizeof(timeservers_families) / sizeof(timeservers_families[0]),
	.apply = timeservers_apply,
};
