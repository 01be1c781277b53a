/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/persist/revision.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "userspace/common/bytes.h"
#include "userspace/common/directory.h"
#include "userspace/common/log.h"
#include "userspace/priv/persist/persist.h"

#define DAMAGED PERSIST_REVISION_FILE ".damaged"

static uint32_t checksum(const uint8_t bytes[PERSIST_REVISION_SIZE])
{
	return (uint32_t)crc32(crc32(0, NULL, 0), bytes, PERSIST_REVISION_SIZE - 4);
}

static bool parse(const uint8_t *bytes, size_t size, uint64_t *revisionp)
{
	struct bytes_reader reader;
	const uint8_t *magic;
	uint32_t version;
	uint64_t revision;

	bytes_reader_init(&reader, bytes, size);
	magic = bytes_view(&reader, 8);
	version = bytes_le32(&reader);
	revision = bytes_le64(&reader);
	if (!magic || memcmp(magic, PERSIST_REVISION_MAGIC, 8) != 0 ||
	    version != PERSIST_REVISION_VERSION || size != PERSIST_REVISION_SIZE ||
	    bytes_le32(&reader) != checksum(bytes) || revision > INT64_MAX)
		return false;
	*revisionp = revision;
	return true;
}

int persist_revision_load(const char *directory, uint64_t *revisionp)
{
	uint8_t bytes[PERSIST_REVISION_SIZE + 1];
	int directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd, r;
	ssize_t size = -1;

	if (directory_fd < 0)
		return errno == ENOENT ? -ENOENT : -EBADMSG;
	fd = openat(directory_fd, PERSIST_REVISION_FILE,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	r = fd < 0 && errno == ENOENT ? -ENOENT : -EBADMSG;
	(void)close(directory_fd);
	if (fd < 0)
		return r;
	size = read(fd, bytes, sizeof(bytes));
	(void)close(fd);
	return size >= 0 && parse(bytes, (size_t)size, revisionp) ? 0 : -EBADMSG;
}

static int fill(int fd, const void *data)
{
	const uint64_t *revision = data;
	uint8_t bytes[PERSIST_REVISION_SIZE];
	struct bytes_writer writer;
	ssize_t n;

	bytes_writer_init(&writer, bytes, sizeof(bytes));
	bytes_put(&writer, PERSIST_REVISION_MAGIC, 8);
	bytes_put_le32(&writer, PERSIST_REVISION_VERSION);
	bytes_put_le64(&writer, *revision);
	bytes_put_le32(&writer, checksum(bytes));
	n = write(fd, bytes, sizeof(bytes));
	if (n != (ssize_t)sizeof(bytes))
		return n < 0 ? -errno : -ENOSPC;
	return 0;
}

int persist_revision_save(const char *directory, uint64_t revision)
{
	return directory_replace_file(directory, PERSIST_REVISION_FILE, 0600, fill, &revision);
}

uint64_t persist_revision_last(const char *directory)
{
	struct persist_snapshot snapshot = PERSIST_SNAPSHOT_NULL(snapshot);
	char from[PATH_MAX], to[PATH_MAX];
	uint64_t revision = 0, saved = 0;
	int r = persist_revision_load(directory, &revision);

	if (persist_load(directory, &snapshot) == 0)
		saved = snapshot.revision;
	persist_snapshot_deinit(&snapshot);
	if (persist_load_secrets(directory, &snapshot) == 0 && saved < snapshot.revision)
		saved = snapshot.revision;
	persist_snapshot_deinit(&snapshot);
	if (r == -EBADMSG) {
		revision = saved + PERSIST_REVISION_DAMAGED_JUMP;
		log_error("%s/%s is damaged; renamed to %s, revisions continue far above the last "
			  "known one",
			  directory, PERSIST_REVISION_FILE, DAMAGED);
		if ((size_t)snprintf(from, sizeof(from), "%s/%s", directory,
				     PERSIST_REVISION_FILE) < sizeof(from) &&
		    (size_t)snprintf(to, sizeof(to), "%s/%s", directory, DAMAGED) < sizeof(to))
			(void)rename(from, to);
	}
	return revision > saved ? revision : saved;
}

/* Runs in the child process. Returns its exit code: 0, or a positive errno. */
static int reserve(const char *directory, uint64_t revision)
{
	int r = directory_make(directory, 0700);

	return r ? -r : -persist_revision_save(directory, revision + PERSIST_REVISION_AHEAD);
}

pid_t persist_revision_begin(const char *directory, uint64_t revision)
{
	uint64_t ahead = 0;
	pid_t pid;

	if (!directory[0] || (persist_revision_load(directory, &ahead) == 0 &&
			      ahead >= revision + PERSIST_REVISION_AHEAD / 2))
		return 0;
	pid = fork();
	if (pid == 0)
		_exit(reserve(directory, revision));
	if (pid < 0)
		log_warning("cannot fork: %s; revisions may be reused after a power cut",
			    strerror(errno));
	return pid > 0 ? pid : 0;
}

void persist_revision_end(const char *directory, pid_t pid)
{
	int status;

	if (pid <= 0)
		return;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		log_warning("%s/%s: cannot write: %s; revisions may be reused after a power cut",
			    directory, PERSIST_REVISION_FILE,
			    WIFEXITED(status) ? strerror(WEXITSTATUS(status)) : "killed");
}
