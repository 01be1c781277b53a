/* SPDX-License-Identifier: Apache-2.0 */
/* Names of instances: the rule, shared by priv and the command line. */
#ifndef CALFPEN_COMMON_INSTANCE_H
#define CALFPEN_COMMON_INSTANCE_H

#include <stdbool.h>
#include <string.h>

#define INSTANCE_NAME_MAX 31

/*
 * Return whether `name` can name an instance: 1 to INSTANCE_NAME_MAX characters
 * a-z 0-9 _ -, not starting with '-'. No dots, because the name is a directory
 * of the BPF file system, which refuses them (EPERM), and a container's name.
 */
static inline bool instance_is_name(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return length > 0 && length <= INSTANCE_NAME_MAX && name[length] == '\0' && name[0] != '-';
}

#endif
