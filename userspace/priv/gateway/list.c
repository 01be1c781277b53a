/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/gateway/list.h"

#include <string.h>

#include "userspace/common/path.h"
#include "userspace/priv/gateway/response.h"

/* A page of the store has at most this many: its shortest entry is 16 bytes. */
#define ENTRIES_MAX (KV_VALUE_SIZE / 16)

/* Bytes on the wire of a response without entries, of an entry's struct, and of a
 * segment's pointer and text. */
#define RESPONSE_SIZE 48u
#define ENTRY_SIZE 32u
#define SEGMENT_SIZE(length) (8u + (((length) + 8u) & ~7u))

void gateway_list_begin(struct gateway_list *list, const struct wire_request *request)
{
	const char *path = request->path.path;

	*list = (struct gateway_list){ .is_active = true, .id = request->id };
	memcpy(list->directory, path[0] != '\0' ? path : "/\0", path[0] != '\0' ? KV_PATH_SIZE : 2);
	memcpy(list->display, request->display, sizeof(list->display));
}

static size_t entry_size(const char *path)
{
	size_t size = ENTRY_SIZE;

	while (*path == '/') {
		size_t length = strcspn(path + 1, "/");

		size += SEGMENT_SIZE(length);
		path += 1 + length;
	}
	return size;
}

/* Take as many entries of the page, from list->at on, as fit into a response. Returns
 * their number. */
static uint32_t take_entries(struct gateway_list *list, struct wire_entry *entries)
{
	size_t size = RESPONSE_SIZE;
	uint32_t n = 0;

	while (n < ENTRIES_MAX) {
		uint32_t at = list->at;
		const char *path;

		entries[n] = (struct wire_entry){ .tag = WIRE_ENTRY_LISTED };
		if (!gate_page_next(&list->page, &at, &entries[n].revision, &path))
			break;
		size += entry_size(path);
		if (size > WIRE_RESPONSE_MAX)
			break;
		list->at = at;
		if (path_to_key(path, &entries[n].path) == 0)
			n++;
	}
	return n;
}

static bool page_has_more(const struct gateway_list *list)
{
	uint32_t at = list->at;
	uint64_t revision;
	const char *path;

	return gate_page_next(&list->page, &at, &revision, &path);
}

static int end_with_error(struct gateway_list *list, int verdict, uint8_t *buffer, size_t size)
{
	struct gateway_response response = { 0 };

	list->is_active = false;
	gateway_response_verdict(&response, verdict, list->display);
	return gateway_response_encode(&response, list->id, buffer, size);
}

int gateway_list_next(struct gateway_list *list, const struct gateway_store *store,
		      void *store_data, uint8_t *buffer, size_t size)
{
	struct wire_entry entries[ENTRIES_MAX];
	uint32_t n = take_entries(list, entries);

	/* A page may be empty, because a call of the store examines a limited
	 * number of keys. */
	while (n == 0 && !list->is_last) {
		int r = store->list(store_data, list->directory, &list->page);

		if (r < 0)
			return end_with_error(list, r, buffer, size);
		list->at = 0;
		list->is_last = list->page.cursor == 0;
		n = take_entries(list, entries);
	}
	list->is_active = !list->is_last || page_has_more(list);
	return wire_encode_entries(list->id, entries, n, list->is_active ? 0 : list->page.revision,
				   list->is_active, buffer, size);
}
