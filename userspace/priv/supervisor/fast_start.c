/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/supervisor/fast_start.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "userspace/common/lock.h"
#include "userspace/common/log.h"

#define SET "1"

/* Read a short text, without the end of its line. Returns 0 or a negative errno. */
static int read_value(int fd, char value[static FAST_START_VALUE_SIZE])
{
	ssize_t n = pread(fd, value, FAST_START_VALUE_SIZE - 1, 0);

	if (n < 0)
		return -errno;
	value[n] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return 0;
}

static int write_value(int fd, const char *value)
{
	size_t size = strlen(value);
	ssize_t n = pwrite(fd, value, size, 0);

	return n == (ssize_t)size ? 0 : n < 0 ? -errno : -EIO;
}

/* Note the former value before the switch is set. What a killed start has noted stays, as it
 * has left the switch set. */
static int set(struct fast_start *fast)
{
	char noted[FAST_START_VALUE_SIZE];
	int r = read_value(fast->lock_fd, noted);

	if (!r)
		r = read_value(fast->switch_fd, fast->former);
	if (!r && noted[0] != '\0' && !strcmp(fast->former, SET))
		memcpy(fast->former, noted, sizeof(noted));
	else if (!r && ftruncate(fast->lock_fd, 0))
		r = -errno;
	else if (!r)
		r = write_value(fast->lock_fd, fast->former);
	return r ? r : write_value(fast->switch_fd, SET);
}

static void close_all(struct fast_start *fast)
{
	if (fast->switch_fd >= 0)
		(void)close(fast->switch_fd);
	if (fast->lock_fd >= 0)
		(void)close(fast->lock_fd);
	*fast = FAST_START_NULL(*fast);
}

void fast_start_begin(struct fast_start *fast, const char *path, const char *lock)
{
	int r = 0;

	fast->switch_fd = open(path, O_RDWR | O_CLOEXEC);
	if (fast->switch_fd < 0)
		r = -errno;
	else
		r = fast->lock_fd = lock_take(lock, true);
	if (r >= 0)
		r = set(fast);
	if (r == -EBUSY)
		log_info("fast_start: another instance is starting, too");
	else if (r)
		log_info("fast_start: %s: %s; starting as without it", path, strerror(-r));
	if (r)
		close_all(fast);
}

void fast_start_end(struct fast_start *fast)
{
	int r = fast->switch_fd < 0 ? 0 : write_value(fast->switch_fd, fast->former);

	if (r)
		log_error("fast_start: cannot restore " FAST_START_SWITCH ": %s; write %s to it",
			  strerror(-r), fast->former);
	else if (fast->lock_fd >= 0 && ftruncate(fast->lock_fd, 0))
		log_warning("fast_start: cannot empty the lock file: %s", strerror(errno));
	close_all(fast);
}
