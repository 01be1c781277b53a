/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/cli/watch.h"

/* Write as many bytes as possible. Returns their number, or negative. */
static ssize_t write_some(struct watch_output *output, const char *bytes, size_t size)
{
	struct pollfd fds[] = {
		{ .fd = output->signal_fd, .events = POLLIN },
		{ .fd = output->fd, .events = POLLOUT },
	};
	ssize_t n;

	if (output->fd < 0)
		return fwrite(bytes, 1, size, output->file) == size ? (ssize_t)size : -EIO;
	if (poll(fds, 2, -1) < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[0].revents != 0)
		return WATCH_STOPPED;
	n = write(output->fd, bytes, size);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	return n;
}

int watch_flush(struct watch_output *output)
{
	size_t at = 0;

	while (at < output->used) {
		ssize_t n = write_some(output, output->bytes + at, output->used - at);

		if (n < 0)
			return (int)n;
		at += (size_t)n;
	}
	output->used = 0;
	return 0;
}

static int put(struct watch_output *output, const char *text)
{
	size_t length = strlen(text);

	while (length > 0) {
		size_t room = sizeof(output->bytes) - output->used;
		size_t n = length < room ? length : room;
		int r;

		memcpy(output->bytes + output->used, text, n);
		output->used += n;
		text += n;
		length -= n;
		r = output->used == sizeof(output->bytes) ? watch_flush(output) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

/* Put one line of JSON and release `json`. */
static int put_json(struct watch_output *output, json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	int r = text ? put(output, text) : -ENOMEM;

	free(text);
	json_decref(json);
	return r < 0 ? r : put(output, "\n");
}

int watch_put_change(struct watch_output *output, uint64_t revision, const char *path,
		     const char *text, const char *flaw, bool is_secret)
{
	char line[KV_PATH_SIZE + KV_VALUE_SIZE + CLI_FLAW_SIZE + 64];

	if (output->json && text)
		return put_json(output, json_pack("{s:s, s:I, s:s, s:s, s:s*, s:o*}", "event",
						  "set", "revision", (json_int_t)revision, "path",
						  path, "value", text, "invalid", flaw, "secret",
						  is_secret ? json_true() : NULL));
	if (output->json)
		return put_json(output, json_pack("{s:s, s:I, s:s}", "event", "del", "revision",
						  (json_int_t)revision, "path", path));
	snprintf(line, sizeof(line), "%llu %s %s%s%s%s%s%s\n", (unsigned long long)revision,
		 text ? "set" : "del", path, text ? " " : "", text ? text : "", flaw ? " (" : "",
		 flaw ? flaw : "", flaw ? ")" : "");
	return put(output, line);
}

int watch_put_synced(struct watch_output *output, uint64_t revision)
{
	char line[64];

	if (output->json)
		return put_json(output, json_pack("{s:s, s:I}", "event", "synced", "revision",
						  (json_int_t)revision));
	snprintf(line, sizeof(line), "synced %llu\n", (unsigned long long)revision);
	return put(output, line);
}

int watch_put_resync(struct watch_output *output)
{
	if (output->json)
		return put_json(output, json_pack("{s:s}", "event", "resync"));
	return put(output, "resync\n");
}

int watch_wait(struct watch_output *output, int fd, int other_fd, int timeout_ms)
{
	struct pollfd fds[] = {
		{ .fd = output->signal_fd, .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
		{ .fd = output->fd }, /* only to notice that it was closed */
		{ .fd = other_fd, .events = POLLIN },
	};
	int n = poll(fds, 4, timeout_ms);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[0].revents != 0)
		return WATCH_STOPPED;
	if (fds[2].revents & (POLLERR | POLLHUP | POLLNVAL))
		return -EPIPE;
	return n == 0;
}
