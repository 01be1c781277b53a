/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/state/uids.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/common/value.h"

const struct uids_entry *uids_find(const struct uids *uids, const char *instance)
{
	for (size_t i = 0; i < uids->n_entries; i++)
		if (!strcmp(uids->entries[i].instance, instance))
			return &uids->entries[i];
	return NULL;
}

bool uids_add(struct uids *uids, const char *instance, uint32_t first)
{
	struct uids_entry *entry = &uids->entries[uids->n_entries];

	if (uids->n_entries == UIDS_ENTRIES_MAX || first < INSTANCE_UID_MIN ||
	    first > INSTANCE_UID_MAX - INSTANCE_UIDS + 1)
		return false;
	entry->first = first;
	(void)snprintf(entry->instance, sizeof(entry->instance), "%s", instance);
	uids->n_entries++;
	return true;
}

/* Take one line, which has no newline. Returns false if it is not well formed. */
static bool take_line(struct uids *uids, char *line)
{
	char *first = strchr(line, ':'), *count = first ? strchr(first + 1, ':') : NULL;
	uint32_t number, n;

	if (!count)
		return false;
	*first++ = '\0';
	*count++ = '\0';
	return instance_is_name(line) && !uids_find(uids, line) &&
	       value_parse_uint(first, INSTANCE_UID_MIN, INSTANCE_UID_MAX, &number) == 0 &&
	       value_parse_uint(count, INSTANCE_UIDS, INSTANCE_UIDS, &n) == 0 &&
	       uids_add(uids, line, number);
}

static int parse(struct uids *uids, char *text, size_t size)
{
	char *end = text + size;
	int n_invalid = 0;

	while (text < end) {
		char *newline = memchr(text, '\n', (size_t)(end - text));
		char *next = newline ? newline + 1 : end;

		/* A line that does not end may have lost a part. */
		if (newline)
			*newline = '\0';
		n_invalid += !newline || strlen(text) != (size_t)(newline - text) ||
			     !take_line(uids, text);
		text = next;
	}
	return n_invalid;
}

int uids_load(const char *path, struct uids *uids)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK), r = 0;
	char *text = malloc(UIDS_SIZE_MAX);
	ssize_t size = 0;

	uids->n_entries = 0;
	if (fd < 0)
		r = errno == ENOENT ? 0 : -errno;
	else if (!text)
		r = -ENOMEM;
	else
		size = read(fd, text, UIDS_SIZE_MAX);
	if (size < 0)
		r = -errno;
	else if (!r)
		r = parse(uids, text, (size_t)size);
	if (fd >= 0)
		(void)close(fd);
	free(text);
	return r;
}
