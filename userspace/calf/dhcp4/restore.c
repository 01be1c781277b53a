/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: /lease/expires is wall time. The clock may have been wrong when it was
 * written, or may be wrong now. So it never makes a lease last longer than
 * /lease/time. A lease that has expired by it is still held for that long: the
 * address is removed when the kernel's lifetime ends, and the keys follow.
 */
#include "userspace/calf/dhcp4/restore.h"

#include <string.h>
#include <strings.h>

#include "userspace/common/address.h"
#include "userspace/common/clock.h"
#include "userspace/common/log.h"

static const char *const paths[_RESTORE_KEY_N] = {
	[RESTORE_ADDRESS] = "/lease/address", [RESTORE_SERVER] = "/lease/server",
	[RESTORE_TIME] = "/lease/time",	      [RESTORE_EXPIRES] = "/lease/expires",
	[RESTORE_STATE] = "/lease/state",     [RESTORE_IP] = "/ip",
};

const char *restore_path(unsigned int key)
{
	return paths[key];
}

static int take_value(void *data, unsigned int i, int status, const char *text, size_t length)
{
	struct restore *restore = data;

	if (status == CALF_OK && strlen(text) == length)
		memcpy(restore->values.text[i], text, length + 1);
	else if (status == CALF_OK) /* contains a NUL: not written by a calf */
		memcpy(restore->values.text[i], "?", 2);
	else if (status != CALF_NOT_FOUND)
		log_warning("cannot read %s: %s", paths[i], text);
	return 0;
}

static void finish(void *data)
{
	struct restore *restore = data;

	restore->done(restore->data);
}

int restore_read(struct restore *restore, struct calf *calf, void (*done)(void *data), void *data)
{
	*restore = (struct restore){ .calf = calf, .done = done, .data = data };
	return keys_read(&restore->keys, calf, restore_path, _RESTORE_KEY_N, take_value, finish,
			 restore);
}

/* Combine the remaining time and the expiry date. */
static bool take_times(const struct restore_values *values, int64_t wall_s,
		       struct client_saved *saved, enum restore_key *wrong)
{
	const char *expires = values->text[RESTORE_EXPIRES];
	int64_t expires_s;

	*wrong = RESTORE_TIME;
	if (value_parse_lifetime(values->text[RESTORE_TIME], &saved->left_s) < 0)
		return false;
	if (strcmp(expires, "never") == 0)
		return true;
	*wrong = RESTORE_EXPIRES;
	if (clock_parse_utc_s(expires, &expires_s))
		return false;
	saved->is_over = expires_s <= wall_s;
	if (!saved->is_over && expires_s - wall_s < (int64_t)saved->left_s)
		saved->left_s = (uint32_t)(expires_s - wall_s);
	return true;
}

/* Take the prefix length from the address that the host has. It is lost at a
 * reboot. Returns false if it is wrong, also if no host can have the address. */
static bool take_prefix(const struct restore_values *values, struct client_saved *saved,
			enum restore_key *wrong)
{
	const char *ip = values->text[RESTORE_IP];
	struct value_ipv4_net net;

	*wrong = RESTORE_IP;
	if (ip[0] == '\0')
		return true;
	if (value_parse_ipv4_net(ip, &net) < 0)
		return false;
	if (net.address.s_addr == saved->address.s_addr)
		saved->prefix_length = net.prefix_length;
	return !address_is_subnet(saved->address, saved->prefix_length);
}

int restore_lease(const struct restore_values *values, const struct client_config *config,
		  int64_t wall_s, struct client_saved *saved, enum restore_key *wrong)
{
	struct client_saved found = { 0 };

	if (values->text[RESTORE_ADDRESS][0] == '\0')
		return -ENOENT;
	*wrong = RESTORE_ADDRESS;
	if (value_parse_ipv4(values->text[RESTORE_ADDRESS], &found.address) < 0 ||
	    !client_lease_is_address(config, found.address))
		return -EBADMSG;
	*wrong = RESTORE_SERVER;
	if (value_parse_ipv4(values->text[RESTORE_SERVER], &found.server) < 0)
		return -EBADMSG;
	if (!take_times(values, wall_s, &found, wrong) || !take_prefix(values, &found, wrong))
		return -EBADMSG;
	/* This key is lost at a reboot, as is the address on the uplink. */
	found.is_configured = values->text[RESTORE_STATE][0] != '\0';
	*saved = found;
	return 0;
}

bool restore_is_released(const struct restore_values *values)
{
	return values->text[RESTORE_ADDRESS][0] == '\0' &&
	       strcasecmp(values->text[RESTORE_STATE], client_state_name(CLIENT_RELEASED)) == 0;
}
