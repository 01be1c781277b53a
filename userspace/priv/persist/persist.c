/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: restoring the saved store. Anything with access to the disk may have written
 * the file since, so all of it is checked before a byte is used. A damaged file is
 * renamed for later inspection, and the start continues.
 */
#include "userspace/priv/persist/persist.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "userspace/common/gate.h"
#include "userspace/common/log.h"
#include "userspace/common/path.h"

/* Damaged files to keep; then the last one is replaced. */
#define DAMAGED_MAX 99
#define NAME_SIZE 32

static bool is_printable(const uint8_t *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	return true;
}

/* Read and check one entry. Returns NULL, or the reason why it is invalid. */
static const char *read_entry(struct bytes_reader *reader, struct persist_entry *entry)
{
	const uint8_t *path, *text;
	uint16_t path_length;

	memset(&entry->key, 0, sizeof(entry->key));
	entry->revision = bytes_le64(reader);
	entry->wall_ns = bytes_le64(reader);
	path_length = bytes_le16(reader);
	entry->length = bytes_le16(reader);
	path = bytes_view(reader, path_length);
	text = bytes_view(reader, entry->length);
	if (!path || !text)
		return "an entry is truncated";
	if (path_length > KV_PATH_MAX || entry->length > KV_VALUE_MAX)
		return "an entry is too long";
	memcpy(entry->key.path, path, path_length);
	if (strlen(entry->key.path) != path_length || !path_key_is_canonical(&entry->key))
		return "a path is not canonical";
	if (!is_printable(text, entry->length))
		return "a value is not printable";
	entry->text = (const char *)text;
	return NULL;
}

static const char *check_entries(const struct persist_snapshot *snapshot)
{
	struct bytes_reader reader = snapshot->entries;
	struct persist_entry entry;
	struct kv_key previous = { "" };

	for (uint32_t i = 0; i < snapshot->n_entries; i++) {
		const char *reason = read_entry(&reader, &entry);

		if (reason)
			return reason;
		if (strcmp(previous.path, entry.key.path) >= 0)
			return "paths are not in order";
		if (!entry.revision || entry.revision > snapshot->revision)
			return "an entry is newer than the store";
		previous = entry.key;
	}
	return bytes_left(&reader) ? "data after the last entry" : NULL;
}

const char *persist_check(struct persist_snapshot *snapshot, const void *bytes, size_t size)
{
	struct persist_snapshot found = PERSIST_SNAPSHOT_NULL(found);
	struct bytes_reader reader;
	const char *reason;
	const uint8_t *magic;
	uint64_t stated_size;
	uint32_t version, crc;

	if (size < PERSIST_SIZE_MIN || size > PERSIST_SIZE_MAX)
		return "impossible size for a snapshot";
	bytes_reader_init(&reader, bytes, size);
	magic = bytes_view(&reader, 8);
	if (!magic || memcmp(magic, PERSIST_MAGIC, 8) != 0)
		return "it does not start with the magic number of a snapshot";
	version = bytes_le32(&reader);
	if (version != PERSIST_VERSION)
		return version > PERSIST_VERSION ? "its layout is newer than this program" :
						   "its layout is older than this program";
	found.n_entries = bytes_le32(&reader);
	found.revision = bytes_le64(&reader);
	stated_size = bytes_le64(&reader);
	if (stated_size != size)
		return "its size differs from the size in its header";
	found.entries = bytes_sub(&reader, size - PERSIST_SIZE_MIN);
	crc = bytes_le32(&reader);
	if (crc != crc32(crc32(0, NULL, 0), bytes, (uInt)(size - PERSIST_TRAILER_SIZE)))
		return "its checksum is wrong";
	if (found.n_entries > PERSIST_ENTRIES_MAX)
		return "more entries than a store can hold";
	if (found.revision > INT64_MAX)
		return "its revision is out of range";
	reason = check_entries(&found);
	if (!reason)
		*snapshot = found;
	return reason;
}

bool persist_next(struct persist_snapshot *snapshot, struct persist_entry *entry)
{
	return bytes_left(&snapshot->entries) && !read_entry(&snapshot->entries, entry);
}

/* Read the whole file. Returns its bytes, to be freed by the caller, or NULL with the
 * reason. */
static uint8_t *read_file(int directory_fd, const char *file, size_t *sizep, const char **reasonp)
{
	uint8_t *bytes = NULL;
	struct stat status;
	size_t at = 0;
	int fd;

	fd = openat(directory_fd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0) {
		*reasonp = strerror(errno);
		goto cleanup;
	}
	if (!S_ISREG(status.st_mode) || status.st_uid != geteuid()) {
		*reasonp = "not a regular file, or not owned by this user";
		goto cleanup;
	}
	if (status.st_size < (off_t)PERSIST_SIZE_MIN || status.st_size > (off_t)PERSIST_SIZE_MAX) {
		*reasonp = "impossible size for a snapshot";
		goto cleanup;
	}
	*sizep = (size_t)status.st_size;
	bytes = malloc(*sizep);
	*reasonp = bytes ? NULL : strerror(ENOMEM);
	while (!*reasonp && at < *sizep) {
		ssize_t n = read(fd, bytes + at, *sizep - at);

		if (n > 0)
			at += (size_t)n;
		else if (n == 0 || errno != EINTR)
			*reasonp = n == 0 ? "truncated while it was read" : strerror(errno);
	}
cleanup:
	if (fd >= 0)
		(void)close(fd);
	if (*reasonp) {
		free(bytes);
		bytes = NULL;
	}
	return bytes;
}

/* Rename the file so that no later save replaces it. */
static void set_aside(const char *directory, int directory_fd, const char *file, const char *what,
		      const char *reason)
{
	char name[NAME_SIZE];
	struct stat status;
	int n = 0;

	do {
		(void)snprintf(name, sizeof(name), "%s.damaged-%d", file, ++n);
	} while (n < DAMAGED_MAX && fstatat(directory_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0);
	if (renameat(directory_fd, file, directory_fd, name) < 0)
		log_error("%s/%s %s: %s; cannot rename it: %s", directory, file, what, reason,
			  strerror(errno));
	else
		log_error("%s/%s %s: %s; renamed to %s", directory, file, what, reason, name);
}

static int load(const char *directory, const char *file, struct persist_snapshot *snapshot)
{
	const char *reason = NULL;
	struct stat status;
	uint8_t *bytes;
	size_t size = 0;
	int directory_fd;

	directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory_fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (directory_fd < 0) {
		log_error("%s: cannot open: %s; restoring nothing", directory, strerror(errno));
		return -EBADMSG;
	}
	if (fstatat(directory_fd, file, &status, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT) {
		(void)close(directory_fd);
		return -ENOENT;
	}
	bytes = read_file(directory_fd, file, &size, &reason);
	if (bytes)
		reason = persist_check(snapshot, bytes, size);
	if (reason) {
		set_aside(directory, directory_fd, file, "is damaged", reason);
		free(bytes);
	} else {
		snapshot->bytes = bytes;
	}
	(void)close(directory_fd);
	return reason ? -EBADMSG : 0;
}

int persist_load(const char *directory, struct persist_snapshot *snapshot)
{
	return load(directory, PERSIST_FILE, snapshot);
}

int persist_load_secrets(const char *directory, struct persist_snapshot *snapshot)
{
	return load(directory, PERSIST_SECRETS_FILE, snapshot);
}

void persist_snapshot_deinit(struct persist_snapshot *snapshot)
{
	free(snapshot->bytes);
	*snapshot = PERSIST_SNAPSHOT_NULL(*snapshot);
}

static const char *const files[] = { PERSIST_FILE, PERSIST_SECRETS_FILE };
#define N_FILES (sizeof(files) / sizeof(files[0]))

/* A restore in progress. */
struct restore {
	struct persist_snapshot snapshots[N_FILES];
	bool is_loaded[N_FILES];
	int gate_fd;
	uint32_t n_keys; /* restored so far */
	struct commit commit;
};

static int run_commit(struct restore *restore)
{
	int r = 0;

	if (restore->commit.n_changes)
		r = gate_commit(restore->gate_fd, &restore->commit, NULL, NULL);
	if (!r)
		restore->n_keys += restore->commit.n_changes;
	commit_init(&restore->commit);
	return r;
}

static int add_key(struct restore *restore, const struct persist_entry *entry)
{
	int r = commit_write(&restore->commit, entry->key.path, entry->text, entry->length);

	if (r != -E2BIG)
		return r;
	r = run_commit(restore);
	return r ? r : commit_write(&restore->commit, entry->key.path, entry->text, entry->length);
}

static bool is_wanted(const struct persist_entry *entry, const struct description *descriptions,
		      uint32_t n_descriptions)
{
	const char *path = entry->key.path;
	const struct key_rule *key = persist_find_key(descriptions, n_descriptions, path);
	int r;

	if (!key) {
		log_debug("not restoring %s: not persistent in any description", path);
		return false;
	}
	r = value_check(&key->rule, entry->text, entry->length);
	if (r)
		log_warning("not restoring %s: the saved value is not a valid %s", path,
			    value_type_name(key->rule.type));
	return !r;
}

/* Returns true if another file has a newer value of the key. */
static bool is_outdated(const struct restore *restore, size_t i_file,
			const struct persist_entry *entry)
{
	for (size_t i = 0; i < N_FILES; i++) {
		struct persist_snapshot other = restore->snapshots[i];
		struct persist_entry found;

		while (i != i_file && persist_next(&other, &found))
			if (!strcmp(found.key.path, entry->key.path) &&
			    found.revision > entry->revision)
				return true;
	}
	return false;
}

static int restore_keys(struct restore *restore, size_t i_file,
			const struct description *descriptions, uint32_t n_descriptions)
{
	struct persist_snapshot rest = restore->snapshots[i_file];
	struct persist_entry entry;
	int r = 0;

	commit_init(&restore->commit);
	while (!r && persist_next(&rest, &entry))
		if (is_wanted(&entry, descriptions, n_descriptions) &&
		    !is_outdated(restore, i_file, &entry))
			r = add_key(restore, &entry);
	return r ? r : run_commit(restore);
}

/* Rename the files: the store contains at most a part of them, and the next save writes
 * only that part. */
static void keep_unrestored(const struct restore *restore, const char *directory, int error)
{
	int directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < N_FILES; i++)
		if (restore->is_loaded[i])
			set_aside(directory, directory_fd, files[i], "was not restored completely",
				  strerror(-error));
	if (directory_fd >= 0)
		(void)close(directory_fd);
}

static int restore_all(struct restore *restore, const char *directory, uint64_t revision,
		       const struct description *descriptions, uint32_t n_descriptions)
{
	bool is_any = false;
	int r = 0;

	for (size_t i = 0; i < N_FILES; i++) {
		/* no file, or already logged */
		restore->is_loaded[i] = !load(directory, files[i], &restore->snapshots[i]);
		is_any |= restore->is_loaded[i];
		if (revision < restore->snapshots[i].revision)
			revision = restore->snapshots[i].revision;
	}
	if (revision)
		r = gate_restore(restore->gate_fd, revision);
	for (size_t i = 0; !r && i < N_FILES; i++)
		r = restore_keys(restore, i, descriptions, n_descriptions);
	if (r)
		keep_unrestored(restore, directory, r);
	else if (is_any)
		log_info("restored %" PRIu32 " keys as of revision %" PRIu64, restore->n_keys,
			 revision);
	return r;
}

int persist_restore(const char *directory, int supervisor_gate_fd, uint64_t revision,
		    const struct description *descriptions, uint32_t n_descriptions)
{
	struct restore *restore = calloc(1, sizeof(*restore));
	int r;

	if (!restore)
		return -ENOMEM;
	restore->gate_fd = supervisor_gate_fd;
	r = restore_all(restore, directory, revision, descriptions, n_descriptions);
	for (size_t i = 0; i < N_FILES; i++)
		persist_snapshot_deinit(&restore->snapshots[i]);
	free(restore);
	return r;
}
