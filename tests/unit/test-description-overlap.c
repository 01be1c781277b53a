/* SPDX-License-Identifier: Apache-2.0 */
/* Calves of an instance beside each other: names, keys and frames of one calf only. */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/capture.h"
#include "tests/unit/support-overlap.h"
#include "userspace/priv/description/overlap.h"

struct row {
	struct calf calves[3]; /* those that have a name */
	const char *text;      /* that is logged; NULL: nothing */
};

/* Refused, unless nothing is logged. */
static const struct row rows[] = {
	/* names */
	{ { { .name = "a" }, { .name = "b" }, { .name = "a-b" } }, NULL },
	{ { { .name = "a" }, { .name = "b" }, { .name = "a" } },
	  "/calves/2/calf.yaml:5: name \"a\" is also that of /calves/0/calf.yaml:3; the calves of "
	  "an instance need different names\n" },

/* keys: path and line of the second calf, then of the first */
#define REFUSED(_path, _line, _other_path, _other_line)                                       \
	"/calves/1/calf.yaml:" _line ": path \"" _path "\": /calves/0/calf.yaml:" _other_line \
	" may write or delete \"" _other_path "\", too; only one calf of an instance may\n"
	{ { { .name = "a", .keys = { { "/mac", READ | WATCH }, { "/ip", WRITE | DELETE } } },
	    { .name = "b", .keys = { { "/mac", READ | WATCH }, { "/ip", READ | WATCH } } },
	    { .name = "c", .keys = { { "/mac", READ }, { "/ip6", WRITE } } } },
	  NULL },
	{ { { .name = "a", .keys = { { "/mac", READ }, { "/ip", WRITE } } },
	    { .name = "b", .keys = { { "/x", READ }, { "/y", READ }, { "/ip", READ | WRITE } } } },
	  REFUSED("/ip", "12", "/ip", "11") },
	{ { { .name = "a", .keys = { { "/ip", DELETE } } },
	    { .name = "b", .keys = { { "/ip", WRITE } } } },
	  REFUSED("/ip", "10", "/ip", "10") },
	{ { { .name = "a", .keys = { { "/control/stop", READ | WATCH | DELETE } } },
	    { .name = "b", .keys = { { "/control/stop", READ | WATCH | DELETE } } } },
	  REFUSED("/control/stop", "10", "/control/stop", "10") },
	{ { { .name = "a", .keys = { { "/control/stop", READ | WATCH | DELETE } } },
	    { .name = "b", .keys = { { "/control/stop", READ | WATCH } } } },
	  NULL },

	/* directories: two of the same, and one over a key, both ways */
	{ { { .name = "a", .keys = { { "/ntp/", WRITE } } },
	    { .name = "b", .keys = { { "/mac", READ }, { "/ntp/", DELETE } } } },
	  REFUSED("/ntp/", "11", "/ntp/", "10") },
	{ { { .name = "a", .keys = { { "/mac", READ }, { "/ntp/001", WRITE } } },
	    { .name = "b", .keys = { { "/ntp/", WRITE } } } },
	  REFUSED("/ntp/", "10", "/ntp/001", "11") },
	{ { { .name = "a", .keys = { { "/ntp/", WRITE } } },
	    { .name = "b", .keys = { { "/mac", READ }, { "/ntp/001", WRITE } } } },
	  "/calves/0/calf.yaml:10: path \"/ntp/\": /calves/1/calf.yaml:11 may write or delete "
	  "\"/ntp/001\", too; only one calf of an instance may\n" },
	/* only the keys that are directly in it */
	{ { { .name = "a", .keys = { { "/ntp/", WRITE }, { "/ntp", READ } } },
	    { .name = "b",
	      .keys = { { "/ntp/b/", WRITE }, { "/ntp", WRITE }, { "/ntp-/", WRITE } } },
	    { .name = "c", .keys = { { "/ntp/c/", WRITE }, { "/ntp/b/c/", WRITE } } } },
	  NULL },
	/* an entry for the key goes before that of its directory */
	{ { { .name = "a", .keys = { { "/ntp/", WRITE }, { "/ntp/001", READ } } },
	    { .name = "b", .keys = { { "/ntp/001", WRITE } } } },
	  NULL },
	{ { { .name = "a", .keys = { { "/ntp/001", READ }, { "/ntp/", WRITE } } },
	    { .name = "b", .keys = { { "/ntp/001", WRITE }, { "/ntp/", WRITE } } } },
	  REFUSED("/ntp/", "11", "/ntp/", "11") },
	{ { { .name = "a", .keys = { { "/ntp/", READ }, { "/ntp/001", WRITE } } },
	    { .name = "b", .keys = { { "/ntp/002", WRITE }, { "/ntp/001", WRITE } } } },
	  REFUSED("/ntp/001", "11", "/ntp/001", "11") },

/* a directory of another calf, by the directory and by a key, both ways */
#define FOREIGN(_own, _other, _other_line, _other_path)                       \
	"/calves/" _own "/calf.yaml:11: directory \"/ntp/\": /calves/" _other \
	"/calf.yaml:" _other_line " may write or delete \"" _other_path       \
	"\"; a directory of another calf requires \"of: any\"\n"
	{ { { .name = "a", .keys = { { "/ntp/", WRITE } } },
	    { .name = "b", .keys = { { "/mac", READ }, { "/ntp/", READ } } } },
	  FOREIGN("1", "0", "10", "/ntp/") },
	{ { { .name = "a", .keys = { { "/mac", READ }, { "/ntp/", READ | WATCH } } },
	    { .name = "b", .keys = { { "/x", READ }, { "/y", READ }, { "/ntp/001", DELETE } } } },
	  FOREIGN("0", "1", "12", "/ntp/001") },
	{ { { .name = "a", .keys = { { "/ntp/", WRITE } } },
	    { .name = "b", .keys = { { "/ntp/", READ | WATCH | OF_ANY } } },
	    { .name = "c", .keys = { { "/ntp/001", READ }, { "/ntp/c/", READ } } } },
	  NULL },

/* the secret of another calf: by its key, its directory, and a key in it, both ways */
#define SECRET_OF(_own, _line, _path, _other, _other_line, _other_path)             \
	"/calves/" _own "/calf.yaml:" _line ": path \"" _path "\": /calves/" _other \
	"/calf.yaml:" _other_line " has \"" _other_path                             \
	"\" as a secret; only the calf that writes it may read it\n"
	{ { { .name = "a", .keys = { { "/psk", READ | WRITE | SECRET } } },
	    { .name = "b", .keys = { { "/mac", READ }, { "/psk", READ } } } },
	  SECRET_OF("1", "11", "/psk", "0", "10", "/psk") },
	{ { { .name = "a", .keys = { { "/mac", READ }, { "/psk", WATCH | OF_ANY } } },
	    { .name = "b",
	      .keys = { { "/x", READ }, { "/y", READ }, { "/psk", WRITE | SECRET } } } },
	  SECRET_OF("0", "11", "/psk", "1", "12", "/psk") },
	{ { { .name = "a", .keys = { { "/eap/", READ | OF_ANY } } },
	    { .name = "b", .keys = { { "/mac", READ }, { "/eap/psk", WRITE | SECRET } } } },
	  SECRET_OF("0", "10", "/eap/", "1", "11", "/eap/psk") },
	{ { { .name = "a", .keys = { { "/eap/", WRITE | SECRET } } },
	    { .name = "b", .keys = { { "/eap/psk", READ } } } },
	  SECRET_OF("1", "10", "/eap/psk", "0", "10", "/eap/") },
	{ { { .name = "a", .keys = { { "/eap/", WRITE | SECRET } } },
	    { .name = "b", .keys = { { "/eap/", READ | OF_ANY } } } },
	  SECRET_OF("1", "10", "/eap/", "0", "10", "/eap/") },
	/* what is beside it, and an entry that cannot read */
	{ { { .name = "a",
	      .keys = { { "/eap/", WRITE | SECRET },
			{ "/eap/user", WRITE },
			{ "/psk", WRITE | SECRET } } },
	    { .name = "b",
	      .keys = { { "/eap/user", READ }, { "/eap/x/", READ }, { "/eap", READ } } },
	    { .name = "c", .keys = { { "/psk/", READ | WRITE | SECRET } } } },
	  NULL },
	/* the host's, which no calf may write */
	{ { { .name = "a", .keys = { { "/link/macs/", READ | WATCH } } },
	    { .name = "b", .keys = { { "/link/macs/", READ | WATCH } } } },
	  NULL },

	/* frames */
	{ { { .name = "a", .frames = { { FRAME_CHECK_DHCP4, 68, 67 }, { FRAME_CHECK_ARP, 0, 0 } } },
	    { .name = "b", .frames = { { FRAME_CHECK_DHCP4, 1068, 1067 } } },
	    { .name = "c" } },
	  NULL },
	/* ports of another protocol, and one that is local here and remote there */
	{ { { .name = "a", .frames = { { FRAME_CHECK_DHCP4, 68, 67 } } },
	    { .name = "b", .frames = { { FRAME_CHECK_ARP, 68, 67 } } },
	    { .name = "c", .frames = { { FRAME_CHECK_DHCP4, 67, 68 } } } },
	  NULL },
	/* one server for two ports of one calf */
	{ { { .name = "a",
	      .frames = { { FRAME_CHECK_DHCP4, 68, 67 }, { FRAME_CHECK_DHCP4, 1068, 67 } } },
	    { .name = "b" } },
	  NULL },
#define SAME_FRAMES(_line, _other_line)                                                 \
	"/calves/1/calf.yaml:" _line ": frame rule matches the same frames as that of " \
	"/calves/0/calf.yaml:" _other_line "; a frame is for one calf of an instance only\n"
	{ { { .name = "a", .frames = { { FRAME_CHECK_ARP, 0, 0 }, { FRAME_CHECK_DHCP4, 68, 67 } } },
	    { .name = "b", .frames = { { FRAME_CHECK_DHCP4, 68, 1067 } } } },
	  SAME_FRAMES("30", "31") },
	{ { { .name = "a", .frames = { { FRAME_CHECK_ARP, 0, 0 } } },
	    { .name = "b",
	      .frames = { { FRAME_CHECK_DHCP4, 68, 67 }, { FRAME_CHECK_ARP, 0, 0 } } } },
	  SAME_FRAMES("31", "30") },
	{ { { .name = "a", .frames = { { FRAME_CHECK_ARP, 0, 0 }, { FRAME_CHECK_DHCP4, 68, 67 } } },
	    { .name = "b", .frames = { { FRAME_CHECK_DHCP4, 1068, 67 } } } },
	  "/calves/1/calf.yaml:30: frame rule has the same remote_port as that of "
	  "/calves/0/calf.yaml:31; a server is for one calf of an instance only\n" },
};

/* Keys of any calf that no calf writes, which is no error. Calf b may delete in /ntp/. */
#define UNWRITTEN(_line, _path) \
	"/calves/0/calf.yaml:" _line ": no calf of this instance writes \"" _path "\"\n"
static const struct row unwritten_rows[] = {
	{ { { .name = "a", .keys = { { "/mac", READ }, { "/ntp/", READ | OF_ANY } } },
	    { .name = "b", .keys = { { "/ntp/", DELETE }, { "/ntp/a/", WRITE } } } },
	  UNWRITTEN("11", "/ntp/") },
	{ { { .name = "a", .keys = { { "/ip", READ | OF_ANY }, { "/ntp/001", READ | OF_ANY } } },
	    { .name = "b", .keys = { { "/ntp/", WRITE } } } },
	  UNWRITTEN("10", "/ip") },
	/* which the supervisor and the operator write */
	{ { { .name = "a",
	      .keys = { { "/config/b/", READ | OF_ANY },
			{ "/control/b/x", READ | OF_ANY },
			{ "/config/b/y", READ | OF_ANY } } },
	    { .name = "b",
	      .keys = { { "/control/b/x", DELETE },
			{ "/config/b/y", READ | WATCH },
			{ "/config/b/z", READ | WATCH } } } },
	  NULL },
/* or not: each is another key than that of b, or the only one of it */
#define ABSENT(_line, _path) \
	"/calves/0/calf.yaml:" _line ": no calf of this instance has \"" _path "\"\n"
	{ { { .name = "a",
	      .keys = { { "/config/b/a", READ | OF_ANY },
			{ "/config/c/", READ | OF_ANY },
			{ "/control/b/x", READ | OF_ANY },
			{ "/config/d/a", READ | OF_ANY },
			{ "/control/b/y", READ | OF_ANY } } },
	    { .name = "b",
	      .keys = { { "/config/b/z", READ | WATCH },
			{ "/control/b/z", DELETE },
			{ "/control/b/x", READ | WATCH },
			{ "/config/d/a", READ | OF_ANY },
			{ "/control/b/y", DELETE } } } },
	  ABSENT("10", "/config/b/a") ABSENT("11", "/config/c/") ABSENT("12", "/control/b/x") ABSENT(
		  "13",
		  "/config/d/a") "/calves/1/calf.yaml:13: no calf of this instance has \"/config/d/a\"\n" },
};

static void check_row(const struct row *row, int result)
{
	uint32_t n = 0;

	for (; n < 3 && row->calves[n].name; n++)
		make(n, &row->calves[n]);
	capture_begin();
	cr_expect_eq(overlap_check(calves, n), result, "%s", row->text);
	cr_expect_str_eq(capture_text(), row->text ?: "", "%s", capture_text());
}

Test(description_overlap, rows)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i], rows[i].text ? -EINVAL : 0);
}

Test(description_overlap, keys_that_no_calf_writes)
{
	for (size_t i = 0; i < sizeof(unwritten_rows) / sizeof(unwritten_rows[0]); i++)
		check_row(&unwritten_rows[i], 0);
}

/* More than one store can have, although each calf alone is within its limits. */
Test(description_overlap, totals)
{
	static const struct {
		uint32_t count, n_each;
		bool is_persistent, is_request;
		const char *text;
	} totals[] = {
		{ 1016, 1, false, false, "" },
		{ 1017, 1, false, false,
		  "/calves/3/calf.yaml:10: the keys of all calves up to here are more than 4064\n" },
		{ 1, 80, true, false, "" },
		{ 1, 96, true, false,
		  "/calves/3/calf.yaml:42: the persistent keys of all calves up to here are more than "
		  "320\n" },
		{ 1, 80, false, true, "" },
		{ 1, 96, false, true,
		  "/calves/3/calf.yaml:42: the requests of all calves up to here are more than 320\n" },
	};
	static const char *const names[] = { "a", "b", "c", "d" };
	char path[KV_PATH_SIZE];

	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		for (uint32_t j = 0; j < N_CALVES; j++) {
			struct description *calf = set_calf(j, names[j]);

			for (uint32_t k = 0; k < totals[i].n_each; k++) {
				(void)snprintf(path, sizeof(path), "%s/%s/%u",
					       totals[i].is_request ? "/control" : "", names[j], k);
				add_key(calf, path, READ | DELETE);
				calf->keys[k].count = totals[i].count;
				calf->keys[k].persistent = totals[i].is_persistent;
			}
		}
		capture_begin();
		cr_expect_eq(overlap_check(calves, N_CALVES), totals[i].text[0] ? -EINVAL : 0);
		cr_expect_str_eq(capture_text(), totals[i].text, "%s", capture_text());
	}
}

/* One that has the host's lease, wherever it is, and seven others. */
Test(description_overlap, calves_with_frames)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i" };
	const uint32_t n = FRAME_CALVES_MAX;

	for (uint32_t i = 0; i <= n; i++) {
		make(i, &(const struct calf){
				.name = names[i],
				.frames = { { FRAME_CHECK_DHCP4, (uint16_t)(1000 + i) } } });
		calves[i].frames[0].remote_port = (uint16_t)(2000 + i);
	}
	capture_begin();
	cr_expect_eq(overlap_check(calves, n - 1), 0);
	cr_expect_str_eq(capture_text(), "");
	cr_expect_eq(overlap_check(calves, n), -EINVAL);
	cr_expect_str_eq(
		capture_text(),
		"/calves/7/calf.yaml:30: too many calves with frame rules; an instance may "
		"have one that writes \"/ip\" and 7 others\n");
	for (uint32_t i = 0; i < n; i++) {
		add_key(&calves[i], "/ip", WRITE);
		capture_begin();
		cr_expect_eq(overlap_check(calves, n), 0);
		cr_expect_str_eq(capture_text(), "");
		cr_expect_eq(overlap_check(calves, n + 1), -EINVAL);
		calves[n].n_frames = 0;
		cr_expect_eq(overlap_check(calves, n + 1), 0, "one without frames");
		calves[n].n_frames = 1;
		calves[i].n_keys = 0;
	}
}

/* A calf beside itself, and one alone. */
Test(description_overlap, one_calf)
{
	make(0,
	     &(const struct calf){ .name = "a", .keys = { { "/ip", WRITE }, { "/ntp/", WRITE } } });
	capture_begin();
	cr_assert_eq(overlap_check(calves, 1), 0);
	cr_assert_eq(overlap_check(calves, 0), 0);
	cr_assert_str_eq(capture_text(), "");
}
