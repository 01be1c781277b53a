/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calf-NAME: reads /config/NAME/say, "nameserver/001=2001:db8::1;search=a.example", writes
 * /nameserver/NAME/001 and /search/NAME, and deletes its other keys, in one commit.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/calf/sdk/calf.h"
#include "userspace/common/log.h"

static const char *name; /* of the calf, which is behind "calf-" in that of the program */
static char said[KV_VALUE_SIZE];
static struct commit commit;

/* Make "/nameserver/NAME/001" of "nameserver/001". */
static void place(const char *item, size_t length, char path[static KV_PATH_SIZE])
{
	size_t family = strcspn(item, "/=");

	if (family > length)
		family = length;
	(void)snprintf(path, KV_PATH_SIZE, "/%.*s/%s%.*s", (int)family, item, name,
		       (int)(length - family), item + family);
}

static void refuse(struct calf *calf, const char *what, int status, const char *text)
{
	log_error("%s: %s", what, text);
	calf_stop(calf, status);
}

static void on_committed(struct calf *calf, int status, const char *text, size_t length, void *data)
{
	(void)length;
	(void)data;
	if (status < 0)
		refuse(calf, "commit", status, text);
	else
		log_info("said");
}

static bool is_said(const char *path)
{
	for (const char *item = said; *item; item += strcspn(item, ";"), item += *item == ';') {
		char own[KV_PATH_SIZE];

		place(item, strcspn(item, "="), own);
		if (!strcmp(path, own))
			return true;
	}
	return false;
}

static void on_entry(struct calf *calf, const struct calf_entry *entry, void *data)
{
	(void)calf;
	(void)data;
	if (strncmp(entry->path, "/config/", 8) != 0 && !is_said(entry->path))
		(void)commit_delete(&commit, entry->path);
}

static void on_listed(struct calf *calf, int status, const char *text, size_t length, void *data)
{
	(void)length;
	(void)data;
	if (status < 0) {
		refuse(calf, "list", status, text);
		return;
	}
	for (const char *item = said; *item; item += strcspn(item, ";"), item += *item == ';') {
		size_t end = strcspn(item, ";"), equal = strcspn(item, "=");
		char path[KV_PATH_SIZE];

		place(item, equal, path);
		if (equal < end)
			(void)commit_write(&commit, path, item + equal + 1, end - equal - 1);
	}
	if (commit.n_changes && calf_store_commit(calf, &commit, on_committed, NULL) < 0)
		calf_stop(calf, -EIO);
}

static void on_option(struct calf *calf, int status, const char *text, size_t length, void *data)
{
	(void)data;
	if (status < 0 && status != CALF_NOT_FOUND) {
		refuse(calf, "say", status, text);
		return;
	}
	if (status == CALF_OK)
		memcpy(said, text, length + 1);
	commit_init(&commit);
	if (calf_store_list(calf, "", on_entry, on_listed, NULL) < 0)
		calf_stop(calf, -EIO);
}

int main(int argc, char **argv)
{
	static struct calf calf;
	char option[KV_PATH_SIZE];

	(void)argc;
	name = strrchr(argv[0], '-') + 1;
	log_init(name, STDERR_FILENO, LOG_LEVEL_INFO);
	(void)snprintf(option, sizeof(option), "/config/%s/say", name);
	if (calf_init(&calf, &CALF_FDS_STANDARD) < 0 || calf_confine() < 0 ||
	    calf_store_read(&calf, option, on_option, NULL) < 0)
		return EXIT_FAILURE;
	return calf_run(&calf) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
