/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/audit/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void audit_stream_use(struct audit_stream *stream, int fd, bool is_cut)
{
	struct stat status;

	stream->fd = fd;
	stream->how = nowait_how(fd);
	stream->is_regular = !fstat(fd, &status) && S_ISREG(status.st_mode);
	stream->must_end = is_cut;
	stream->done = stream->length = 0;
}

void audit_stream_close(struct audit_stream *stream)
{
	if (stream->fd >= 0)
		(void)close(stream->fd);
	stream->fd = -1;
	stream->done = stream->length = 0;
}

bool audit_stream_is_cut(const struct audit_stream *stream)
{
	return stream->length > 0;
}

int audit_stream_complete(struct audit_stream *stream)
{
	ssize_t n = 0;

	while (stream->done < stream->length) {
		n = nowait_write(stream->fd, stream->how, stream->line + stream->done,
				 stream->length - stream->done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		stream->done += (size_t)n;
	}
	if (stream->done == stream->length) {
		stream->must_end = false;
		stream->done = stream->length = 0;
		return 0;
	}
	n = n < 0 ? -errno : -ENOSPC;
	/* Others may write to a file, too. A new reader wants whole lines. */
	if (stream->done && stream->is_regular)
		stream->must_end = true;
	if (n == -EPIPE)
		stream->must_end = false;
	if (!stream->done || stream->is_regular || n == -EPIPE)
		stream->done = stream->length = 0;
	return (int)n;
}

int audit_stream_append(struct audit_stream *stream, const char *line, size_t length)
{
	size_t skip = stream->must_end ? 1 : 0;

	stream->line[0] = '\n';
	memcpy(stream->line + skip, line, length);
	stream->length = skip + length;
	return audit_stream_complete(stream);
}
