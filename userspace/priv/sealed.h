/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealed memfds: what one process hands to another that neither can change any
 * more (memfd_create(2), fcntl(2) "File Sealing"). Used by key_table.c and
 * description/; linked into the gateway, so it is small.
 */
#ifndef CALFPEN_PRIV_SEALED_H
#define CALFPEN_PRIV_SEALED_H

#include <stddef.h>

struct sealed_part {
	const void *data;
	size_t size;
};

/* Create a memfd that holds the `n` parts one after the other, and seal it. `name`
 * is for /proc only. Returns a close-on-exec descriptor, or a negative errno, not
 * logged. */
int sealed_create(const char *name, const struct sealed_part *parts, int n);

/* Map a memfd of sealed_create() read-only, for the lifetime of the process.
 * Returns 0 with *memoryp and *sizep set; or, not logged and with both unchanged,
 * -EPERM (not sealed), -EPROTO (empty) or another negative errno. */
int sealed_map(int fd, void **memoryp, size_t *sizep);

#endif
