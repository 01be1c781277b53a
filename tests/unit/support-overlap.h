/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptions of several calves */
#ifndef CALFPEN_TESTS_UNIT_SUPPORT_OVERLAP_H
#define CALFPEN_TESTS_UNIT_SUPPORT_OVERLAP_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "userspace/priv/description/description.h"
#include "userspace/priv/description/overlap.h"

#define READ KV_ACCESS_READ
#define WATCH KV_ACCESS_WATCH
#define WRITE KV_ACCESS_WRITE
#define DELETE KV_ACCESS_DELETE
#define OF_ANY (1u << 31) /* only in this test: "of: any" */
#define SECRET (1u << 30) /* only in this test: "secret: true" */

#define N_CALVES 4
#define N_KEYS 6
#define KEY_LINE 10 /* of the first key in a test's description; the others follow */
#define FRAME_LINE 30

static struct description calves[FRAME_CALVES_MAX + 1];

struct key {
	const char *path;
	uint32_t access; /* with OF_ANY, SECRET */
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

static inline void add_key(struct description *calf, const char *path, uint32_t access)
{
	struct key_rule *rule = &calf->keys[calf->n_keys];

	snprintf(rule->path, sizeof(rule->path), "%s", path);
	rule->access = access & ~(OF_ANY | SECRET);
	rule->secret = access & SECRET;
	calf->key_lines[calf->n_keys] = KEY_LINE + calf->n_keys;
	calf->keys_of_any[calf->n_keys] = access & OF_ANY;
	calf->n_keys++;
}

static inline void add_frame(struct description *calf, const struct frame *frame)
{
	struct frame_rule *rule = &calf->frames[calf->n_frames];

	rule->check = frame->check;
	rule->local_port = frame->local_port;
	rule->remote_port = frame->remote_port;
	calf->frame_lines[calf->n_frames] = FRAME_LINE + calf->n_frames;
	calf->n_frames++;
}

/* Calf number i, in the directory /calves/I. */
static inline struct description *set_calf(uint32_t i, const char *name)
{
	struct description *calf = &calves[i];

	snprintf(calf->name, sizeof(calf->name), "%s", name);
	snprintf(calf->directory, sizeof(calf->directory), "/calves/%u", i);
	calf->name_line = 3 + i;
	calf->n_keys = calf->n_frames = 0;
	return calf;
}

static inline void make(uint32_t i, const struct calf *from)
{
	struct description *calf = set_calf(i, from->name);

	for (uint32_t j = 0; j < N_KEYS && from->keys[j].path; j++)
		add_key(calf, from->keys[j].path, from->keys[j].access);
	for (uint32_t j = 0; j < 2 && from->frames[j].check; j++)
		add_frame(calf, &from->frames[j]);
}

#endif
