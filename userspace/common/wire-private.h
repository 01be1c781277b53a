/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the decoder share: the message as segments, and what a
 * pointer in it leads to (wire_pointer.c). The schema is wire.c's.
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

/* A whole frame that is read; only the first n_segments are set. */
struct wire_message {
	size_t budget; /* words that may still be looked at */
	uint32_t n_segments;
	struct wire_segment {
		const uint8_t *bytes;
		size_t n_words;
	} segments[WIRE_SEGMENTS_MAX];
};

/* A word in it: the segment exists; `at` is compared before it is used. */
struct wire_position {
	uint32_t segment;
	size_t at;
};

/* A struct in it. Absent words read as zero, absent pointers as null. */
struct wire_view {
	struct wire_position at;
	size_t n_data;
	size_t n_pointers;
};

/* A list in it: `count` elements, or body words if composite. */
struct wire_list {
	struct wire_position at;
	size_t count;
};

/* Check the table of one whole frame, find its segments, fill the budget. */
int wire_message_init(struct wire_message *message, const uint8_t *frame, size_t size);
/* `n_words` words at `at` lie inside its segment and are paid for: 0,
 * -EBADMSG or -ELOOP. */
int wire_message_charge(struct wire_message *message, const struct wire_position *at,
			uint64_t n_words);
/* The word there; 0 outside of its segment. */
uint64_t wire_message_word(const struct wire_message *message, const struct wire_position *at);
/* The bytes there. */
const uint8_t *wire_message_bytes(const struct wire_message *message,
				  const struct wire_position *at);
/* The position of bytes that a view of the same frame begins with. */
int wire_message_find(const struct wire_message *message, const struct wire_data *view,
		      struct wire_position *atp);

/*
 * The struct that the pointer at `at` leads to, in bounds and paid for: 1, 0
 * if the pointer is null (*viewp is empty then), or -EBADMSG, -ELOOP, -EPROTO.
 */
int wire_read_struct(struct wire_message *message, const struct wire_position *at,
		     struct wire_view *viewp);
/* The list of such elements, as wire_read_struct(); *listp is untouched if
 * the pointer is null. The tag word of a composite list is paid for too. */
int wire_read_list(struct wire_message *message, const struct wire_position *at,
		   enum wire_element element, struct wire_list *listp);
/*
 * The composite list in pointer `i` of a struct, and its tag word: the number
 * of elements and the first of them, which have at least this many words and
 * pointers. 1 or 0 or an error as above. `bodyp` is the list as bytes.
 */
int wire_read_composite(struct wire_message *message, const struct wire_view *view, size_t i,
			size_t min_data, size_t min_pointers, struct wire_view *firstp,
			size_t *countp, struct wire_data *bodyp);
/* The i-th element of the composite list that `body` is, checked before. */
int wire_composite_element(struct wire_message *message, const struct wire_data *body, size_t i,
			   struct wire_view *viewp);

/* The data word `i` of a struct; 0 if it is shorter. */
uint64_t wire_view_word(const struct wire_message *message, const struct wire_view *view, size_t i);
/* The place of pointer `i` of a struct; false if it is shorter. */
bool wire_view_pointer(const struct wire_view *view, size_t i, struct wire_position *atp);

#endif
