/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The identity that the instance took over from another DHCP client (--takeover), in
 * the file DIRECTORY/identity, mode 0600: a line `client_id: VALUE`, as in the
 * configuration, and comments. It is written once, because a server would lease
 * another address to another identity; an operator may edit or delete it.
 */
#ifndef CALFPEN_PRIV_PERSIST_IDENTITY_H
#define CALFPEN_PRIV_PERSIST_IDENTITY_H

#include "maps/kv.h"

#define PERSIST_IDENTITY_FILE "identity"

/* Read the file. Returns 0 with the value of client_id, whose type is not checked;
 * -ENOENT if there is no file; or -EBADMSG, not logged, if it is damaged or cannot be
 * read. */
int persist_identity_load(const char *directory, char client_id[static KV_VALUE_SIZE]);

/* Replace the file: write it under another name, sync, rename, sync the directory.
 * Creates the directory. Returns 0, or a negative errno, not logged. */
int persist_identity_save(const char *directory, const char *client_id);

#endif
