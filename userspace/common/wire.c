/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The decoder. Straight-line code, one function per level of the
 * schema: no recursion, so nesting is a fact of compile time. A position is a
 * word index into the one segment and is compared as a distance before it is
 * used. A budget of as many words as the message has is charged for every
 * body: an honest message touches each word at most once, so overlapping and
 * cyclic messages run dry. The encoder is in wire_encode.c.
 */
#include "userspace/common/wire.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "userspace/common/bytes.h"
#include "userspace/common/path.h"

#define WORD 8u
#define TABLE_SIZE 8u /* of a message with one segment */

/* Kind of a pointer: its bits 0..1. */
enum { KIND_STRUCT = 0, KIND_LIST = 1 };
/* Element size of a list pointer: its bits 32..34. */
enum { ELEMENT_BYTE = 2, ELEMENT_POINTER = 6, ELEMENT_COMPOSITE = 7 };

/* The segment that is read. */
struct message {
	const uint8_t *segment;
	size_t n_words;
	size_t budget; /* words */
};

/* A struct in it. Absent words read as zero, absent pointers as null. */
struct view {
	size_t at; /* word */
	size_t n_data;
	size_t n_pointers;
};

/* A list in it: `count` elements, or body words if composite. */
struct list {
	size_t at;
	size_t count;
};

static uint64_t load_word(const struct message *message, size_t at)
{
	struct bytes_reader reader;

	bytes_reader_init(&reader, message->segment, message->n_words * WORD);
	bytes_skip(&reader, at * WORD);
	return bytes_le64(&reader);
}

/* `n_words` words at `at` lie inside the segment and are paid for. */
static int charge(struct message *message, size_t at, uint64_t n_words)
{
	if (at > message->n_words || n_words > message->n_words - at)
		return -EBADMSG;
	if (n_words > message->budget)
		return -ELOOP;
	message->budget -= (size_t)n_words;
	return 0;
}

/* Where the pointer at word `at` leads. */
static int target_of(const struct message *message, size_t at, uint64_t pointer, size_t *targetp)
{
	int64_t target = (int64_t)at + 1 + ((int32_t)(uint32_t)pointer >> 2);

	if (target < 0 || target > (int64_t)message->n_words)
		return -EBADMSG;
	*targetp = (size_t)target;
	return 0;
}

/* The struct that the pointer at word `at` leads to; a null pointer gives an
 * empty one. */
static int read_struct(struct message *message, size_t at, struct view *viewp)
{
	uint64_t pointer = load_word(message, at);
	struct view view = { 0 };
	int r;

	if (pointer == 0) {
		*viewp = view;
		return 0;
	}
	if ((pointer & 3) != KIND_STRUCT)
		return -EPROTO;
	r = target_of(message, at, pointer, &view.at);
	if (r < 0)
		return r;
	view.n_data = pointer >> 32 & 0xffff;
	view.n_pointers = pointer >> 48;
	r = charge(message, view.at, view.n_data + view.n_pointers);
	if (r < 0)
		return r;
	*viewp = view;
	return 0;
}

/* The list of `element` size that the pointer at word `at` leads to, its body
 * in bounds and paid for. 1, or 0 if the pointer is null. */
static int read_list(struct message *message, size_t at, unsigned int element, struct list *listp)
{
	uint64_t pointer = load_word(message, at), n_words;
	struct list list;
	int r;

	if (pointer == 0)
		return 0;
	if ((pointer & 3) != KIND_LIST || (pointer >> 32 & 7) != element)
		return -EPROTO;
	r = target_of(message, at, pointer, &list.at);
	if (r < 0)
		return r;
	list.count = pointer >> 35; /* 29 bits: the sums below cannot wrap */
	if (element == ELEMENT_BYTE)
		n_words = ((uint64_t)list.count + WORD - 1) / WORD;
	else
		n_words = (uint64_t)list.count + (element == ELEMENT_COMPOSITE);
	r = charge(message, list.at, n_words);
	if (r < 0)
		return r;
	*listp = list;
	return 1;
}

/* The data word `i` of a struct. */
static uint64_t data_word(const struct message *message, const struct view *view, size_t i)
{
	return i < view->n_data ? load_word(message, view->at + i) : 0;
}

/* The word of the pointer `i` of a struct; false if the struct is shorter. */
static bool pointer_at(const struct view *view, size_t i, size_t *atp)
{
	if (i >= view->n_pointers)
		return false;
	*atp = view->at + view->n_data + i;
	return true;
}

/* The Data in pointer `i` of a struct; absent if null. */
static int read_data(struct message *message, const struct view *view, size_t i,
		     struct wire_data *datap)
{
	struct wire_data data = { 0 };
	struct list list;
	size_t at;
	int r;

	if (pointer_at(view, i, &at)) {
		r = read_list(message, at, ELEMENT_BYTE, &list);
		if (r < 0)
			return r;
		if (r > 0)
			data = (struct wire_data){ message->segment + list.at * WORD, list.count };
	}
	*datap = data;
	return 0;
}

/*
 * The Text at pointer word `at`, as the next segment of `path`. 0, or
 * WIRE_PATH_REFUSED, or malformed. What fits is appended unchecked: the whole
 * is checked at its end.
 */
static int read_segment(struct message *message, size_t at, struct bytes_writer *path)
{
	const uint8_t *text;
	struct list list;
	int r;

	r = read_list(message, at, ELEMENT_BYTE, &list);
	if (r < 0)
		return r;
	if (r == 0)
		return WIRE_PATH_REFUSED; /* null: an empty segment */
	text = message->segment + list.at * WORD;
	if (list.count == 0 || text[list.count - 1] != '\0')
		return -EILSEQ;
	if (memchr(text, '\0', list.count - 1) || memchr(text, '/', list.count - 1))
		return WIRE_PATH_REFUSED;
	bytes_put_u8(path, '/');
	bytes_put(path, text, list.count - 1);
	return path->failed ? WIRE_PATH_REFUSED : 0;
}

/*
 * The List(Text) in pointer `i` of a struct. Every element is checked for
 * form, also when the path is refused already, so that what is malformed does
 * not depend on what a path may be. 0 with *keyp canonical or empty,
 * WIRE_PATH_REFUSED with *keyp empty, or malformed.
 */
static int read_path(struct message *message, const struct view *view, size_t i,
		     struct kv_key *keyp)
{
	char text[KV_PATH_SIZE];
	struct bytes_writer path;
	struct list list = { 0 };
	int refused = 0;
	size_t at;
	int r;

	memset(keyp, 0, sizeof(*keyp));
	if (!pointer_at(view, i, &at))
		return 0;
	r = read_list(message, at, ELEMENT_POINTER, &list);
	if (r <= 0)
		return r;
	bytes_writer_init(&path, text, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (size_t i_segment = 0; i_segment < list.count; i_segment++) {
		r = read_segment(message, list.at + i_segment, &path);
		if (r < 0)
			return r;
		refused |= r;
	}
	if (refused)
		return WIRE_PATH_REFUSED;
	if (list.count == 0)
		return 0;
	return path_to_key(text, keyp) < 0 ? WIRE_PATH_REFUSED : 0;
}

int wire_frame_size(const uint8_t *bytes, size_t size)
{
	struct bytes_reader reader;
	uint64_t n_segments, n_words;

	bytes_reader_init(&reader, bytes, size);
	if (bytes_left(&reader) < 4)
		return 0;
	n_segments = (uint64_t)bytes_le32(&reader) + 1;
	if (n_segments != 1)
		return -EMSGSIZE;
	if (bytes_left(&reader) < 4)
		return 0;
	n_words = bytes_le32(&reader);
	if (n_words == 0 || TABLE_SIZE + n_words * WORD > WIRE_FRAME_MAX)
		return -EMSGSIZE;
	return (int)(TABLE_SIZE + n_words * WORD);
}

/* Check the table of one whole frame and find its segment. */
static int open_message(const uint8_t *frame, size_t size, struct message *messagep)
{
	int frame_size = wire_frame_size(frame, size);

	if (frame_size < 0)
		return frame_size;
	if (frame_size == 0 || (size_t)frame_size != size)
		return -EBADMSG;
	messagep->segment = frame + TABLE_SIZE;
	messagep->n_words = (size - TABLE_SIZE) / WORD;
	messagep->budget = messagep->n_words;
	return 0;
}

/* Open it and read its root struct, which may not be null. */
static int open_root(const uint8_t *frame, size_t size, struct message *messagep,
		     struct view *rootp)
{
	int r = open_message(frame, size, messagep);

	if (r < 0)
		return r;
	if (load_word(messagep, 0) == 0)
		return -EPROTO;
	return read_struct(messagep, 0, rootp);
}

/* A change of a commit, whose struct is `view`. */
static int read_change(struct message *message, const struct view *view,
		       struct wire_change *changep)
{
	struct wire_change change = { 0 };
	int r;

	change.tag = data_word(message, view, 0) & 0xffff;
	change.path_status = read_path(message, view, 0, &change.path);
	if (change.path_status < 0)
		return change.path_status;
	if (change.tag == WIRE_CHANGE_WRITE) {
		r = read_data(message, view, 1, &change.value);
		if (r < 0)
			return r;
	}
	*changep = change;
	return 0;
}

/*
 * The tag word of a composite list, at word `at`, ahead of `n_words` words of
 * elements: their number in *countp, the first one's view in *viewp.
 */
static int read_composite_tag(const struct message *message, size_t at, size_t n_words,
			      size_t *countp, struct view *viewp)
{
	uint64_t tag = load_word(message, at);
	size_t count = (uint32_t)tag >> 2; /* 30 bits, times 17 bits: no wrap */
	struct view view = {
		.at = at + 1,
		.n_data = tag >> 32 & 0xffff,
		.n_pointers = tag >> 48,
	};

	if ((tag & 3) != KIND_STRUCT || view.n_data < 1 || view.n_pointers < 2)
		return -EPROTO;
	if ((uint64_t)count * (view.n_data + view.n_pointers) > n_words)
		return -EBADMSG;
	*countp = count;
	*viewp = view;
	return 0;
}

/*
 * The List(Change) in pointer 1 of the root. All changes are read here once,
 * on the one budget of the message, so that a malformed one refuses the
 * message and not the rest of a half-read commit.
 */
static int read_changes(struct message *message, const struct view *root,
			struct wire_request *request)
{
	struct wire_change change;
	struct list list = { 0 };
	struct view view;
	size_t at, count;
	int r;

	if (!pointer_at(root, 1, &at))
		return 0;
	r = read_list(message, at, ELEMENT_COMPOSITE, &list);
	if (r <= 0)
		return r;
	r = read_composite_tag(message, list.at, list.count, &count, &view);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++, view.at += view.n_data + view.n_pointers) {
		r = read_change(message, &view, &change);
		if (r < 0)
			return r;
	}
	request->n_changes = (uint32_t)count;
	request->changes =
		(struct wire_data){ message->segment + list.at * WORD, (list.count + 1) * WORD };
	return 0;
}

int wire_request_change(const uint8_t *frame, size_t size, const struct wire_request *request,
			uint32_t i_change, struct wire_change *changep)
{
	struct message message;
	struct view view;
	size_t count, at;
	int r;

	r = open_message(frame, size, &message);
	if (r < 0)
		return r;
	if (i_change >= request->n_changes)
		return -EBADMSG;
	at = (size_t)(request->changes.bytes - message.segment) / WORD;
	r = charge(&message, at, request->changes.size / WORD);
	if (r < 0)
		return r;
	r = read_composite_tag(&message, at, request->changes.size / WORD - 1, &count, &view);
	if (r < 0)
		return r;
	if (i_change >= count)
		return -EBADMSG;
	view.at += i_change * (view.n_data + view.n_pointers);
	return read_change(&message, &view, changep);
}

/* What an error text may echo of a path: nothing that was not checked. */
static void set_display(struct wire_request *request)
{
	if (request->path_status == WIRE_PATH_REFUSED)
		request->display[0] = '?';
	else if (request->path.path[0] == '/')
		memcpy(request->display, request->path.path + 1, KV_PATH_MAX);
}

int wire_decode_request(const uint8_t *frame, size_t size, struct wire_request *requestp)
{
	struct wire_request request = { 0 };
	struct message message;
	struct view root;
	uint64_t word;
	int r;

	r = open_root(frame, size, &message, &root);
	if (r < 0)
		return r;
	word = data_word(&message, &root, 0);
	request.id = (int32_t)(uint32_t)word;
	request.tag = word >> 32 & 0xffff;
	request.revision = data_word(&message, &root, 1);
	request.path_status = read_path(&message, &root, 0, &request.path);
	if (request.path_status < 0)
		return request.path_status;
	set_display(&request);

	r = 0;
	if (request.tag == WIRE_WRITE)
		r = read_data(&message, &root, 1, &request.value);
	else if (request.tag == WIRE_COMMIT)
		r = read_changes(&message, &root, &request);
	if (r < 0)
		return r;
	*requestp = request;
	return 0;
}

int wire_decode_response(const uint8_t *frame, size_t size, struct wire_response *responsep)
{
	struct wire_response response = { 0 };
	struct message message;
	struct view root;
	uint64_t word;
	int r;

	r = open_root(frame, size, &message, &root);
	if (r < 0)
		return r;
	word = data_word(&message, &root, 0);
	response.id = (int32_t)(uint32_t)word;
	response.tag = word >> 32 & 0xffff;
	if (response.tag == WIRE_OK || response.tag == WIRE_ERROR) {
		r = read_data(&message, &root, 0, &response.value);
		if (r < 0)
			return r;
	}
	*responsep = response;
	return 0;
}
