/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The decoder of the schema: straight-line code with one function per
 * level of the schema. There is no recursion, so the nesting depth is fixed at
 * compile time. wire_pointer.c handles segments, bounds and the budget;
 * wire_encode.c is the encoder.
 */
#include "userspace/common/wire.h"

#include <errno.h>
#include <string.h>

#include "userspace/common/bytes.h"
#include "userspace/common/path.h"
#include "userspace/common/wire-private.h"

/* Minimum size of an element of a composite list: data words, pointers. */
enum { CHANGE_DATA = 1, CHANGE_POINTERS = 2, ENTRY_DATA = 2, ENTRY_POINTERS = 2 };

/* Read the Data in pointer `i` of a struct; absent if null. Returns 0 or a
 * negative errno. */
static int read_data(struct wire_message *message, const struct wire_view *view, size_t i,
		     struct wire_data *datap)
{
	struct wire_data data = { 0 };
	struct wire_position at;
	struct wire_list list;
	int r;

	if (wire_view_pointer(view, i, &at)) {
		r = wire_read_list(message, &at, WIRE_ELEMENT_BYTE, &list);
		if (r < 0)
			return r;
		if (r > 0)
			data = (struct wire_data){ wire_message_bytes(message, &list.at),
						   list.count };
	}
	*datap = data;
	return 0;
}

/*
 * Append the Text in the pointer at `at` to `path` as its next segment. Returns
 * 0, WIRE_PATH_REFUSED, or a negative errno if it is malformed. What fits is
 * appended unchecked, because the complete path is checked at the end.
 */
static int read_segment(struct wire_message *message, const struct wire_position *at,
			struct bytes_writer *path)
{
	const uint8_t *text;
	struct wire_list list;
	int r = wire_read_list(message, at, WIRE_ELEMENT_BYTE, &list);

	if (r < 0)
		return r;
	if (!r)
		return WIRE_PATH_REFUSED; /* null: an empty segment */
	text = wire_message_bytes(message, &list.at);
	if (list.count == 0 || text[list.count - 1] != '\0')
		return -EILSEQ;
	if (memchr(text, '\0', list.count - 1) || memchr(text, '/', list.count - 1))
		return WIRE_PATH_REFUSED;
	bytes_put_u8(path, '/');
	bytes_put(path, text, list.count - 1);
	return path->failed ? WIRE_PATH_REFUSED : 0;
}

/*
 * Read the List(Text) in pointer 0 of a struct. The form of every element is
 * checked even if the path is already refused, so that whether a message is
 * malformed does not depend on which paths are allowed. Returns 0 with *keyp
 * canonical or empty, WIRE_PATH_REFUSED with *keyp empty, or a negative errno
 * if it is malformed.
 */
static int read_path(struct wire_message *message, const struct wire_view *view,
		     struct kv_key *keyp)
{
	char text[KV_PATH_SIZE];
	struct bytes_writer path;
	struct wire_position at;
	struct wire_list list;
	int refused = 0;
	int r;

	memset(keyp, 0, sizeof(*keyp));
	if (!wire_view_pointer(view, 0, &at))
		return 0;
	r = wire_read_list(message, &at, WIRE_ELEMENT_POINTER, &list);
	if (r <= 0)
		return r;
	bytes_writer_init(&path, text, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (size_t i = 0; i < list.count; i++, list.at.at++) {
		r = read_segment(message, &list.at, &path);
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

/* Open a frame and read its root struct, which may not be null. */
static int open_root(const uint8_t *frame, size_t size, struct wire_message *message,
		     struct wire_view *rootp)
{
	int r = wire_message_init(message, frame, size);

	if (r < 0)
		return r;
	r = wire_read_struct(message, &(struct wire_position){ 0 }, rootp);
	if (r < 0)
		return r;
	return r > 0 ? 0 : -EPROTO;
}

/* Read the change of a commit in the struct `view`. */
static int read_change(struct wire_message *message, const struct wire_view *view,
		       struct wire_change *changep)
{
	struct wire_change change = { 0 };
	int r;

	change.tag = wire_view_word(message, view, 0) & 0xffff;
	change.path_status = read_path(message, view, &change.path);
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
 * Read the List(Change) in pointer 1 of the root. All changes are read here
 * once, with the message's one budget, so that a malformed change refuses the
 * message and not the rest of a half-read commit.
 */
static int read_changes(struct wire_message *message, const struct wire_view *root,
			struct wire_request *request)
{
	struct wire_change change;
	struct wire_data body;
	struct wire_view view;
	size_t count;
	int r = wire_read_composite(message, root, 1, CHANGE_DATA, CHANGE_POINTERS, &view, &count,
				    &body);

	if (r <= 0)
		return r;
	for (size_t i = 0; i < count; i++, view.at.at += view.n_data + view.n_pointers) {
		r = read_change(message, &view, &change);
		if (r < 0)
			return r;
	}
	request->n_changes = (uint32_t)count;
	request->changes = body;
	return 0;
}

int wire_request_change(const uint8_t *frame, size_t size, const struct wire_request *request,
			uint32_t i_change, struct wire_change *changep)
{
	struct wire_message message;
	struct wire_view view;
	int r;

	if (i_change >= request->n_changes)
		return -EBADMSG;
	r = wire_message_init(&message, frame, size);
	if (r < 0)
		return r;
	r = wire_composite_element(&message, &request->changes, i_change, &view);
	if (r < 0)
		return r;
	return read_change(&message, &view, changep);
}

/* Set the path that an error text may contain: only text that was checked. */
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
	struct wire_message message;
	struct wire_view root;
	uint64_t word;
	int r = open_root(frame, size, &message, &root);

	if (r < 0)
		return r;
	word = wire_view_word(&message, &root, 0);
	request.id = (int32_t)(uint32_t)word;
	request.tag = word >> 32 & 0xffff;
	request.revision = wire_view_word(&message, &root, 1);
	request.path_status = read_path(&message, &root, &request.path);
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

/* Read the entry of a response in the struct `view`. A path that cannot be that
 * of a key is malformed here, because a response is not answered. */
static int read_entry(struct wire_message *message, const struct wire_view *view,
		      struct wire_entry *entryp)
{
	struct wire_entry entry = { 0 };
	int r;

	entry.revision = wire_view_word(message, view, 0);
	entry.tag = wire_view_word(message, view, 1) & 0xffff;
	r = read_path(message, view, &entry.path);
	if (r)
		return r < 0 ? r : -EILSEQ;
	if (entry.tag == WIRE_ENTRY_VALUE) {
		r = read_data(message, view, 1, &entry.value);
		if (r < 0)
			return r;
	}
	*entryp = entry;
	return 0;
}

/* Read the List(Entry) in pointer 0 of the root, as read_changes(). */
static int read_entries(struct wire_message *message, const struct wire_view *root,
			struct wire_response *response)
{
	struct wire_entry entry;
	struct wire_data body;
	struct wire_view view;
	size_t count;
	int r = wire_read_composite(message, root, 0, ENTRY_DATA, ENTRY_POINTERS, &view, &count,
				    &body);

	if (r <= 0)
		return r;
	for (size_t i = 0; i < count; i++, view.at.at += view.n_data + view.n_pointers) {
		r = read_entry(message, &view, &entry);
		if (r < 0)
			return r;
	}
	response->n_entries = (uint32_t)count;
	response->entries = body;
	return 0;
}

int wire_response_entry(const uint8_t *frame, size_t size, const struct wire_response *response,
			uint32_t i_entry, struct wire_entry *entryp)
{
	struct wire_message message;
	struct wire_view view;
	int r;

	if (i_entry >= response->n_entries)
		return -EBADMSG;
	r = wire_message_init(&message, frame, size);
	if (r < 0)
		return r;
	r = wire_composite_element(&message, &response->entries, i_entry, &view);
	if (r < 0)
		return r;
	return read_entry(&message, &view, entryp);
}

int wire_decode_response(const uint8_t *frame, size_t size, struct wire_response *responsep)
{
	struct wire_response response = { 0 };
	struct wire_message message;
	struct wire_view root;
	uint64_t word;
	int r = open_root(frame, size, &message, &root);

	if (r < 0)
		return r;
	word = wire_view_word(&message, &root, 0);
	response.id = (int32_t)(uint32_t)word;
	response.tag = word >> 32 & 0xffff;
	response.more = word >> 48 & 1;
	response.code = (uint8_t)(word >> 56);
	response.revision = wire_view_word(&message, &root, 1);
	if (response.tag == WIRE_OK || response.tag == WIRE_ERROR)
		r = read_data(&message, &root, 0, &response.value);
	else if (response.tag == WIRE_ENTRIES)
		r = read_entries(&message, &root, &response);
	if (r < 0)
		return r;
	*responsep = response;
	return 0;
}
