/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Segments and pointers. A position is a segment and a word index, which
 * is compared as a distance before it is used; no object crosses the end of its
 * segment. A pointer is followed over at most one far hop, single or double.
 * The budget is the number of words of the message; every body and every
 * landing pad is charged to it. A well-formed message touches each word at most
 * once, so overlapping and cyclic messages exhaust the budget. No recursion, no
 * allocation.
 */
#include "userspace/common/wire-private.h"

#include <errno.h>

#include "userspace/common/bytes.h"

/* Kinds of pointers: bits 0..1. */
enum { KIND_STRUCT = 0, KIND_LIST = 1, KIND_FAR = 2 };
#define KIND_MASK 3u
#define FAR_DOUBLE 4u /* bit 2 of a far pointer: its landing pad has two words */

/* A pointer after its far hop was followed. */
struct target {
	uint64_t pointer; /* kind and sizes; its offset is already applied */
	struct wire_position at;
};

/* Return the size of the segment table in bytes. */
static size_t table_size(uint64_t n_segments)
{
	return (size_t)((4 + 4 * n_segments + 7) & ~7ull);
}

int wire_frame_size(const uint8_t *bytes, size_t size)
{
	struct bytes_reader reader;
	uint64_t n_segments, n_words = 0;

	bytes_reader_init(&reader, bytes, size);
	if (bytes_left(&reader) < 4)
		return 0;
	n_segments = (uint64_t)bytes_le32(&reader) + 1;
	if (n_segments > WIRE_SEGMENTS_MAX)
		return -EMSGSIZE;
	for (uint64_t i = 0; i < n_segments; i++) {
		if (bytes_left(&reader) < 4)
			return 0;
		n_words += bytes_le32(&reader);
		if (n_words == 0 || table_size(n_segments) + n_words * WIRE_WORD > WIRE_FRAME_MAX)
			return -EMSGSIZE;
	}
	if (size < table_size(n_segments))
		return 0;
	return (int)(table_size(n_segments) + n_words * WIRE_WORD);
}

int wire_message_init(struct wire_message *message, const uint8_t *frame, size_t size)
{
	int frame_size = wire_frame_size(frame, size);
	struct bytes_reader table, body;

	if (frame_size < 0)
		return frame_size;
	if (frame_size == 0 || (size_t)frame_size != size)
		return -EBADMSG;
	bytes_reader_init(&table, frame, size);
	message->n_segments = bytes_le32(&table) + 1;
	message->budget = (size - table_size(message->n_segments)) / WIRE_WORD;
	bytes_reader_init(&body, frame, size);
	bytes_skip(&body, table_size(message->n_segments));
	for (uint32_t i = 0; i < message->n_segments; i++) {
		struct wire_segment *segment = &message->segments[i];

		segment->n_words = bytes_le32(&table);
		segment->bytes = bytes_view(&body, segment->n_words * WIRE_WORD);
	}
	return 0;
}

int wire_message_charge(struct wire_message *message, const struct wire_position *at,
			uint64_t n_words)
{
	size_t max_words = message->segments[at->segment].n_words;

	if (at->at > max_words || n_words > max_words - at->at)
		return -EBADMSG;
	if (n_words > message->budget)
		return -ELOOP;
	message->budget -= (size_t)n_words;
	return 0;
}

uint64_t wire_message_word(const struct wire_message *message, const struct wire_position *at)
{
	const struct wire_segment *segment = &message->segments[at->segment];
	struct bytes_reader reader;

	bytes_reader_init(&reader, segment->bytes, segment->n_words * WIRE_WORD);
	bytes_skip(&reader, at->at * WIRE_WORD);
	return bytes_le64(&reader);
}

const uint8_t *wire_message_bytes(const struct wire_message *message,
				  const struct wire_position *at)
{
	return message->segments[at->segment].bytes + at->at * WIRE_WORD;
}

int wire_message_find(const struct wire_message *message, const struct wire_data *view,
		      struct wire_position *atp)
{
	for (uint32_t i = 0; i < message->n_segments; i++) {
		const struct wire_segment *segment = &message->segments[i];
		uintptr_t distance = (uintptr_t)view->bytes - (uintptr_t)segment->bytes;

		if (view->bytes && distance < segment->n_words * WIRE_WORD) {
			*atp = (struct wire_position){ i, distance / WIRE_WORD };
			return 0;
		}
	}
	return -EBADMSG;
}

/* Apply the offset of the pointer at `at`, in the same segment. */
static int near_target(const struct wire_message *message, const struct wire_position *at,
		       uint64_t pointer, struct target *targetp)
{
	int64_t target = (int64_t)at->at + 1 + ((int32_t)(uint32_t)pointer >> 2);

	if (target < 0 || target > (int64_t)message->segments[at->segment].n_words)
		return -EBADMSG;
	*targetp = (struct target){ pointer, { at->segment, (size_t)target } };
	return 0;
}

/* Get the segment and word to which a far pointer points. */
static int far_position(const struct wire_message *message, uint64_t pointer,
			struct wire_position *atp)
{
	uint64_t segment = pointer >> 32;
	size_t at = (uint32_t)pointer >> 3;

	if (segment >= message->n_segments || at > message->segments[segment].n_words)
		return -EBADMSG;
	*atp = (struct wire_position){ (uint32_t)segment, at };
	return 0;
}

/*
 * Follow a far pointer. A landing pad of one word is itself a pointer, which
 * may not be far or null. A landing pad of two words is a far pointer to the
 * content and a tag, whose offset has no meaning.
 */
static int far_target(struct wire_message *message, uint64_t pointer, unsigned int kind,
		      struct target *targetp)
{
	bool is_double = pointer & FAR_DOUBLE;
	struct wire_position pad;
	uint64_t word;
	int r = far_position(message, pointer, &pad);

	if (r < 0)
		return r;
	r = wire_message_charge(message, &pad, is_double ? 2 : 1);
	if (r < 0)
		return r;
	word = wire_message_word(message, &pad);
	if (!is_double) {
		if (word == 0 || (word & KIND_MASK) != kind)
			return -EPROTO;
		return near_target(message, &pad, word, targetp);
	}
	if ((word & (KIND_MASK | FAR_DOUBLE)) != KIND_FAR)
		return -EPROTO;
	r = far_position(message, word, &targetp->at);
	if (r < 0)
		return r;
	pad.at++;
	targetp->pointer = wire_message_word(message, &pad);
	if (targetp->pointer == 0 || (targetp->pointer & KIND_MASK) != kind)
		return -EPROTO;
	return 0;
}

/* Follow the pointer at `at`, which must be of this kind. Returns 1, 0 if it is
 * null, or a negative errno. */
static int resolve(struct wire_message *message, const struct wire_position *at, unsigned int kind,
		   struct target *targetp)
{
	uint64_t pointer = wire_message_word(message, at);
	int r;

	if (pointer == 0)
		return 0;
	if ((pointer & KIND_MASK) == KIND_FAR)
		r = far_target(message, pointer, kind, targetp);
	else if ((pointer & KIND_MASK) == kind)
		r = near_target(message, at, pointer, targetp);
	else
		r = -EPROTO;
	return r < 0 ? r : 1;
}

int wire_read_struct(struct wire_message *message, const struct wire_position *at,
		     struct wire_view *viewp)
{
	struct wire_view view;
	struct target target;
	int r;

	*viewp = (struct wire_view){ 0 };
	r = resolve(message, at, KIND_STRUCT, &target);
	if (r <= 0)
		return r;
	view.at = target.at;
	view.n_data = target.pointer >> 32 & 0xffff;
	view.n_pointers = target.pointer >> 48;
	r = wire_message_charge(message, &view.at, view.n_data + view.n_pointers);
	if (r < 0)
		return r;
	*viewp = view;
	return 1;
}

int wire_read_list(struct wire_message *message, const struct wire_position *at,
		   enum wire_element element, struct wire_list *listp)
{
	struct target target;
	uint64_t count, n_words;
	int r = resolve(message, at, KIND_LIST, &target);

	if (r <= 0)
		return r;
	if ((target.pointer >> 32 & 7) != element)
		return -EPROTO;
	count = target.pointer >> 35; /* 29 bits: the sums below cannot wrap */
	if (element == WIRE_ELEMENT_BYTE)
		n_words = (count + WIRE_WORD - 1) / WIRE_WORD;
	else
		n_words = count + (element == WIRE_ELEMENT_COMPOSITE);
	r = wire_message_charge(message, &target.at, n_words);
	if (r < 0)
		return r;
	*listp = (struct wire_list){ target.at, (size_t)count };
	return 1;
}

/* Read the tag word, at `at`, of a composite list of `n_words` words. */
static int read_tag(const struct wire_message *message, const struct wire_position *at,
		    size_t n_words, size_t *countp, struct wire_view *firstp)
{
	uint64_t tag = wire_message_word(message, at);
	size_t count = (uint32_t)tag >> 2; /* 30 bits, times 17 bits: no wrap */
	struct wire_view view = {
		.at = { at->segment, at->at + 1 },
		.n_data = tag >> 32 & 0xffff,
		.n_pointers = tag >> 48,
	};

	if ((tag & KIND_MASK) != KIND_STRUCT)
		return -EPROTO;
	if ((uint64_t)count * (view.n_data + view.n_pointers) > n_words)
		return -EBADMSG;
	*countp = count;
	*firstp = view;
	return 0;
}

int wire_read_composite(struct wire_message *message, const struct wire_view *view, size_t i,
			size_t min_data, size_t min_pointers, struct wire_view *firstp,
			size_t *countp, struct wire_data *bodyp)
{
	struct wire_position at;
	struct wire_list list;
	struct wire_view first;
	size_t count;
	int r;

	if (!wire_view_pointer(view, i, &at))
		return 0;
	r = wire_read_list(message, &at, WIRE_ELEMENT_COMPOSITE, &list);
	if (r <= 0)
		return r;
	r = read_tag(message, &list.at, list.count, &count, &first);
	if (r < 0)
		return r;
	if (first.n_data < min_data || first.n_pointers < min_pointers)
		return -EPROTO;
	*firstp = first;
	*countp = count;
	*bodyp = (struct wire_data){ wire_message_bytes(message, &list.at),
				     (list.count + 1) * WIRE_WORD };
	return 1;
}

int wire_composite_element(struct wire_message *message, const struct wire_data *body, size_t i,
			   struct wire_view *viewp)
{
	size_t n_words = body->size / WIRE_WORD, count;
	struct wire_position at;
	struct wire_view view;
	int r = wire_message_find(message, body, &at);

	if (r < 0)
		return r;
	r = wire_message_charge(message, &at, n_words);
	if (r < 0)
		return r;
	r = read_tag(message, &at, n_words - 1, &count, &view);
	if (r < 0)
		return r;
	if (i >= count)
		return -EBADMSG;
	view.at.at += i * (view.n_data + view.n_pointers);
	*viewp = view;
	return 0;
}

uint64_t wire_view_word(const struct wire_message *message, const struct wire_view *view, size_t i)
{
	struct wire_position at = { view->at.segment, view->at.at + i };

	return i < view->n_data ? wire_message_word(message, &at) : 0;
}

bool wire_view_pointer(const struct wire_view *view, size_t i, struct wire_position *atp)
{
	if (i >= view->n_pointers)
		return false;
	*atp = (struct wire_position){ view->at.segment, view->at.at + view->n_data + i };
	return true;
}
