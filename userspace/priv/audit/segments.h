/* SPDX-License-Identifier: Apache-2.0 */
/* The rotation of a log: LOG becomes LOG.1, that becomes LOG.2, and so on. */
#ifndef CALFPEN_PRIV_AUDIT_SEGMENTS_H
#define CALFPEN_PRIV_AUDIT_SEGMENTS_H

/* Create a file that will become LOG. Returns a descriptor for appending and reading, or a
 * negative errno, not logged. */
int audit_segments_create(const char *log);
/* Remove it again. */
void audit_segments_discard(const char *log);
/*
 * Rename LOG and those before it, of which at most n_files - 1 stay, and give the new file
 * its name. Remove those that are left of a larger n_files. Wherever this ends, all files are there, and what is missing is done by the
 * next call. Returns 0, or a negative errno, not logged: then LOG is the old file.
 */
int audit_segments_rotate(const char *log, unsigned int n_files);

#endif
