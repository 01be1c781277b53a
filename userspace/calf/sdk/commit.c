/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "userspace/calf/sdk/calf.h"
#include "userspace/common/bytes.h"
#include "userspace/common/path.h"

void calf_commit_init(struct calf_commit *commit)
{
	commit->n_changes = 0;
	commit->size = 0;
}

static int append(struct calf_commit *commit, const char *path, enum kv_operation operation,
		  const char *text)
{
	struct kv_change change = { .operation = (__u16)operation };
	size_t length = strlen(text);
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

int calf_commit_write(struct calf_commit *commit, const char *path, const char *text)
{
	return append(commit, path, KV_CHANGE_WRITE, text);
}

int calf_commit_delete(struct calf_commit *commit, const char *path)
{
	return append(commit, path, KV_CHANGE_DELETE, "");
}
