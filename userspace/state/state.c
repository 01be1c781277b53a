/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/state/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/common/sanitise.h"

/* Set `error`, which may quote the file. Returns NULL. */
__attribute__((format(printf, 2, 3))) static json_t *refuse(char error[static STATE_ERROR_SIZE],
							    const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(error, STATE_ERROR_SIZE, format, arguments);
	va_end(arguments);
	(void)sanitise(error, STATE_ERROR_SIZE, error, strlen(error));
	return NULL;
}

/* Read the whole file. Returns its text, which the caller frees, or NULL. */
static char *read_text(const char *path, size_t *sizep, char error[static STATE_ERROR_SIZE])
{
	char *text = NULL;
	ssize_t size = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd >= 0) {
		text = malloc(STATE_SIZE_MAX);
		size = text ? read(fd, text, STATE_SIZE_MAX) : -1;
	}
	if (size < 0 && errno != ENOENT)
		(void)refuse(error, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	if (size == (ssize_t)STATE_SIZE_MAX) {
		(void)refuse(error, "%s: larger than %zu bytes", path, STATE_SIZE_MAX - 1);
		size = -1;
	}
	if (size < 0) {
		free(text);
		return NULL;
	}
	*sizep = (size_t)size;
	return text;
}

json_t *state_load(const char *path, char error[static STATE_ERROR_SIZE])
{
	const json_t *version;
	json_error_t where;
	json_t *state;
	size_t size = 0;
	char *text;

	error[0] = '\0';
	text = read_text(path, &size, error);
	if (!text)
		return NULL;
	state = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
	free(text);
	if (!state)
		return refuse(error, "%s:%d: not JSON: %s", path, where.line, where.text);
	version = json_object_get(state, STATE_MEMBER_VERSION);
	if (json_is_integer(version) && json_integer_value(version) == STATE_VERSION)
		return state;
	if (!json_is_object(state))
		(void)refuse(error, "%s: not a JSON object", path);
	else if (json_is_integer(version))
		(void)refuse(error,
			     "%s: version %" JSON_INTEGER_FORMAT ", this calfpen reads version %d",
			     path, json_integer_value(version), STATE_VERSION);
	else
		(void)refuse(error, "%s: no version, this calfpen reads version %d", path,
			     STATE_VERSION);
	json_decref(state);
	return NULL;
}
