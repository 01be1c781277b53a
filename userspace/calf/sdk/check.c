/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/sdk/check.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "userspace/common/log.h"

#define INPUT_MAX 65536 /* more than all options of a description */

/* Returns the length of the input, or a negative errno. */
static ssize_t read_input(char *input, size_t size)
{
	size_t length = 0;
	ssize_t n;

	while ((n = read(STDIN_FILENO, input + length, size - length)) > 0)
		length += (size_t)n;
	if (n < 0)
		return -errno;
	return length < size ? (ssize_t)length : -E2BIG;
}

/* Find the value of a key in the lines. Returns NULL if there is none. */
static const char *find_value(const char *input, const char *path, size_t *lengthp)
{
	size_t length = strlen(path);

	while (*input) {
		const char *end = strchr(input, '\n');

		if (!end)
			return NULL;
		if (!strncmp(input, path, length) && input[length] == '=') {
			*lengthp = (size_t)(end - input) - length - 1;
			return input + length + 1;
		}
		input = end + 1;
	}
	return NULL;
}

static int check(const char *input, const char *(*path)(unsigned int i), unsigned int n_keys,
		 keys_value_fn value, int (*done)(void *data), void *data)
{
	for (unsigned int i = 0; i < n_keys; i++) {
		char text[KV_VALUE_SIZE];
		size_t length = 0;
		const char *found = find_value(input, path(i), &length);
		int r;

		if (found && length >= sizeof(text)) {
			log_error("%s: longer than a value can be", path(i));
			return -E2BIG;
		}
		memcpy(text, found ? found : "", length);
		text[length] = '\0';
		r = value(data, i, found ? CALF_OK : CALF_NOT_FOUND, text, length);
		if (r < 0)
			return r;
	}
	return done(data);
}

int check_keys(const char *(*path)(unsigned int i), unsigned int n_keys, keys_value_fn value,
	       int (*done)(void *data), void *data)
{
	static char input[INPUT_MAX + 1];
	char error[512] = "";
	ssize_t length = read_input(input, INPUT_MAX);
	size_t size;

	log_keep_errors(error, sizeof(error), false);
	if (length < 0)
		log_error("cannot read the values: %s", strerrordesc_np((int)-length));
	if (length >= 0 && !check(input, path, n_keys, value, done, data))
		return CALF_CHECK_ACCEPTED;
	size = strnlen(error, sizeof(error));
	(void)!write(STDOUT_FILENO, error, size);
	return CALF_CHECK_REFUSED;
}
