/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same message in other segments: every object of a valid message of one
 * segment is moved to a segment at random and referred to by a near, a far
 * (its pad before or behind the object) or a double far pointer. It knows
 * nothing of the schema and trusts its input.
 */
#ifndef CALFPEN_TESTS_WIRE_SPLIT_H
#define CALFPEN_TESTS_WIRE_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "userspace/common/wire.h"

#define SPLIT_WORDS_MAX (WIRE_FRAME_MAX / 8)

struct split {
	uint64_t random;
	uint32_t n_segments;
	bool is_full;
	size_t n_words; /* of all segments */
	size_t n_fars, n_doubles;
	size_t n[WIRE_SEGMENTS_MAX];
	uint64_t words[WIRE_SEGMENTS_MAX][SPLIT_WORDS_MAX];
};

static inline uint32_t split_random(struct split *split, uint32_t below)
{
	split->random = split->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(split->random >> 33) % below;
}

static inline size_t split_allocate(struct split *split, uint32_t segment, size_t n_words)
{
	size_t at = split->n[segment];

	if (n_words > SPLIT_WORDS_MAX - at) {
		split->is_full = true;
		return 0;
	}
	split->n[segment] += n_words;
	split->n_words += n_words;
	return at;
}

/* An object: where it is read, where it was put, what words it has. */
struct split_object {
	size_t from;
	size_t n_words;
	uint32_t segment;
	size_t to;
	uint64_t pointer; /* kind and sizes, offset 0 */
};

static inline uint64_t split_near(const struct split_object *object, size_t at)
{
	return object->pointer | ((uint64_t)(object->to - at - 1) << 2 & UINT32_MAX);
}

static inline uint64_t split_far(uint32_t segment, size_t at, bool is_double)
{
	return 2 | (uint64_t)is_double << 2 | (uint64_t)at << 3 | (uint64_t)segment << 32;
}

/* Find room for an object, and the pointer to it for word `at` of `segment`. */
static inline uint64_t split_place(struct split *split, struct split_object *object,
				   uint32_t segment, size_t at)
{
	uint32_t pad_segment;
	size_t pad;

	object->segment = split_random(split, split->n_segments);
	if (split_random(split, 3) == 0)
		object->segment = segment;
	if (object->segment == segment && split_random(split, 4) > 0) {
		object->to = split_allocate(split, segment, object->n_words);
		return split_near(object, at);
	}
	split->n_fars++;
	if (split_random(split, 3) > 0) {
		bool is_behind = split_random(split, 2);

		if (is_behind)
			object->to = split_allocate(split, object->segment, object->n_words);
		pad = split_allocate(split, object->segment, 1);
		if (!is_behind)
			object->to = split_allocate(split, object->segment, object->n_words);
		split->words[object->segment][pad] = split_near(object, pad);
		return split_far(object->segment, pad, false);
	}
	split->n_doubles++;
	object->to = split_allocate(split, object->segment, object->n_words);
	pad_segment = split_random(split, split->n_segments);
	pad = split_allocate(split, pad_segment, 2);
	if (split->is_full)
		return 0;
	split->words[pad_segment][pad] = split_far(object->segment, object->to, false);
	split->words[pad_segment][pad + 1] = object->pointer;
	return split_far(pad_segment, pad, true);
}

/* Copy the object that word `from` refers to, and those below it, and let
 * word `at` of `segment` refer to the copy. */
static inline void split_copy(struct split *split, const uint64_t *words, size_t from,
			      uint32_t segment, size_t at)
{
	uint64_t pointer = words[from];
	struct split_object object = { .pointer = pointer & ~0xfffffffcull };
	size_t n_structs = 0, n_data = 0, n_pointers = 0, count = pointer >> 35, body;

	split->words[segment][at] = 0;
	if (pointer == 0 || split->is_full)
		return;
	object.from = from + 1 + (size_t)((int32_t)(uint32_t)pointer >> 2);
	body = object.from;
	if ((pointer & 3) == 0) {
		n_structs = 1;
		n_data = pointer >> 32 & 0xffff;
		n_pointers = pointer >> 48;
		object.n_words = n_data + n_pointers;
	} else if ((pointer >> 32 & 7) == 2) {
		object.n_words = (count + 7) / 8;
	} else if ((pointer >> 32 & 7) == 6) {
		n_structs = count;
		n_pointers = 1;
		object.n_words = count;
	} else {
		n_structs = (uint32_t)words[body] >> 2;
		n_data = words[body] >> 32 & 0xffff;
		n_pointers = words[body] >> 48;
		object.n_words = count + 1;
		body++;
	}
	split->words[segment][at] = split_place(split, &object, segment, at);
	if (split->is_full)
		return;
	memcpy(&split->words[object.segment][object.to], words + object.from, object.n_words * 8);
	body -= object.from;
	for (size_t i = 0; i < n_structs; i++) {
		body += n_data;
		for (size_t j = 0; j < n_pointers; j++, body++)
			split_copy(split, words, object.from + body, object.segment,
				   object.to + body);
	}
}

/* Split a frame of one segment into `n_segments`, by these random numbers:
 * bytes of the new frame, or 0 if it does not fit into `size`. */
static inline size_t split_frame(struct split *split, const uint8_t *frame, size_t frame_size,
				 uint32_t n_segments, uint64_t random, uint8_t *to, size_t size)
{
	static uint64_t words[SPLIT_WORDS_MAX];
	size_t at = (4 + 4 * (size_t)n_segments + 7) & ~(size_t)7;

	memcpy(words, frame + 8, frame_size - 8);
	memset(split->n, 0, sizeof(split->n));
	split->random = random;
	split->n_segments = n_segments;
	split->is_full = false;
	split->n_words = split->n_fars = split->n_doubles = 0;
	split_copy(split, words, 0, 0, split_allocate(split, 0, 1));
	if (split->is_full || at + split->n_words * 8 > size)
		return 0;
	memset(to, 0, at);
	memcpy(to, &(uint32_t){ n_segments - 1 }, 4);
	for (uint32_t i = 0; i < n_segments; i++) {
		memcpy(to + 4 + 4 * (size_t)i, &(uint32_t){ (uint32_t)split->n[i] }, 4);
		memcpy(to + at, split->words[i], split->n[i] * 8);
		at += split->n[i] * 8;
	}
	return at;
}

#endif
