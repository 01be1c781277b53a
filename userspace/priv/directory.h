/* SPDX-License-Identifier: Apache-2.0 */
/* Directories of what an instance leaves on disk: audit log, saved store. */
#ifndef CALFPEN_PRIV_DIRECTORY_H
#define CALFPEN_PRIV_DIRECTORY_H

/* Make `path` with all above it where they are missing; the last gets mode
 * 0700, the others 0755. 0, or a negative errno. */
int directory_make(const char *path);

#endif
