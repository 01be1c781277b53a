/* SPDX-License-Identifier: Apache-2.0 */
/* The check of calves beside each other, compared with a slow model of it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/capture.h"
#include "tests/unit/support-overlap.h"
#include "userspace/priv/description/overlap.h"

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

/* The secret of a calf that another calf may read, NULL if there is none. */
static const char *model_secret(const struct description *own, int own_entry,
				const struct description *other, int other_entry)
{
	for (size_t i = 0; i < N_UNIVERSE; i++) {
		int found = model_entry(own, universe[i]),
		    written = model_entry(other, universe[i]);

		if (found >= 0 && (own->keys[found].access & (READ | WATCH)) && written >= 0 &&
		    other->keys[written].secret && (own_entry < 0 || own_entry == found) &&
		    (other_entry < 0 || other_entry == written))
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
						model_secret(&calves[i], -1, &calves[j], -1)  ?:
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
	char what[16], verb[4], path[KV_PATH_SIZE], other_path[KV_PATH_SIZE];
	int a, b;

	if (sscanf(text,
		   "/calves/%u/calf.yaml:%u: %15s \"%63[^\"]\": /calves/%u/calf.yaml:%u %3s%*[^\"]"
		   "\"%63[^\"]\"",
		   &own, &own_line, what, path, &other, &other_line, verb, other_path) != 8)
		return false;
	a = (int)own_line - KEY_LINE;
	b = (int)other_line - KEY_LINE;
	return own < N_CALVES && other < N_CALVES && own != other && a >= 0 && b >= 0 &&
	       strcmp(calves[own].keys[a].path, path) == 0 &&
	       strcmp(calves[other].keys[b].path, other_path) == 0 &&
	       (strcmp(verb, "has") == 0  ? model_secret(&calves[own], a, &calves[other], b) :
		strcmp(what, "path") == 0 ? model_shared(&calves[own], a, &calves[other], b) :
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
	static const uint32_t changes[] = { WRITE,	    DELETE,
					    READ | WRITE,   WRITE | DELETE,
					    WRITE | SECRET, READ | WRITE | DELETE | SECRET };
	static const uint32_t reads[] = { READ, READ | WATCH };
	static const char *const names[N_CALVES] = { "a", "b", "c", "d" };
	struct description *calf = set_calf(i, names[i]);
	uint32_t n = draw(N_KEYS + 1), first = draw(N_DRAWN), step = 1 + draw(N_DRAWN - 1);

	/* N_DRAWN is a prime number */
	for (uint32_t j = 0; j < n; j++)
		add_key(calf, drawn_paths[(first + j * step) % N_DRAWN],
			draw(3) ? reads[draw(2)] | (draw(8) ? OF_ANY : 0) : changes[draw(6)]);
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
