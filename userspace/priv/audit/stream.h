/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A descriptor that lines are written to and that cannot be read again: a pipe, terminal
 * or socket with a reader that may be slow; or what --audit names, whatever that is.
 * Nothing waits for the reader.
 */
#ifndef CALFPEN_PRIV_AUDIT_STREAM_H
#define CALFPEN_PRIV_AUDIT_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "userspace/common/audit_files.h"
#include "userspace/common/nowait.h"

struct audit_stream {
	int fd; /* -1: not open */
	enum nowait how;
	bool is_regular;
	bool must_end; /* a part of a line is in front */
	size_t done, length;
	char line[1 + AUDIT_LINE_SIZE]; /* of which `done` bytes of `length` are written */
};

#define AUDIT_STREAM_NULL(_x) ((struct audit_stream){ .fd = -1 })

/* Write to this descriptor, which becomes the stream's. `is_cut`: it has a part of a line,
 * of which the rest will not come. */
void audit_stream_use(struct audit_stream *stream, int fd, bool is_cut);
void audit_stream_close(struct audit_stream *stream);
/* Has the reader taken a part of a line? Then audit_stream_complete() must come next. */
bool audit_stream_is_cut(const struct audit_stream *stream);
/* Write a line, newline included. Returns 0, or a negative errno: -EAGAIN if the reader
 * does not take it now, or not all of it. */
int audit_stream_append(struct audit_stream *stream, const char *line, size_t length);
/* Write the rest of a line. Returns as audit_stream_append(). If nobody reads it any more,
 * the rest is dropped. */
int audit_stream_complete(struct audit_stream *stream);

#endif
