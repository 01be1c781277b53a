/* SPDX-License-Identifier: Apache-2.0 */
/* Names, uids and files of instances: the rules, shared by priv and the command line. */
#ifndef CALFPEN_COMMON_INSTANCE_H
#define CALFPEN_COMMON_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define INSTANCE_NAME_MAX 31

/* In the run directory of an instance; locked, shared, by the processes that watch
 * it (cli/watch_ring.h). */
#define INSTANCE_WATCH_LOCK "watch.lock"

/* RUN_ROOT/uids, the table of uids; no instance is named like it. */
#define INSTANCE_UIDS_FILE "uids"

/* Consecutive uids of an instance: one for each calf and each gateway, and one for the
 * migrate role. */
#define INSTANCE_UIDS 128u
/* Lower ids belong to the host's accounts. */
#define INSTANCE_UID_MIN 65537u
/* 2^32 - 1 is not a uid, and 2^32 - 2 is nobody's on some systems. */
#define INSTANCE_UID_MAX (UINT32_MAX - 2)

/*
 * Return whether `name` can name an instance: 1 to INSTANCE_NAME_MAX characters
 * a-z 0-9 _ -, not starting with '-'. No dots, because the name is a directory
 * of the BPF file system, which refuses them (EPERM), and a container's name. Not
 * INSTANCE_UIDS_FILE, which is a file where an instance would have its directory.
 */
static inline bool instance_is_name(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return length > 0 && length <= INSTANCE_NAME_MAX && name[length] == '\0' &&
	       name[0] != '-' && strcmp(name, INSTANCE_UIDS_FILE) != 0;
}

/*
 * Derive the name of an instance from that of its interface, which is not empty.
 * Different interfaces have different names. A name of a-z 0-9 _ - without "__" and
 * "--" stays as it is, so that no other one becomes equal to it. Otherwise a capital
 * becomes "__" and the small letter, a dot "--", and any other character, or a '_' or
 * '-' next to one that was replaced, "__" and its code, two hexadecimal digits:
 * "enP4p65s0" is "en__p4p65s0", "eth0.100" is "eth0--100". What gets too long is cut,
 * and ends with "__0" and a hash of the interface's name; so does INSTANCE_UIDS_FILE.
 */
void instance_name_of(const char *interface, char name[static INSTANCE_NAME_MAX + 1]);

#endif
