/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/dhcp4/lease_keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "userspace/calf/dhcp4/client/jitter.h"
#include "userspace/common/clock.h"
#include "userspace/common/path.h"

#define NUMBER_SIZE 24
#define UNKNOWN "?" /* not a valid value of any key */

static const char *const paths[LEASE_NAME_SERVER] = {
	[LEASE_IP] = "/ip",
	[LEASE_GATEWAY] = "/gateway",
	[LEASE_MTU] = "/mtu",
	[LEASE_DOMAIN] = "/domain",
	[LEASE_SEARCH] = "/search",
	[LEASE_HOST_NAME] = "/hostname",
	[LEASE_CAPTIVE_PORTAL] = "/captive-portal",
	[LEASE_IPV6_ONLY] = "/ipv6-only",
	[LEASE_TIME] = "/lease/time",
	[LEASE_STATE] = "/lease/state",
	[LEASE_SERVER] = "/lease/server",
	[LEASE_ADDRESS] = "/lease/address",
	[LEASE_T1] = "/lease/t1",
	[LEASE_T2] = "/lease/t2",
	[LEASE_EXPIRES] = "/lease/expires",
};

/* Keys that are numbered within a directory. */
static const struct {
	int first;
	const char *directory;
} directories[] = {
	{ LEASE_ROUTE, "/route" },
	{ LEASE_RESOLVER, "/dnr" },
	{ LEASE_TIME_SERVER, "/ntp" },
	{ LEASE_NAME_SERVER, "/nameserver" },
};

/* "/option/043" */
static void option_path(uint8_t code, char path[static KV_PATH_SIZE])
{
	snprintf(path, KV_PATH_SIZE, "/option/%03d", code);
}

bool lease_path(const struct lease_keys *keys, enum lease_slot slot, char path[static KV_PATH_SIZE])
{
	int number = (int)slot;

	if (number >= LEASE_OPTION) {
		number -= LEASE_OPTION;
		if (number >= keys->n_options)
			return false;
		option_path(keys->options[number], path);
		return true;
	}
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		if (number < directories[i].first)
			continue;
		snprintf(path, KV_PATH_SIZE, "%s/%03d", directories[i].directory,
			 number - directories[i].first + 1);
		return true;
	}
	snprintf(path, KV_PATH_SIZE, "%s", paths[slot]);
	return true;
}

/* An empty text means that there is no value. */
static void put(struct lease_keys *keys, int slot, const char *text)
{
	size_t size = strlen(text) + 1;

	if (size == 1 || size > sizeof(keys->text) - 1 - keys->used)
		return;
	keys->at[slot] = (uint16_t)(keys->used + 1);
	memcpy(keys->text + keys->at[slot], text, size);
	keys->used = (uint16_t)(keys->used + size);
}

static void put_number(struct lease_keys *keys, int slot, uint64_t number)
{
	char text[NUMBER_SIZE];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	put(keys, slot, text);
}

static void put_seconds(struct lease_keys *keys, int slot, uint32_t seconds)
{
	char text[VALUE_UINT_SIZE];

	value_format_lifetime(seconds, text);
	put(keys, slot, text);
}

static void put_address(struct lease_keys *keys, int slot, struct in_addr address)
{
	char text[VALUE_IPV4_SIZE];

	value_format_ipv4(address, text);
	put(keys, slot, text);
}

static void put_net(struct lease_keys *keys, int slot, struct in_addr address,
		    uint8_t prefix_length)
{
	struct value_ipv4_net net = { .address = address, .prefix_length = prefix_length };
	char text[VALUE_IPV4_NET_SIZE];

	value_format_ipv4_net(&net, text);
	put(keys, slot, text);
}

static void put_route(struct lease_keys *keys, int slot, const struct value_route *route)
{
	struct value_ipv4_net net = { .address = route->destination,
				      .prefix_length = route->prefix_length };
	char destination[VALUE_IPV4_NET_SIZE], gateway[VALUE_IPV4_SIZE];
	char text[LEASE_ROUTE_SIZE];

	value_format_ipv4_net(&net, destination);
	value_format_ipv4(route->gateway, gateway);
	if (route->onlink)
		snprintf(text, sizeof(text), "%s onlink", destination);
	else
		snprintf(text, sizeof(text), "%s via %s", destination, gateway);
	put(keys, slot, text);
}

static void put_times(struct lease_keys *keys, const struct client_lease *lease, uint64_t now_ns,
		      int64_t wall_s)
{
	char text[CLOCK_SECONDS_SIZE];
	uint64_t left_s;

	put_seconds(keys, LEASE_T1, lease->t1_s);
	put_seconds(keys, LEASE_T2, lease->t2_s);
	if (lease->expires_ns == CLIENT_NEVER) {
		put_seconds(keys, LEASE_TIME, VALUE_LIFETIME_INFINITE);
		put(keys, LEASE_EXPIRES, "never");
		return;
	}
	left_s = lease->expires_ns > now_ns ? (lease->expires_ns - now_ns) / NS_PER_S : 0;
	put_number(keys, LEASE_TIME, left_s);
	if (clock_format_utc_s(wall_s + (int64_t)left_s, text) == 0)
		put(keys, LEASE_EXPIRES, text);
}

static void put_state(struct lease_keys *keys, enum client_state state)
{
	char text[LEASE_SHORT_SIZE];

	snprintf(text, sizeof(text), "%s", client_state_name(state));
	for (char *at = text; *at != '\0'; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	put(keys, LEASE_STATE, text);
}

static void put_options(struct lease_keys *keys, const struct message_parameters *parameters)
{
	for (int i = 0; i < parameters->n_options; i++) {
		const struct message_option *option = &parameters->options[i];
		const uint8_t *code = memchr(keys->options, option->code, keys->n_options);
		char text[2 * MESSAGE_OPTION_MAX + 1];

		if (!code)
			continue;
		value_format_hex(parameters->option_bytes + option->at, option->size, text);
		put(keys, LEASE_OPTION + (int)(code - keys->options), text);
	}
}

/* Store what depends on the address. */
static void put_lease(struct lease_keys *keys, const struct client_lease *lease, uint64_t now_ns,
		      int64_t wall_s)
{
	const struct message_parameters *parameters = &lease->parameters;

	put_net(keys, LEASE_IP, lease->address, lease->prefix_length);
	if (parameters->gateway.s_addr != INADDR_ANY)
		put_address(keys, LEASE_GATEWAY, parameters->gateway);
	for (int i = 0; i < parameters->n_routes; i++)
		put_route(keys, LEASE_ROUTE + i, &parameters->routes[i]);
	put_address(keys, LEASE_SERVER, lease->server);
	put_address(keys, LEASE_ADDRESS, lease->address);
	put_times(keys, lease, now_ns, wall_s);
}

static void put_parameters(struct lease_keys *keys, const struct message_parameters *parameters,
			   const struct message_policy *policy)
{
	if (parameters->mtu >= message_mtu_min(policy))
		put_number(keys, LEASE_MTU, parameters->mtu);
	put(keys, LEASE_DOMAIN, parameters->domain);
	put(keys, LEASE_SEARCH, parameters->search);
	put(keys, LEASE_HOST_NAME, parameters->host_name);
	put(keys, LEASE_CAPTIVE_PORTAL, parameters->captive_portal);
	if (parameters->has_ipv6_only)
		put_number(keys, LEASE_IPV6_ONLY, parameters->ipv6_only_s);
	for (int i = 0; i < parameters->n_name_servers; i++)
		put_address(keys, LEASE_NAME_SERVER + i, parameters->name_servers[i]);
	for (int i = 0; i < parameters->n_time_servers; i++)
		put_address(keys, LEASE_TIME_SERVER + i, parameters->time_servers[i]);
	for (int i = 0; i < parameters->n_resolvers; i++)
		put(keys, LEASE_RESOLVER + i, parameters->resolvers[i]);
	put_options(keys, parameters);
}

void lease_keys_init(struct lease_keys *keys, const struct message_policy *policy)
{
	*keys = LEASE_KEYS_NULL(*keys);
	keys->n_options = policy->n_options;
	memcpy(keys->options, policy->options, sizeof(keys->options));
}

bool lease_keys_found(struct lease_keys *keys, const char *path)
{
	char own[KV_PATH_SIZE];

	for (int slot = 0; slot < _LEASE_SLOT_N; slot++) {
		if (!lease_path(keys, (enum lease_slot)slot, own) || strcmp(own, path) != 0)
			continue;
		if (keys->at[slot] == 0)
			put(keys, slot, UNKNOWN);
		return true;
	}
	return false;
}

void lease_keys_all(struct lease_keys *keys)
{
	for (int slot = 0; slot < _LEASE_SLOT_N; slot++)
		if (keys->at[slot] == 0)
			put(keys, slot, UNKNOWN);
}

void lease_project(const struct client_lease *lease, enum client_state state,
		   const struct message_policy *policy, uint64_t now_ns, int64_t wall_s,
		   struct lease_keys *keys)
{
	lease_keys_init(keys, policy);
	if (lease || state == CLIENT_RELEASED)
		put_state(keys, state);
	if (!lease)
		return;
	if (lease->address.s_addr != INADDR_ANY)
		put_lease(keys, lease, now_ns, wall_s);
	put_parameters(keys, &lease->parameters, policy);
}

static const char *get(const struct lease_keys *keys, int slot)
{
	return keys->at[slot] != 0 ? keys->text + keys->at[slot] : NULL;
}

/* These two depend on when the lease was renewed; in between only their
 * rounding changes. */
static bool is_time(int slot)
{
	return slot == LEASE_TIME || slot == LEASE_EXPIRES;
}

/* Return whether the slot must be written or deleted. */
static bool is_changed(const struct lease_keys *from, const struct lease_keys *to, int slot,
		       bool renewed)
{
	const char *wanted = get(to, slot), *there;

	there = get(from, slot);
	if (!there || !wanted)
		return there != wanted;
	if (is_time(slot) && !renewed)
		return false;
	return slot == LEASE_TIME || strcmp(there, wanted) != 0;
}

void lease_changes(const struct lease_keys *from, const struct lease_keys *to, bool renewed,
		   struct commit *commit)
{
	commit_init(commit);
	for (int slot = 0; slot < _LEASE_SLOT_N; slot++) {
		const char *wanted = get(to, slot);
		char path[KV_PATH_SIZE];

		if (!is_changed(from, to, slot, renewed) ||
		    !lease_path(to, (enum lease_slot)slot, path))
			continue;
		/* Our own sizes and paths: neither can fail. */
		if (wanted)
			(void)commit_write(commit, path, wanted, strlen(wanted));
		else
			(void)commit_delete(commit, path);
	}
}

/* Return whether the key of a slot may be as in a previous run. A key of an
 * option that may be ignored is not kept: it may be due to that option. */
static bool is_unmentioned(const struct message_parameters *parameters,
			   const struct message_policy *policy, const struct lease_keys *keys,
			   int slot)
{
	bool keeps_routes = !parameters->classless_code && !policy->ignore_classless &&
			    !policy->ignore_microsoft_classless;

	if (slot >= LEASE_OPTION) {
		for (int i = 0; i < parameters->n_options; i++)
			if (parameters->options[i].code == keys->options[slot - LEASE_OPTION])
				return false;
		return slot - LEASE_OPTION < keys->n_options;
	}
	if (slot >= LEASE_ROUTE)
		return keeps_routes && parameters->n_routes == 0;
	if (slot >= LEASE_RESOLVER)
		return parameters->n_resolvers == 0;
	if (slot >= LEASE_TIME_SERVER)
		return parameters->n_time_servers == 0;
	if (slot >= LEASE_NAME_SERVER)
		return parameters->n_name_servers == 0;
	switch (slot) {
	case LEASE_GATEWAY:
		return keeps_routes && parameters->gateway.s_addr == INADDR_ANY;
	case LEASE_MTU:
		return parameters->mtu == 0;
	case LEASE_DOMAIN:
		return parameters->domain[0] == '\0';
	case LEASE_SEARCH:
		return parameters->search[0] == '\0';
	case LEASE_HOST_NAME:
		return policy->use_host_name && parameters->host_name[0] == '\0';
	case LEASE_CAPTIVE_PORTAL:
		return !parameters->has_captive_portal;
	case LEASE_IPV6_ONLY:
		return policy->ipv6_mostly && !parameters->has_ipv6_only;
	default:
		return false;
	}
}

void lease_keys_continue(const struct lease_keys *from, const struct client_lease *lease,
			 const struct message_policy *policy, struct lease_keys *to)
{
	for (int slot = 0; lease->is_continued && slot < _LEASE_SLOT_N; slot++) {
		const char *there = get(from, slot);

		if (there && strcmp(there, UNKNOWN) == 0 && !get(to, slot) &&
		    is_unmentioned(&lease->parameters, policy, to, slot))
			put(to, slot, UNKNOWN);
	}
}

static bool is_withheld(const char *path, const char *withheld)
{
	char one[KV_PATH_SIZE];

	while (*withheld) {
		size_t length = strcspn(withheld, " ");

		snprintf(one, sizeof(one), "%.*s", (int)length, withheld);
		if (path_is_below(path, one))
			return true;
		withheld += length + (withheld[length] == ' ');
	}
	return false;
}

void lease_keys_withhold(struct lease_keys *keys, const char *withheld)
{
	char path[KV_PATH_SIZE];

	for (int slot = 0; *withheld && slot < _LEASE_SLOT_N; slot++)
		if (keys->at[slot] && lease_path(keys, (enum lease_slot)slot, path) &&
		    is_withheld(path, withheld))
			keys->at[slot] = 0;
}

void lease_change_state(const struct lease_keys *to, struct commit *commit)
{
	const char *state = get(to, LEASE_STATE);

	commit_init(commit);
	if (state)
		(void)commit_write(commit, paths[LEASE_STATE], state, strlen(state));
}
