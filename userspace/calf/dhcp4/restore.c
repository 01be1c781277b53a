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

#include "userspace/common/log.h"

#define RETRY_NS 100000000ull
#define DATE_LENGTH 20 /* 2026-11-24T18:46:09Z */

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

/* `n` digits that make up a number from `min` to `max`. */
static bool take_number(const char **at, int n, int64_t min, int64_t max, int64_t *number)
{
	*number = 0;
	for (int i = 0; i < n; i++) {
		char digit = (*at)[i];

		if (digit < '0' || digit > '9')
			return false;
		*number = *number * 10 + (digit - '0');
	}
	*at += n;
	return *number >= min && *number <= max;
}

static bool take_char(const char **at, char wanted)
{
	return *(*at)++ == wanted;
}

/* The inverse of lease.c's: years begin in March, an era is 400 years. */
static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
	int64_t era, year_day;

	if (month <= 2)
		year--;
	era = year / 400;
	year %= 400;
	year_day = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return era * 146097 + year * 365 + year / 4 - year / 100 + year_day - 719468;
}

/* RFC 3339 in UTC, as lease.c writes it. A day that the month has not is the
 * next month's first: nobody's lease depends on it. */
static bool parse_date(const char *text, int64_t *wall_s)
{
	int64_t year, month, day, hour, minute, second;

	if (strlen(text) != DATE_LENGTH)
		return false;
	if (!take_number(&text, 4, 1970, 9999, &year) || !take_char(&text, '-') ||
	    !take_number(&text, 2, 1, 12, &month) || !take_char(&text, '-') ||
	    !take_number(&text, 2, 1, 31, &day) || !take_char(&text, 'T') ||
	    !take_number(&text, 2, 0, 23, &hour) || !take_char(&text, ':') ||
	    !take_number(&text, 2, 0, 59, &minute) || !take_char(&text, ':') ||
	    !take_number(&text, 2, 0, 59, &second) || !take_char(&text, 'Z'))
		return false;
	*wall_s = days_since_1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
	return true;
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
	if (!parse_date(expires, &expires_s))
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
