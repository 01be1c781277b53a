/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the files of the decoder: a message as segments, and following the
 * pointers in it (wire_pointer.c). wire.c knows the schema.
 */
#ifndef CALFPEN_COMMON_WIRE_PRIVATE_H
#define CALFPEN_COMMON_WIRE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/common/wire.h"

#define WIRE_WORD 8u

/* Element size of a list pointer: its bits 32..34. */
enum wire_element {
	WIRE_ELEMENT_BYTE = 2,
	WIRE_ELEMENT_POINTER = 6,
	WIRE_ELEMENT_COMPOSITE = 7,
};

/* A complete frame that is being read; only the first n_segments are set. */
struct wire_message {
	size_t budget; /* words that may still be read */
	uint32_t n_segments;
	struct wire_segment {
		const uint8_t *bytes;
		size_t n_words;
	} segments[WIRE_SEGMENTS_MAX];
};

/* A word of the message. The segment exists; `at` is checked before it is
 * used. */
struct wire_position {
	uint32_t segment;
	size_t at;
};

/* A struct of the message. Absent words read as zero, absent pointers as
 * null. */
struct wire_view {
	struct wire_position at;
	size_t n_data;
	size_t n_pointers;
};

/* A list of the message: `count` elements, or body words if it is composite. */
struct wire_list {
	struct wire_position at;
	size_t count;
};

/* Check the segment table of a complete frame, find its segments, fill the
 * budget. Returns 0, -EMSGSIZE or -EBADMSG. */
int wire_message_init(struct wire_message *message, const uint8_t *frame, size_t size);
/* Check that `n_words` words at `at` are inside the segment, and charge them to
 * the budget. Returns 0, -EBADMSG or -ELOOP. */
int wire_message_charge(struct wire_message *message, const struct wire_position *at,
			uint64_t n_words);
/* Return the word at `at`, or 0 if that is outside of its segment. */
uint64_t wire_message_word(const struct wire_message *message, const struct wire_position *at);
/* Return a pointer to the bytes at `at`. */
const uint8_t *wire_message_bytes(const struct wire_message *message,
				  const struct wire_position *at);
/* Find the position of the first byte of a view of the same frame. Returns 0 or
 * -EBADMSG. */
int wire_message_find(const struct wire_message *message, const struct wire_data *view,
		      struct wire_position *atp);

/*
 * Read the pointer at `at` to a struct, check its bounds and charge it. Returns
 * 1; 0 if the pointer is null, then *viewp is empty; -EBADMSG, -ELOOP or
 * -EPROTO.
 */
int wire_read_struct(struct wire_message *message, const struct wire_position *at,
		     struct wire_view *viewp);
/* Read the pointer at `at` to a list of such elements, as wire_read_struct();
 * if the pointer is null, *listp is unchanged. The tag word of a composite list
 * is charged, too. */
int wire_read_list(struct wire_message *message, const struct wire_position *at,
		   enum wire_element element, struct wire_list *listp);
/*
 * Read pointer `i` of a struct, which leads to a composite list, and its tag
 * word: store the number of elements, the first element, and the list as bytes.
 * Each element must have at least `min_data` words and `min_pointers` pointers.
 * Returns as wire_read_struct().
 */
int wire_read_composite(struct wire_message *message, const struct wire_view *view, size_t i,
			size_t min_data, size_t min_pointers, struct wire_view *firstp,
			size_t *countp, struct wire_data *bodyp);
/* Find the i-th element of a composite list, whose bytes `body` were checked
 * before. Returns 0, or a negative errno. */
int wire_composite_element(struct wire_message *message, const struct wire_data *body, size_t i,
			   struct wire_view *viewp);

/* Return data word `i` of a struct, or 0 if the struct is shorter. */
uint64_t wire_view_word(const struct wire_message *message, const struct wire_view *view, size_t i);
/* Store the position of pointer `i` of a struct. Returns false if the struct is
 * shorter. */
bool wire_view_pointer(const struct wire_view *view, size_t i, struct wire_position *atp);

#endif
