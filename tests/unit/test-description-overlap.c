/* SPDX-License-Identifier: Apache-2.0 */
/* Calves of an instance beside each other: names, keys and frames of one calf only. */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/capture.h"
#include "userspace/priv/description/overlap.h"

#define READ KV_ACCESS_READ
#define WATCH KV_ACCESS_WATCH
#define WRITE KV_ACCESS_WRITE
#define DELETE KV_ACCESS_DELETE
#define OF_ANY (1u << 31) /* only in this test: "of: any" */

#define N_CALVES 4
#define N_KEYS 6
#define KEY_LINE 10 /* of the first key in a test's description; the others follow */
#define FRAME_LINE 30

static struct description calves[FRAME_CALVES_MAX + 1];

struct key {
	const char *path;
	uint32_t access; /* with OF_ANY */
};

struct frame {
	enum frame_check check;
	uint16_t local_port, remote_port;
};

struct calf {
	const char *name;
	struct key keys[N_KEYS];
	struct frame frames[2];
};

static void add_key(struct description *calf, const char *path, uint32_t access)
{
	struct key_rule *rule = &calf->keys[calf->n_keys];

	snprintf(rule->path, sizeof(rule->path), "%s", path);
	rule->access = access & ~OF_ANY;
	calf->key_lines[calf->n_keys] = KEY_LINE + calf->n_keys;
	calf->keys_of_any[calf->n_keys] = access & OF_ANY;
	calf->n_keys++;
}

static void add_frame(struct description *calf, const struct frame *frame)
{
	struct frame_rule *rule = &calf->frames[calf->n_frames];

	rule->check = frame->check;
	rule->local_port = frame->local_port;
	rule->remote_port = frame->remote_port;
	calf->frame_lines[calf->n_frames] = FRAME_LINE + calf->n_frames;
	calf->n_frames++;
}

/* Calf number i, in the directory /calves/I. */
static struct description *set_calf(uint32_t i, const char *name)
{
	struct description *calf = &calves[i];

	snprintf(calf->name, sizeof(calf->name), "%s", name);
	snprintf(calf->directory, sizeof(calf->directory), "/calves/%u", i);
	calf->name_line = 3 + i;
	calf->n_keys = calf->n_frames = 0;
	return calf;
}

static void make(uint32_t i, const struct calf *from)
{
	struct description *calf = set_calf(i, from->name);

	for (uint32_t j = 0; j < N_KEYS && from->keys[j].path; j++)
		add_key(calf, from->keys[j].path, from->keys[j].access);
	for (uint32_t j = 0; j < 2 && from->frames[j].check; j++)
		add_frame(calf, &from->frames[j]);
}

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

/*
 * The slow model: all keys of a small store, one after the other. The segment "z" is in
 * no entry of a description, so that of each directory there is a key that has none.
 */
static const char *const universe[] = {
	"/a",	  "/b",	    "/z",     "/a/a",	"/a/b",	  "/a/z",   "/b/a",
	"/b/b",	  "/b/z",   "/a/a/a", "/a/a/b", "/a/a/z", "/a/b/a", "/a/b/b",
	"/a/b/z", "/b/a/a", "/b/a/b", "/b/a/z", "/b/b/a", "/b/b/b", "/b/b/z",
};
#define N_UNIVERSE (sizeof(universe) / sizeof(universe[0]))

/* What the draws choose from. */
static const char *const drawn_paths[] = {
	"/a", "/b", "/a/", "/b/", "/a/a", "/a/b", "/b/a", "/b/b", "/a/a/", "/a/b/", "/b/a/",
};
#define N_DRAWN (sizeof(drawn_paths) / sizeof(drawn_paths[0]))

/* Number of the entry for a key: its own, else that of its directory; -1 if there is none. */
static int model_entry(const struct description *calf, const char *path)
{
	int directory = -1;

	for (uint32_t i = 0; i < calf->n_keys; i++) {
		const char *own = calf->keys[i].path;
		size_t length = strlen(own);

		if (strcmp(own, path) == 0)
			return (int)i;
		if (own[length - 1] == '/' && strncmp(own, path, length) == 0 &&
		    strrchr(path, '/') == path + length - 1)
			directory = (int)i;
	}
	return directory;
}

static bool model_may_change(const struct description *calf, int entry)
{
	return entry >= 0 && (calf->keys[entry].access & (WRITE | DELETE));
}

/* The key that two calves may change by these entries (-1: by any), NULL if there is none. */
static const char *model_shared(const struct description *a, int entry_a,
				const struct description *b, int entry_b)
{
	for (size_t i = 0; i < N_UNIVERSE; i++) {
		int found_a = model_entry(a, universe[i]), found_b = model_entry(b, universe[i]);

		if (model_may_change(a, found_a) && model_may_change(b, found_b) &&
		    (entry_a < 0 || entry_a == found_a) && (entry_b < 0 || entry_b == found_b))
			return universe[i];
	}
	return NULL;
}

/* The key in a directory of a calf that another calf may change, NULL if there is none. */
static const char *model_foreign(const struct description *own, int own_entry,
				 const struct description *other, int other_entry)
{
	for (size_t i = 0; i < N_UNIVERSE; i++) {
		int found = model_entry(own, universe[i]),
		    changed = model_entry(other, universe[i]);

		if (found >= 0 && strcmp(own->keys[found].path, universe[i]) != 0 &&
		    !own->keys_of_any[found] && model_may_change(other, changed) &&
		    (own_entry < 0 || own_entry == found) &&
		    (other_entry < 0 || other_entry == changed))
			return universe[i];
	}
	return NULL;
}

#define PORTS_END 6 /* ports are drawn below it, from 1 on */

/* Returns true if the calf gets replies to this port, or (is_out) may send to it; port 0 is
 * ARP. By a certain rule, or any (-1). */
static bool model_has_port(const struct description *calf, int rule, uint32_t port, bool is_out)
{
	for (uint32_t i = 0; i < calf->n_frames; i++) {
		const struct frame_rule *frame = &calf->frames[i];
		bool is_arp = frame->check == FRAME_CHECK_ARP;

		if (rule >= 0 && rule != (int)i)
			continue;
		if (port == 0 ?
			    is_arp :
			    !is_arp && port == (is_out ? frame->remote_port : frame->local_port))
			return true;
	}
	return false;
}

/* Returns true if two calves would both get, or send, the same by these rules. */
static bool model_frames(const struct description *a, int rule_a, const struct description *b,
			 int rule_b, bool is_out)
{
	for (uint32_t port = 0; port < PORTS_END; port++)
		if (model_has_port(a, rule_a, port, is_out) &&
		    model_has_port(b, rule_b, port, is_out))
			return true;
	return false;
}

static const char *model_refuses(uint32_t n)
{
	const char *shared = NULL;

	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < n && !shared; j++)
			if (i != j)
				shared =
					model_shared(&calves[i], -1, &calves[j], -1)	      ?:
						model_foreign(&calves[i], -1, &calves[j], -1) ?:
						(model_frames(&calves[i], -1, &calves[j], -1, false) ? "a frame" : NULL) ?:
						(model_frames(&calves[i], -1, &calves[j], -1,
							      true) ?
							 "a server" :
							 NULL);
	return shared;
}

/* Returns true if a calf other than number i may write a key that its entry lets it read. */
static bool model_is_provided(uint32_t n, uint32_t i, int entry)
{
	for (size_t k = 0; k < N_UNIVERSE; k++)
		for (uint32_t j = 0; j < n; j++) {
			int found = model_entry(&calves[j], universe[k]);

			if (j != i && found >= 0 && (calves[j].keys[found].access & WRITE) &&
			    model_entry(&calves[i], universe[k]) == entry)
				return true;
		}
	return false;
}

/* The lines about keys of any calf that no calf writes. */
static const char *model_reports(uint32_t n)
{
	static char text[8192];
	size_t used = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < calves[i].n_keys; j++)
			if (calves[i].keys_of_any[j] && !model_is_provided(n, i, (int)j))
				used += (size_t)snprintf(text + used, sizeof(text) - used,
							 "/calves/%u/calf.yaml:%u: no calf of this "
							 "instance writes \"%s\"\n",
							 i, KEY_LINE + j, calves[i].keys[j].path);
	return text;
}

/* The two rules in the message have in common what it says. */
static bool names_true_rules(const char *text)
{
	unsigned int own, other, own_line, other_line;
	char thing[8];

	if (sscanf(text,
		   "/calves/%u/calf.yaml:%u: frame rule %*[^/]/calves/%u/calf.yaml:%u; a %7s is "
		   "for",
		   &own, &own_line, &other, &other_line, thing) != 5)
		return false;
	return own < N_CALVES && other < N_CALVES && own != other &&
	       model_frames(&calves[own], (int)own_line - FRAME_LINE, &calves[other],
			    (int)other_line - FRAME_LINE, strcmp(thing, "server") == 0);
}

/* The two entries in the message are ones by which the calves may change one key, or
 * by which one of them may change what is in the other's directory. */
static bool names_true_entries(const char *text)
{
	unsigned int own, other, own_line, other_line;
	char what[16], path[KV_PATH_SIZE], other_path[KV_PATH_SIZE];
	int a, b;

	if (sscanf(text,
		   "/calves/%u/calf.yaml:%u: %15s \"%63[^\"]\": /calves/%u/calf.yaml:%u may write "
		   "or delete \"%63[^\"]\"",
		   &own, &own_line, what, path, &other, &other_line, other_path) != 7)
		return false;
	a = (int)own_line - KEY_LINE;
	b = (int)other_line - KEY_LINE;
	return own < N_CALVES && other < N_CALVES && own != other && a >= 0 && b >= 0 &&
	       strcmp(calves[own].keys[a].path, path) == 0 &&
	       strcmp(calves[other].keys[b].path, other_path) == 0 &&
	       (strcmp(what, "path") == 0 ? model_shared(&calves[own], a, &calves[other], b) :
					    model_foreign(&calves[own], a, &calves[other], b));
}

static uint64_t random_state;

static uint32_t draw(uint32_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33) % n;
}

/* Different paths, most of them to read only, and few frame rules; otherwise hardly any draw
 * is accepted. */
static void draw_calf(uint32_t i)
{
	static const uint32_t changes[] = { WRITE, DELETE, READ | WRITE, WRITE | DELETE };
	static const uint32_t reads[] = { READ, READ | WATCH };
	static const char *const names[N_CALVES] = { "a", "b", "c", "d" };
	struct description *calf = set_calf(i, names[i]);
	uint32_t n = draw(N_KEYS + 1), first = draw(N_DRAWN), step = 1 + draw(N_DRAWN - 1);

	/* N_DRAWN is a prime number */
	for (uint32_t j = 0; j < n; j++)
		add_key(calf, drawn_paths[(first + j * step) % N_DRAWN],
			draw(3) ? reads[draw(2)] | (draw(8) ? OF_ANY : 0) : changes[draw(4)]);
	for (uint32_t j = 0; j < 2 && draw(3) == 0; j++) {
		const uint16_t local = (uint16_t)(1 + draw(PORTS_END - 1));
		const struct frame arp = { FRAME_CHECK_ARP, 0, 0 },
				   dhcp4 = { FRAME_CHECK_DHCP4, local,
					     (uint16_t)(1 + draw(PORTS_END - 1)) };

		add_frame(calf, draw(4) ? &dhcp4 : &arp);
	}
}

Test(description_overlap, slow_model)
{
	const uint32_t n_draws = 20000;
	uint64_t seed = strtoull(getenv("CALFPEN_SEED") ?: "17", NULL, 10);
	uint32_t n_refused = 0;

	random_state = seed;
	for (uint32_t i = 0; i < n_draws; i++) {
		uint32_t n = 2 + draw(N_CALVES - 1);
		const char *shared;
		int r;

		for (uint32_t j = 0; j < n; j++)
			draw_calf(j);
		shared = model_refuses(n);
		capture_begin();
		r = overlap_check(calves, n);
		cr_assert_eq(r, shared ? -EINVAL : 0, "seed %" PRIu64 ", draw %u: %s; %s", seed, i,
			     shared ?: "no key is shared", capture_text());
		if (r)
			cr_assert(names_true_entries(capture_text()) ||
					  names_true_rules(capture_text()),
				  "seed %" PRIu64 ", draw %u: %s", seed, i, capture_text());
		else
			cr_assert_str_eq(capture_text(), model_reports(n),
					 "seed %" PRIu64 ", draw %u: %s", seed, i, capture_text());
		n_refused += r != 0;
	}
	printf("description_overlap: seed %" PRIu64 ": %u of %u draws refused\n", seed, n_refused,
	       n_draws);
	cr_assert(n_refused > n_draws / 5 && n_refused < n_draws / 5 * 4, "%u", n_refused);
}
