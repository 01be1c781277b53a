/* SPDX-License-Identifier: Apache-2.0 */
/* What was on the uplink when the instance started, and the file that tells the next
 * watcher. */
#include <errno.h>
#include <inttypes.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/log.h"
#include "userspace/priv/handlers/file.h"
#include "userspace/priv/handlers/former-private.h"
#include "userspace/priv/handlers/state.h"

#define LINE_SIZE 32 /* "10.77.0.150/24 forever\n" */
#define FILE_TEXT_SIZE (LINE_SIZE * (FORMER_ADDRESSES_MAX + 1))

int former_fail_read(struct handler_context *context, int error)
{
	return handler_fail(context, error, "cannot read what a former client left");
}

/* the file */

static int file_path(const struct handler_context *context, char path[static PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/takeover", context->run_directory);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

void former_save(const struct handler_context *context, const struct former_state *state)
{
	char text[FILE_TEXT_SIZE], net[VALUE_IPV4_NET_SIZE], path[PATH_MAX];
	size_t at = 0;
	int r = file_path(context, path);

	at += (size_t)snprintf(text, sizeof(text), "%s %" PRIu64 "\n",
			       state->is_done ? "done" : "pending", state->revision);
	for (uint32_t i = 0; !state->is_done && i < state->n_addresses; i++) {
		value_format_ipv4_net(&state->addresses[i].net, net);
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s %s\n", net,
				       state->addresses[i].has_end ? "leased" : "forever");
	}
	if (!r)
		r = file_write(path, text, at);
	if (r)
		log_warning("%s: cannot write: %s; a restart may repeat the take-over", path,
			    strerror(-r));
}

static void add_address(struct former_state *state, const struct value_ipv4_net *net, bool has_end)
{
	if (state->n_addresses < FORMER_ADDRESSES_MAX)
		state->addresses[state->n_addresses++] =
			(struct former_address){ .net = *net, .has_end = has_end };
}

/* Read what a watcher noted before; nothing if there is no valid file. */
static void load(const struct handler_context *context, struct former_state *state)
{
	char text[FILE_TEXT_SIZE], word[LINE_SIZE], kind[LINE_SIZE], path[PATH_MAX];
	const char *at = text;
	int n = 0;

	*state = (struct former_state){ .is_done = true };
	if (file_path(context, path) || file_read(path, text, sizeof(text)) < 0 ||
	    sscanf(at, "%31s %" SCNu64 "%n", word, &state->revision, &n) != 2) /* NOLINT */
		return;
	state->is_done = strcmp(word, "pending") != 0;
	for (at += n; sscanf(at, "%31s %31s%n", word, kind, &n) == 2; at += n) {
		struct value_ipv4_net net;

		if (!value_parse_ipv4_net(word, &net))
			add_address(state, &net, !strcmp(kind, "leased"));
	}
}

/* the start */

struct start {
	struct former_state *state;
	const struct former_state *earlier; /* a take-over that was not finished */
	struct netlink_address found[FORMER_ADDRESSES_MAX];
	uint32_t n_found;
};

const struct former_address *former_find_address(const struct former_state *state,
						 struct in_addr address)
{
	for (uint32_t i = 0; i < state->n_addresses; i++)
		if (state->addresses[i].net.address.s_addr == address.s_addr)
			return &state->addresses[i];
	return NULL;
}

static void on_start_address(const struct netlink_address *address, void *data)
{
	struct start *start = data;

	if (address->scope == RT_SCOPE_UNIVERSE && start->n_found < FORMER_ADDRESSES_MAX)
		start->found[start->n_found++] = *address;
}

/* Linux 6.1 keeps the protocol of an address that we adopted. What our routes have as
 * their source was adopted in an earlier run. */
static void on_start_route(const struct netlink_route *route, void *data)
{
	struct start *start = data;

	for (uint32_t i = 0; i < start->n_found; i++)
		if (start->found[i].address.s_addr == route->source.s_addr)
			start->found[i].protocol = NETLINK_OWNER;
}

static int note_addresses(struct handler_context *context, struct start *start)
{
	int r = netlink_address_each(context->netlink, context->uplink_ifindex, on_start_address,
				     start);

	if (!r)
		r = netlink_route_each(context->netlink, context->uplink_ifindex,
				       context->options->table, on_start_route, start);
	for (uint32_t i = 0; !r && i < start->n_found; i++) {
		const struct netlink_address *found = &start->found[i];
		struct value_ipv4_net net = { found->address, found->prefix_length };
		const struct former_address *known =
			former_find_address(start->earlier, found->address);

		if (known && !start->earlier->is_done)
			add_address(start->state, &net, known->has_end);
		else if (found->protocol != NETLINK_OWNER)
			add_address(start->state, &net, found->valid_s != NETLINK_FOREVER);
	}
	return r;
}

int former_begin(struct handler_context *context, const struct wanted *wanted)
{
	const struct kv_value *key = wanted_get(wanted, "/address");
	struct former_state *state = &context->state->former, earlier;
	struct start start = { .state = state, .earlier = &earlier };
	struct value_ipv4_net asked;
	int r;

	if (!context->takeover || (key && key->revision == state->revision))
		return 0;
	*state = (struct former_state){ .is_done = true };
	if (!key || value_parse_ipv4_net(key->text, &asked))
		return 0;
	load(context, &earlier);
	if (earlier.revision == key->revision) {
		*state = earlier;
		state->asked = asked.address;
		return 0;
	}
	r = note_addresses(context, &start);
	if (r)
		return former_fail_read(context, r);
	state->revision = key->revision;
	state->asked = asked.address;
	state->is_done = !state->n_addresses;
	former_save(context, state);
	return 0;
}
