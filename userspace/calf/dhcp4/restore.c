/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: /lease/expires is wall time, which may have been wrong when it was
 * written or may be wrong now. So it never makes a lease last longer than
 * /lease/time, and one that it says is over is still held for that long: the
 * address goes when the kernel's lifetime ends, the keys follow.
 */
#include "userspace/calf/dhcp4/restore.h"

#include <string.h>
#include <strings.h>

#include "userspace/common/clock.h"
#include "userspace/common/log.h"

#define RETRY_NS 100000000ull

static const char *const paths[_RESTORE_KEY_N] = {
	[RESTORE_ADDRESS] = "/lease/address", [RESTORE_SERVER] = "/lease/server",
	[RESTORE_TIME] = "/lease/time",	      [RESTORE_EXPIRES] = "/lease/expires",
	[RESTORE_STATE] = "/lease/state",
};

const char *restore_path(enum restore_key key)
{
	return paths[key];
}

static void read_next(struct restore *restore);

static void on_response(struct calf *calf, int status, const char *text, size_t length, void *data)
{
	struct restore *restore = data;
	unsigned int i_key = restore->i_key;

	if (status == CALF_LATER) {
		loop_timer_set(&restore->retry, calf->loop.now_ns() + RETRY_NS);
		return;
	}
	if (status == CALF_OK && strlen(text) == length)
		memcpy(restore->values.text[i_key], text, length + 1);
	else if (status == CALF_OK) /* of no type: not ours */
		memcpy(restore->values.text[i_key], "?", 2);
	else if (status != CALF_NOT_FOUND)
		log_warning("%s: %s", paths[i_key], text);
	restore->i_key++;
	read_next(restore);
}

static void read_next(struct restore *restore)
{
	int r;

	if (restore->i_key == _RESTORE_KEY_N) {
		loop_remove_timer(&restore->calf->loop, &restore->retry);
		restore->done(restore->data);
		return;
	}
	r = calf_store_read(restore->calf, paths[restore->i_key], on_response, restore);
	if (r < 0) {
		log_error("%s: %s", paths[restore->i_key], strerrordesc_np(-r));
		calf_stop(restore->calf, r);
	}
}

static int on_retry(struct loop *loop, uint64_t now_ns, void *data)
{
	(void)loop;
	(void)now_ns;
	read_next(data);
	return 0;
}

int restore_read(struct restore *restore, struct calf *calf, void (*done)(void *data), void *data)
{
	int r;

	*restore = (struct restore){ .calf = calf, .done = done, .data = data };
	r = loop_add_timer(&calf->loop, &restore->retry, on_retry, restore);
	if (r < 0) {
		log_error("event loop: %s", strerrordesc_np(-r));
		return r;
	}
	read_next(restore);
	return calf->status;
}

/* By what the two times say together. */
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
	if (!take_times(values, wall_s, &found, wrong))
		return -EBADMSG;
	/* This key does not outlive the host, as the address on its link. */
	found.is_configured = values->text[RESTORE_STATE][0] != '\0';
	*saved = found;
	return 0;
}

bool restore_is_released(const struct restore_values *values)
{
	return values->text[RESTORE_ADDRESS][0] == '\0' &&
	       strcasecmp(values->text[RESTORE_STATE], client_state_name(CLIENT_RELEASED)) == 0;
}
