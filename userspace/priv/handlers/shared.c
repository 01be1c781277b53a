/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/handlers/shared.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "userspace/priv/handlers/file.h"
#include "userspace/priv/handlers/lease.h"
#include "userspace/priv/handlers/state.h"

/* Has a dot, so it is not the name of an instance. */
#define LOCK "handlers.lock"
#define UNTIL_FILE "until"
#define UNTIL_SIZE 80 /* three numbers */
#define WAIT_NS 10000000
#define WAITS_MAX 100

/* RUN_ROOT/NAME, or RUN_ROOT/INSTANCE/NAME. */
static int path_of(const struct handler_context *context, const char *instance, const char *name,
		   char path[static PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/%s%s%s", context->run_root, instance ? instance : "",
			 instance ? "/" : "", name);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int shared_lock(struct handler_context *context, int *fdp)
{
	const struct timespec wait = { .tv_nsec = WAIT_NS };
	char path[PATH_MAX];
	int i, fd, r = path_of(context, NULL, LOCK, path);

	if (r)
		return handler_fail(context, r, "run directory");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	if (fd < 0)
		return handler_fail(context, -errno, "%s", path);
	/* Do not wait for long: a stopped watcher of another instance may hold the lock. */
	for (i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		r = -errno;
		if ((r != -EWOULDBLOCK && r != -EINTR) || i == WAITS_MAX) {
			(void)close(fd);
			return handler_fail(context, r, "%s", path);
		}
		(void)ppoll(NULL, 0, &wait, NULL);
	}
	*fdp = fd;
	return 0;
}

void shared_unlock(int fd)
{
	(void)close(fd);
}

/* An interface index means something only together with its network namespace. */
static uint64_t network_of_process(void)
{
	struct stat status;

	return stat("/proc/self/ns/net", &status) ? 0 : status.st_ino;
}

const struct wanted *shared_begin(struct handler_context *context, const struct wanted *wanted)
{
	static const struct wanted none;

	context->state->shared.lease_end_ns = lease_end_ns(context, wanted);
	return context->state->shared.lease_end_ns > context->now_ns ? wanted : &none;
}

/* What an instance's note says; nothing is known without one. */
struct until {
	uint64_t end_ns; /* UINT64_MAX: never */
	int ifindex;	 /* of its uplink, 0: unknown */
	uint64_t network;
};

static int until_read(struct handler_context *context, const char *instance, struct until *untilp)
{
	struct until until = { 0 };
	char path[PATH_MAX], text[UNTIL_SIZE];
	int n = path_of(context, instance, UNTIL_FILE, path);

	if (!n)
		n = file_read(path, text, sizeof(text));
	if (n < 0 && n != -ENOENT && n != -EFBIG)
		return handler_fail(context, n, "%s", path);
	if (n < 0 || sscanf(text, "%" SCNu64 " %d %" SCNu64, /* NOLINT(cert-err34-c) */
			    &until.end_ns, &until.ifindex, &until.network) != 3)
		until = (struct until){ .end_ns = UINT64_MAX };
	*untilp = until;
	return 0;
}

static bool is_over(const struct handler_context *context, const char *instance,
		    const struct until *until)
{
	bool is_renamed = until->ifindex && until->ifindex == context->uplink_ifindex &&
			  strcmp(instance, context->instance) != 0 &&
			  until->network == network_of_process();

	return until->end_ns <= context->now_ns || is_renamed;
}

bool shared_is_over(struct handler_context *context, const char *instance)
{
	struct until until = { 0 };

	return !until_read(context, instance, &until) && is_over(context, instance, &until);
}

/* Returns 0, 1 if a file was removed, or a negative errno as handler_fail(). */
static int replace(struct handler_context *context, const char *name, const char *text,
		   size_t length)
{
	char present[SHARED_TEXT_SIZE];
	char path[PATH_MAX];
	int n, r = path_of(context, context->instance, name, path);

	if (r)
		return handler_fail(context, r, "run directory");
	n = file_read(path, present, sizeof(present));
	if (n == -ENOENT && !text)
		return 0;
	if (text && n == (int)length && !memcmp(present, text, length))
		return 0;
	r = text ? file_write(path, text, length) : file_remove(path);
	if (r)
		return handler_fail(context, r, "%s", path);
	return !text;
}

/* Remove the note of an instance that has no other file. */
static int tidy(struct handler_context *context, const char *instance)
{
	static const char *const names[] = { "resolv.conf", "hostname", "domainname",
					     "ntp-servers" };
	char path[PATH_MAX];
	int r;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (path_of(context, instance, names[i], path) || access(path, F_OK) == 0)
			return 0;
	r = path_of(context, instance, UNTIL_FILE, path);
	if (!r)
		r = file_remove(path);
	return r ? handler_fail(context, r, "%s", path) : 0;
}

static int say_until(struct handler_context *context)
{
	char until[UNTIL_SIZE];
	int n = snprintf(until, sizeof(until), "%" PRIu64 " %d %" PRIu64 "\n",
			 context->state->shared.lease_end_ns, context->uplink_ifindex,
			 network_of_process());

	context->state->shared.has_said = true;
	return replace(context, UNTIL_FILE, until, (size_t)n);
}

bool shared_renew(struct handler_context *context, const struct wanted *wanted)
{
	struct shared_state *shared = &context->state->shared;
	bool was_over = shared->lease_end_ns <= context->now_ns;
	uint64_t end_ns = lease_end_ns(context, wanted);

	if (end_ns == shared->lease_end_ns)
		return false;
	shared->lease_end_ns = end_ns;
	if (was_over || end_ns <= context->now_ns)
		return true;
	return shared->has_said && say_until(context) < 0;
}

/* Note the lease's end before the text: if the process is killed in between, the old
 * text ends with the new lease. */
int shared_say(struct handler_context *context, const char *name, const char *text, size_t length)
{
	int r = text ? say_until(context) : 0;

	if (!r)
		r = replace(context, name, text, length);
	return r > 0 ? tidy(context, context->instance) : r;
}

int shared_forget(struct handler_context *context)
{
	int r = replace(context, UNTIL_FILE, NULL, 0);

	return r < 0 ? r : 0;
}

static void note_end(struct handler_context *context, uint64_t end_ns)
{
	uint64_t *next_ns = &context->state->shared.next_end_ns;

	if (end_ns != UINT64_MAX && (!*next_ns || end_ns < *next_ns))
		*next_ns = end_ns;
}

static int read_one(struct handler_context *context, const char *instance, const char *name,
		    shared_fn call, void *data)
{
	char text[SHARED_TEXT_SIZE];
	char path[PATH_MAX];
	struct until until = { 0 };
	bool over;
	int r, n = path_of(context, instance, name, path);

	if (!n)
		n = file_read(path, text, sizeof(text));
	if (n == -ENOENT || n == -EFBIG)
		return 0;
	if (n < 0)
		return handler_fail(context, n, "%s", path);
	r = until_read(context, instance, &until);
	if (r)
		return r;
	over = is_over(context, instance, &until);
	if (!over)
		note_end(context, until.end_ns);
	if (!call(instance, text, over, data))
		return 0;
	r = file_remove(path);
	return r ? handler_fail(context, r, "%s", path) : tidy(context, instance);
}

/* Not readdir(), which would allocate. */
int shared_each(struct handler_context *context, const char *name, shared_fn call, void *data)
{
	char bytes[4096] __attribute__((aligned(8)));
	unsigned int n_instances = 0;
	ssize_t size, at;
	int fd, r = 0;

	fd = open(context->run_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return handler_fail(context, -errno, "%s", context->run_root);
	while ((size = getdents64(fd, bytes, sizeof(bytes))) > 0) {
		for (at = 0; at < size;) {
			const struct dirent64 *entry = (const void *)(bytes + at);

			at += entry->d_reclen;
			if (strchr(entry->d_name, '.') || n_instances == SHARED_INSTANCES_MAX ||
			    (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
				continue;
			n_instances++;
			r = handler_first(r, read_one(context, entry->d_name, name, call, data));
		}
	}
	if (size < 0)
		r = handler_fail(context, -errno, "%s", context->run_root);
	(void)close(fd);
	return r;
}
