/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/path.h"

#include <errno.h>
#include <string.h>

static bool is_path_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '.' ||
	       byte == '_' || byte == '-';
}

/* Return the length of the canonical segment that starts at `text`, or 0. */
static size_t segment_length(const char *text, size_t left)
{
	size_t length = 0;

	while (length < left && is_path_byte(text[length]))
		length++;
	if (length > KV_SEGMENT_MAX)
		return 0;
	if (length == 1 && text[0] == '.')
		return 0;
	if (length == 2 && text[0] == '.' && text[1] == '.')
		return 0;
	return length;
}

static bool text_is_canonical(const char *path, size_t length)
{
	size_t at = 0, n_segments = 0;

	if (length == 0 || length > KV_PATH_MAX)
		return false;
	while (at < length) {
		size_t segment;

		if (path[at] != '/')
			return false;
		at++;
		segment = segment_length(path + at, length - at);
		if (segment == 0 || ++n_segments > KV_SEGMENTS_MAX)
			return false;
		at += segment;
	}
	return true;
}

bool path_is_canonical(const char *path)
{
	return text_is_canonical(path, strnlen(path, KV_PATH_SIZE));
}

int path_to_key(const char *path, struct kv_key *key)
{
	size_t length = strnlen(path, KV_PATH_SIZE);

	if (!text_is_canonical(path, length))
		return -EILSEQ;
	memset(key, 0, sizeof(*key));
	memcpy(key->path, path, length);
	return 0;
}

bool path_key_is_canonical(const struct kv_key *key)
{
	size_t length = strnlen(key->path, sizeof(key->path));

	for (size_t i = length; i < sizeof(key->path); i++)
		if (key->path[i] != '\0')
			return false;
	return text_is_canonical(key->path, length);
}

bool path_is_below(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	if (length == 1 && directory[0] == '/')
		length = 0;
	if (strncmp(path, directory, length) != 0)
		return false;
	return path[length] == '/' || (path[length] == '\0' && length > 0);
}
