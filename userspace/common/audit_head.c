/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: two copies, of which `n_updates` selects one. The other one is written, and then
 * `n_updates` is incremented.
 */
#include "userspace/common/audit_head.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "userspace/common/hash.h"

#define VERSION 1
#define READS_MAX 1000 /* while it is written all the time */

struct audit_head_page {
	uint32_t version;
	uint32_t n_updates; /* 0: empty */
	struct audit_head heads[2];
};

uint64_t audit_head_log(const char *path)
{
	return hash_text(HASH_START, path);
}

static void *map(int fd, int protection)
{
	void *page = mmap(NULL, sizeof(struct audit_head_page), protection, MAP_SHARED, fd, 0);

	return page == MAP_FAILED ? NULL : page;
}

int audit_head_open(const char *path, struct audit_head_page **pagep)
{
	static const struct audit_head_page empty = { .version = VERSION };
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600), r = 0;
	struct audit_head_page *page = NULL;
	uint32_t version = 0;

	if (fd < 0)
		return -errno;
	/* Written and not only extended: then its memory is there. */
	if ((lseek(fd, 0, SEEK_END) != sizeof(empty) || lseek(fd, 0, SEEK_SET) ||
	     read(fd, &version, sizeof(version)) != sizeof(version) || version != VERSION) &&
	    (ftruncate(fd, sizeof(empty)) || pwrite(fd, &empty, sizeof(empty), 0) != sizeof(empty)))
		r = errno ? -errno : -ENOSPC;
	if (!r) {
		page = map(fd, PROT_READ | PROT_WRITE);
		r = page ? 0 : -errno;
	}
	(void)close(fd);
	if (!r)
		*pagep = page;
	return r;
}

void audit_head_close(struct audit_head_page *page)
{
	if (page)
		(void)munmap(page, sizeof(*page));
}

void audit_head_set(struct audit_head_page *page, const struct audit_head *head)
{
	uint32_t n = page->n_updates + 1;

	page->heads[n % 2] = *head;
	__atomic_store_n(&page->n_updates, n ? n : 2, __ATOMIC_RELEASE);
}

int audit_head_get(const struct audit_head_page *page, struct audit_head *headp)
{
	struct audit_head head;

	for (int i = 0; i < READS_MAX; i++) {
		uint32_t n = __atomic_load_n(&page->n_updates, __ATOMIC_ACQUIRE);

		if (!n)
			break;
		head = page->heads[n % 2];
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(&page->n_updates, __ATOMIC_RELAXED) != n)
			continue;
		head.hash[CHAIN_SIZE - 1] = head.log_hash[CHAIN_SIZE - 1] = '\0';
		if (!chain_is_hash(head.hash) ||
		    (head.log_hash[0] && !chain_is_hash(head.log_hash)))
			break;
		*headp = head;
		return 0;
	}
	return -ENODATA;
}

int audit_head_read(const char *path, struct audit_head *headp)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), r = -ENODATA;
	struct audit_head_page *page;
	struct stat status;

	if (fd < 0)
		return -errno;
	page = !fstat(fd, &status) && status.st_size == sizeof(*page) ? map(fd, PROT_READ) : NULL;
	if (page && page->version == VERSION)
		r = audit_head_get(page, headp);
	audit_head_close(page);
	(void)close(fd);
	return r;
}
