/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/commit.h"

#include <errno.h>
#include <string.h>

#include "userspace/common/bytes.h"
#include "userspace/common/path.h"

void commit_init(struct commit *commit)
{
	commit->condition = KV_REVISION_ANY;
	commit->n_changes = 0;
	commit->size = 0;
}

static int append(struct commit *commit, const char *path, enum kv_operation operation,
		  const char *text, size_t length)
{
	struct kv_change change = { .operation = (__u16)operation };
	struct bytes_writer writer;
	struct kv_key key;

	if (path_to_key(path, &key) < 0)
		return -EILSEQ;
	if (length > KV_VALUE_MAX)
		return -EMSGSIZE;
	if (commit->n_changes == KV_CHANGES_MAX ||
	    KV_CHANGE_SIZE(length) > KV_REQUEST_MAX - commit->size)
		return -E2BIG;
	memcpy(change.path, key.path, sizeof(change.path));
	change.length = (__u16)length;
	bytes_writer_init(&writer, commit->bytes + commit->size, KV_CHANGE_SIZE(length));
	bytes_put(&writer, &change, sizeof(change));
	bytes_put(&writer, text, length);
	commit->size += KV_CHANGE_SIZE(length);
	commit->n_changes++;
	return 0;
}

int commit_write(struct commit *commit, const char *path, const char *text, size_t length)
{
	return append(commit, path, KV_CHANGE_WRITE, text, length);
}

int commit_delete(struct commit *commit, const char *path)
{
	return append(commit, path, KV_CHANGE_DELETE, "", 0);
}
