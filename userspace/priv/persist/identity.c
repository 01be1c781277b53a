/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/persist/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "userspace/common/directory.h"

#define NAME "client_id: "
#define COMMENT                                                                               \
	"# The identity of the DHCP client from which this instance took over. The options\n" \
	"# client_id, duid and iaid in the configuration override it.\n"
#define SIZE_MAX_READ 4096 /* with an operator's comments */

/* Take one line. Returns false if it is neither the value nor a comment. */
static bool take_line(const char *line, size_t length, char client_id[static KV_VALUE_SIZE])
{
	if (length == 0 || line[0] == '#')
		return true;
	if (client_id[0] || length <= strlen(NAME) || memcmp(line, NAME, strlen(NAME)) != 0)
		return false;
	line += strlen(NAME);
	length -= strlen(NAME);
	if (length >= KV_VALUE_SIZE || memchr(line, '\0', length))
		return false;
	memcpy(client_id, line, length);
	client_id[length] = '\0';
	return true;
}

static bool parse(const char *text, size_t size, char client_id[static KV_VALUE_SIZE])
{
	const char *at = text, *end = text + size;

	client_id[0] = '\0';
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		if (!newline || !take_line(at, (size_t)(newline - at), client_id))
			return false;
		at = newline + 1;
	}
	return client_id[0] != '\0';
}

int persist_identity_load(const char *directory, char client_id[static KV_VALUE_SIZE])
{
	char text[SIZE_MAX_READ + 1], value[KV_VALUE_SIZE];
	int directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd, r;
	ssize_t size;

	if (directory_fd < 0)
		return errno == ENOENT ? -ENOENT : -EBADMSG;
	fd = openat(directory_fd, PERSIST_IDENTITY_FILE,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	r = fd < 0 && errno == ENOENT ? -ENOENT : -EBADMSG;
	(void)close(directory_fd);
	if (fd < 0)
		return r;
	size = read(fd, text, sizeof(text));
	(void)close(fd);
	if (size < 0 || size > SIZE_MAX_READ || !parse(text, (size_t)size, value))
		return -EBADMSG;
	memcpy(client_id, value, sizeof(value));
	return 0;
}

int persist_identity_save(const char *directory, const char *client_id)
{
	char text[sizeof(COMMENT) + sizeof(NAME) + KV_VALUE_SIZE];
	int length = snprintf(text, sizeof(text), COMMENT NAME "%s\n", client_id);
	const struct directory_text content = { text, (size_t)length };
	int r;

	if (length < 0 || length >= (int)sizeof(text))
		return -ENAMETOOLONG;
	r = directory_make(directory, 0700);
	return r ? r :
		   directory_replace_file(directory, PERSIST_IDENTITY_FILE, 0600,
					  directory_fill_text, &content);
}
