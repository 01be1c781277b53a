/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/key_rule.h"

#include <string.h>

const struct key_rule *key_rule_find(const struct key_rule *keys, uint32_t n_keys, const char *path)
{
	const struct key_rule *found = NULL;
	size_t found_length = 0;

	for (uint32_t i = 0; i < n_keys; i++) {
		const char *own = keys[i].path;
		size_t length = 0;

		while (own[length] != '\0' && own[length] == path[length])
			length++;
		if (own[length] != '\0')
			continue;
		if (path[length] == '\0')
			return &keys[i];
		/* Only the directory that directly contains the path, as in the gate. */
		if (length > found_length && own[length - 1] == '/' &&
		    !strchr(path + length, '/')) {
			found = &keys[i];
			found_length = length;
		}
	}
	return found;
}
