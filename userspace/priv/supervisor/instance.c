/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/supervisor/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maps/pins.h"
#include "userspace/common/await.h"
#include "userspace/common/clock.h"
#include "userspace/common/directory.h"
#include "userspace/common/instance.h"
#include "userspace/common/lock.h"
#include "userspace/common/log.h"
#include "userspace/state/state.h"

#define INSTANCE_PATH_MAX (PATH_MAX + 32)

/* The first line of the file at `path`, or "". */
static void read_owner(const char *path, char *owner, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	ssize_t length = fd < 0 ? -1 : read(fd, owner, size - 1);

	owner[length > 0 ? (size_t)length : 0] = '\0';
	owner[strcspn(owner, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}

int instance_init(struct instance *instance, const char *name)
{
	char path[INSTANCE_PATH_MAX], pid[16] = "";
	int r, fd;

	*instance = INSTANCE_NULL(*instance);
	snprintf(instance->directory, sizeof(instance->directory), "%s/%s", RUN_ROOT, name);
	r = directory_make_own(RUN_ROOT, 0711);
	if (!r)
		r = directory_make_own(instance->directory, 0711);
	if (r) {
		log_error("%s: cannot create the run directory: %s", instance->directory,
			  strerror(-r));
		return r;
	}
	snprintf(path, sizeof(path), "%s/lock", instance->directory);
	fd = lock_take(path, true);
	if (fd == -EBUSY) {
		read_owner(path, pid, sizeof(pid));
		log_error("instance %s is already running (pid %s); stop it, or choose another "
			  "name with --instance",
			  name, pid[0] ? pid : "unknown");
	} else if (fd < 0) {
		log_error("%s: %s", path, strerror(-fd));
	}
	if (fd < 0)
		return fd;
	snprintf(pid, sizeof(pid), "%d\n", getpid());
	if (ftruncate(fd, 0) || pwrite(fd, pid, strlen(pid), 0) < 0)
		log_warning("%s: cannot write our process id: %s", path, strerror(errno));
	instance->lock_fd = fd;
	return 0;
}

static void unlock_uplink(struct instance *instance)
{
	if (instance->uplink_fd < 0)
		return;
	unlink(instance->uplink_lock); /* while it is locked; see lock_take() */
	close(instance->uplink_fd);
	instance->uplink_fd = -1;
}

int instance_lock_uplink(struct instance *instance, const char *name, int ifindex)
{
	const char *own = strrchr(instance->directory, '/') + 1;
	char path[PATH_MAX], other[INSTANCE_NAME_MAX + 1] = "";
	struct stat namespace;
	int n, fd;

	if (stat("/proc/self/ns/net", &namespace)) {
		fd = -errno;
		log_error("/proc/self/ns/net: %s", strerror(-fd));
		return fd;
	}
	/* Has a dot, so it is not the name of an instance. */
	n = snprintf(path, sizeof(path), "%.*suplink.%ju.%d", (int)(own - instance->directory),
		     instance->directory, (uintmax_t) namespace.st_ino, ifindex);
	if (n < 0 || n >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (instance->uplink_fd >= 0 && !strcmp(path, instance->uplink_lock))
		return 0;
	unlock_uplink(instance);
	fd = lock_take(path, true);
	if (fd == -EBUSY) {
		read_owner(path, other, sizeof(other));
		log_error("%s: instance %s is already running on this uplink; stop it, or name "
			  "another uplink with --interface",
			  name, other[0] ? other : "(unknown)");
	} else if (fd < 0) {
		log_error("%s: %s", path, strerror(-fd));
	}
	if (fd < 0)
		return fd;
	if (ftruncate(fd, 0) || pwrite(fd, own, strlen(own), 0) < 0)
		log_warning("%s: cannot write the name of the instance: %s", path, strerror(errno));
	instance->uplink_fd = fd;
	memcpy(instance->uplink_lock, path, (size_t)n + 1);
	return 0;
}

/* The real uid of a process, or UINT32_MAX if it is gone. */
static uint32_t uid_of(pid_t pid)
{
	char path[32], line[128];
	uint32_t uid = UINT32_MAX;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	status = fopen(path, "re");
	if (!status)
		return uid;
	while (uid == UINT32_MAX && fgets(line, sizeof(line), status))
		if (!strncmp(line, "Uid:", 4))
			uid = (uint32_t)strtoul(line + 4, NULL, 10);
	fclose(status);
	return uid;
}

/* Kill this process, unless it has none of the uids from `base` on. */
static void end_leftover(pid_t pid, json_int_t base, const struct await_limit *limit)
{
	uint32_t uid = pid > 1 ? uid_of(pid) : UINT32_MAX;

	if (base <= 0 || uid < base || uid >= base + INSTANCE_UIDS)
		return;
	log_warning("killing process %d, left by a supervisor that was killed", (int)pid);
	kill(pid, SIGKILL);
	while (uid_of(pid) == uid && !await_pause(limit, NS_PER_MS))
		;
}

void instance_end_leftovers(const struct instance *instance, int stop_fd)
{
	static const char *const pids[] = { STATE_CALF_GATEWAY_PID, STATE_CALF_PID };
	const struct await_limit forever = { .stop_fd = stop_fd, .until_ns = UINT64_MAX };
	const struct await_limit limit = await_within(&forever, NS_PER_S);
	char path[INSTANCE_PATH_MAX], error[STATE_ERROR_SIZE];
	json_t *state, *calf;
	json_int_t base;
	size_t i;

	snprintf(path, sizeof(path), "%s/" STATE_FILE, instance->directory);
	state = state_load(path, error);
	if (error[0])
		log_warning("%s; replacing it without looking for gateways that a killed "
			    "supervisor left",
			    error);
	base = json_integer_value(json_object_get(state, STATE_UID_BASE));
	json_array_foreach(json_object_get(state, STATE_CALVES), i, calf)
	{
		for (size_t j = 0; j < sizeof(pids) / sizeof(pids[0]); j++)
			end_leftover((pid_t)json_integer_value(json_object_get(calf, pids[j])),
				     base, &limit);
	}
	json_decref(state);
}

int instance_write_state(const struct instance *instance, const char *json)
{
	const struct directory_text text = { json, strlen(json) };
	int r = directory_replace_file(instance->directory, STATE_FILE, 0600, directory_fill_text,
				       &text);

	if (r)
		log_warning("%s/" STATE_FILE ": %s", instance->directory, strerror(-r));
	return r;
}

void instance_deinit(struct instance *instance)
{
	char path[INSTANCE_PATH_MAX];

	if (instance->lock_fd < 0)
		return;
	unlock_uplink(instance);
	snprintf(path, sizeof(path), "%s/" STATE_FILE, instance->directory);
	unlink(path);
	/* Keep the lock file: removing it would race with a process that waits for it. */
	if (ftruncate(instance->lock_fd, 0))
		log_debug("%s: %s", path, strerror(errno));
	close(instance->lock_fd);
	*instance = INSTANCE_NULL(*instance);
}
