/* SPDX-License-Identifier: Apache-2.0 */
/* The saved lease, read back as hostile input. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "tests/unit/dhcp4-support.h"
#include "userspace/calf/dhcp4/lease_keys.h"
#include "userspace/calf/dhcp4/restore.h"
#include "userspace/common/address.h"

#define S 1000000000ull
#define WALL 1700000000 /* 2023-11-14T22:13:20Z */

static struct restore_values values;
static struct client_config config;
static struct client_saved saved;
static enum restore_key wrong;

static void set(enum restore_key key, const char *text)
{
	snprintf(values.text[key], sizeof(values.text[key]), "%s", text);
}

static void setup(void)
{
	set(RESTORE_ADDRESS, "192.0.2.10");
	set(RESTORE_SERVER, "192.0.2.1");
	set(RESTORE_TIME, "3600");
	set(RESTORE_EXPIRES, "2023-11-14T23:13:20Z");
	set(RESTORE_STATE, "bound");
}

TestSuite(restore, .init = setup);

static int restore(void)
{
	memset(&saved, 0x5a, sizeof(saved));
	return restore_lease(&values, &config, WALL, &saved, &wrong);
}

Test(restore, lease)
{
	cr_assert_eq(restore(), 0);
	cr_assert_eq(saved.address.s_addr, inet_addr("192.0.2.10"));
	cr_assert_eq(saved.server.s_addr, inet_addr("192.0.2.1"));
	cr_assert_eq(saved.left_s, 3600);
	cr_assert_not(saved.is_over);
	cr_assert(saved.is_configured);
}

/* The mask is that of the address which the host still has. */
Test(restore, U03_prefix_length)
{
	cr_assert_eq(restore(), 0);
	cr_assert_eq(saved.prefix_length, 0, "after a reboot");
	set(RESTORE_IP, "192.0.2.10/26");
	cr_assert_eq(restore(), 0);
	cr_assert_eq(saved.prefix_length, 26);
	set(RESTORE_IP, "192.0.2.11/26");
	cr_assert_eq(restore(), 0);
	cr_assert_eq(saved.prefix_length, 0, "of another address");
	set(RESTORE_IP, "192.0.2.10/33");
	cr_assert_eq(restore(), -EBADMSG);
	cr_assert_eq(wrong, RESTORE_IP);
}

/* Saved by a version that took it. */
Test(restore, U52_broadcast_address)
{
	set(RESTORE_ADDRESS, "192.0.2.127");
	set(RESTORE_IP, "192.0.2.127/24");
	cr_assert_eq(restore(), 0);
	set(RESTORE_IP, "192.0.2.127/25");
	cr_assert_eq(restore(), -EBADMSG);
	cr_assert_eq(wrong, RESTORE_IP);
}

Test(restore, none)
{
	set(RESTORE_ADDRESS, "");
	cr_assert_eq(restore(), -ENOENT);
	cr_assert_eq(saved.left_s, 0x5a5a5a5a, "untouched");
}

/* /lease/state does not outlive the host, as its address does not. */
Test(restore, after_a_reboot)
{
	set(RESTORE_STATE, "");
	cr_assert_eq(restore(), 0);
	cr_assert_not(saved.is_configured);
}

Test(restore, released)
{
	cr_assert_not(restore_is_released(&values));
	set(RESTORE_STATE, "released");
	cr_assert_not(restore_is_released(&values), "there is a lease");
	set(RESTORE_ADDRESS, "");
	cr_assert(restore_is_released(&values));
	set(RESTORE_STATE, "");
	cr_assert_not(restore_is_released(&values));
}

/* Wall time is a hint: it shortens what is left, and never makes it longer. */
Test(restore, times)
{
	static const struct {
		const char *time, *expires;
		uint32_t left_s;
		bool is_over;
	} rows[] = {
		{ "3600", "2023-11-14T22:13:21Z", 1, false },
		{ "3600", "2023-11-14T22:13:20Z", 3600, true },
		{ "3600", "2023-11-14T22:13:19Z", 3600, true },
		{ "3600", "1970-01-01T00:00:00Z", 3600, true }, /* no clock, then */
		{ "3600", "2099-01-01T00:00:00Z", 3600, false },
		{ "3600", "9999-12-31T23:59:59Z", 3600, false },
		{ "3600", "never", 3600, false },
		{ "infinite", "never", CLIENT_INFINITE, false },
		{ "infinite", "2023-11-14T22:14:20Z", 60, false },
		{ "0", "2023-11-14T22:14:20Z", 0, false },
		{ "4294967294", "9999-12-31T23:59:59Z", 4294967294u, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		set(RESTORE_TIME, rows[i].time);
		set(RESTORE_EXPIRES, rows[i].expires);
		cr_assert_eq(restore(), 0, "row %zu", i);
		cr_assert_eq(saved.left_s, rows[i].left_s, "row %zu: %u", i, saved.left_s);
		cr_assert_eq(saved.is_over, rows[i].is_over, "row %zu", i);
	}
}

Test(restore, C4_07_C4_10_damaged_values)
{
	static const char *const bad[][_RESTORE_KEY_N] = {
		[RESTORE_ADDRESS] = { "x", "192.0.2", "192.0.2.256", "0.0.0.0", "255.255.255.255" },
		[RESTORE_SERVER] = { "", "$(reboot)", "192.0.2.1 ", " 192.0.2.1", "192.0.2.1;" },
		[RESTORE_TIME] = { "", "-1", "4294967296", "1e3", "0x10" },
		[RESTORE_EXPIRES] = { "", "Never", "2023-13-14T23:13:20Z", "2023-11-14 23:13:20",
				      "2023-11-14T23:13:20Z " },
	};

	for (enum restore_key key = RESTORE_ADDRESS; key <= RESTORE_EXPIRES; key++) {
		for (int i = 0; i < 5; i++) {
			setup();
			set(key, bad[key][i]);
			cr_assert_eq(restore(), -EBADMSG, "%s: %s", restore_path(key), bad[key][i]);
			cr_assert_eq(wrong, key);
			cr_assert_eq(saved.left_s, 0x5a5a5a5a, "untouched");
		}
		/* as long as a value may be */
		setup();
		memset(values.text[key], '1', KV_VALUE_MAX);
		values.text[key][KV_VALUE_MAX] = '\0';
		cr_assert_eq(restore(), -EBADMSG);
	}
}

Test(restore, Q30_link_local_address)
{
	set(RESTORE_ADDRESS, "169.254.1.1");
	cr_assert_eq(restore(), -EBADMSG);
	config.accept_link_local = true;
	cr_assert_eq(restore(), 0);
}

/* Every character of the date is what it must be. */
Test(restore, C4_07_every_octet_of_the_date)
{
	static const char good[] = "2023-11-14T23:13:20Z";

	for (size_t at = 0; at < sizeof(good); at++) {
		for (int octet = 1; octet < 256; octet++) {
			char text[sizeof(good) + 1] = { 0 };
			bool digit = good[at] >= '0' && good[at] <= '9';

			memcpy(text, good, sizeof(good));
			text[at] = (char)octet;
			set(RESTORE_EXPIRES, text);
			if (restore() == 0)
				cr_assert(octet == good[at] ||
						  (digit && octet >= '0' && octet <= '9'),
					  "%s", text);
		}
	}
}

/* What lease.c writes is read as it was meant, whenever. */
Test(restore, dates_are_the_inverse_of_what_is_written)
{
	static const struct message_policy policy;
	static struct lease_keys keys;
	struct client_lease lease = { .address = address("192.0.2.10"),
				      .prefix_length = 24,
				      .server = address("192.0.2.1"),
				      .time_s = 4000000000u,
				      .expires_ns = 4000000000 * S };

	for (int64_t day = 0; day < 400 * 365; day++) {
		int64_t wall_s = day * 86400 + day % 86400;

		lease_project(&lease, CLIENT_BOUND, &policy, 3999996400 * S, wall_s, &keys);
		set(RESTORE_TIME, "4294967294");
		set(RESTORE_EXPIRES, keys.text + keys.at[LEASE_EXPIRES]);
		cr_assert_eq(restore_lease(&values, &config, wall_s, &saved, &wrong), 0);
		cr_assert_eq(saved.left_s, 3600, "day %ld: %u", (long)day, saved.left_s);
	}
}

/* Random octets: taken only if they are a lease; sanitizers watch. */
Test(restore, C4_07_random_values)
{
	static const char letters[] = "0123456789.:-TZnever infinite";
	uint64_t state = 7;

	for (int i = 0; i < 200000; i++) {
		for (enum restore_key key = 0; key < _RESTORE_KEY_N; key++) {
			size_t length, at;

			state = state * 6364136223846793005ull + 1442695040888963407ull;
			if (state >> 62 == 0)
				continue;
			length = (state >> 33) % 24;
			for (at = 0; at < length; at++) {
				state = state * 6364136223846793005ull + 1442695040888963407ull;
				values.text[key][at] =
					letters[(state >> 33) % (sizeof(letters) - 1)];
			}
			values.text[key][at] = '\0';
		}
		if (restore() == 0) {
			cr_assert(address_is_host(saved.address));
		} else {
			cr_assert_eq(saved.left_s, 0x5a5a5a5a);
		}
		setup();
	}
}
