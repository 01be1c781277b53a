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
#define UNTIL_SUFFIX ".until"
#define UNTIL_SIZE 80 /* three numbers */
#define WAIT_NS 10000000
#define WAITS_MAX 100

static const char *const names[_SHARED_FILE_N] = {
	[SHARED_RESOLV_CONF] = "resolv.conf", [SHARED_HOST_NAME] = "hostname",
	[SHARED_DOMAIN_NAME] = "domainname",  [SHARED_TIME_SERVERS] = "ntp-servers",
	[SHARED_PORTAL] = "captive-portal",
};

/* Set `path` to that of an instance's file, or of the note of its end. */
static int path_of(struct handler_context *context, const char *instance, enum shared_file file,
		   const char *suffix, char path[static PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/%s/%s%s", context->run_root, instance, names[file],
			 suffix);

	return n < 0 || n >= PATH_MAX ? handler_fail(context, -ENAMETOOLONG, "run directory") : 0;
}

int shared_lock(struct handler_context *context, int *fdp)
{
	const struct timespec wait = { .tv_nsec = WAIT_NS };
	char path[PATH_MAX];
	int i, fd, r = snprintf(path, PATH_MAX, "%s/" LOCK, context->run_root);

	if (r < 0 || r >= PATH_MAX)
		return handler_fail(context, -ENAMETOOLONG, "run directory");
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

bool shared_begin(struct handler_context *context, const struct wanted *wanted)
{
	context->state->shared.lease_end_ns = lease_end_ns(context, wanted);
	return context->state->shared.lease_end_ns > context->now_ns;
}

/* What the note of a file says; nothing is known without one. */
struct until {
	uint64_t end_ns; /* UINT64_MAX: never */
	int ifindex;	 /* of the instance's uplink, 0: unknown */
	uint64_t network;
};

static int until_read(struct handler_context *context, const char *instance, enum shared_file file,
		      struct until *untilp)
{
	struct until until = { 0 };
	char path[PATH_MAX], text[UNTIL_SIZE];
	int n = path_of(context, instance, file, UNTIL_SUFFIX, path);

	if (n)
		return n;
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

	for (enum shared_file file = 0; file < _SHARED_FILE_N; file++)
		if (!until_read(context, instance, file, &until) &&
		    is_over(context, instance, &until))
			return true;
	return false;
}

/* Write a file of this instance if it differs. */
static int replace(struct handler_context *context, const char *path,
		   const struct shared_text *text)
{
	char present[SHARED_TEXT_SIZE];
	int n = file_read(path, present, sizeof(present)), r;

	if (n == (int)text->length && !memcmp(present, text->text, text->length))
		return 0;
	r = file_write(path, text->text, text->length);
	return r ? handler_fail(context, r, "%s", path) : 0;
}

/* The note goes last: without it the file would never end. */
static int remove_both(struct handler_context *context, const char *instance, enum shared_file file)
{
	static const char *const suffixes[] = { "", UNTIL_SUFFIX };
	char path[PATH_MAX];
	int r = 0;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]) && !r; i++) {
		r = path_of(context, instance, file, suffixes[i], path);
		if (r)
			return r;
		r = file_remove(path);
		if (r)
			(void)handler_fail(context, r, "%s", path);
	}
	return r;
}

/* What this instance's file, which ends at that time, has as its note. */
static struct until until_of(const struct handler_context *context, uint64_t end_ns)
{
	return (struct until){ .end_ns = end_ns,
			       .ifindex = context->uplink_ifindex,
			       .network = network_of_process() };
}

static int until_write(struct handler_context *context, enum shared_file file,
		       const struct until *until)
{
	char path[PATH_MAX], text[UNTIL_SIZE];
	int n = snprintf(text, sizeof(text), "%" PRIu64 " %d %" PRIu64 "\n", until->end_ns,
			 until->ifindex, until->network);
	int r = path_of(context, context->instance, file, UNTIL_SUFFIX, path);

	if (r)
		return r;
	r = file_write(path, text, (size_t)n);
	return r ? handler_fail(context, r, "%s", path) : 0;
}

bool shared_renew(struct handler_context *context, const struct wanted *wanted)
{
	struct shared_state *shared = &context->state->shared;
	bool was_over = shared->lease_end_ns <= context->now_ns;
	uint64_t end_ns = lease_end_ns(context, wanted);
	struct until until;
	int r = 0;

	if (end_ns == shared->lease_end_ns)
		return false;
	shared->lease_end_ns = end_ns;
	if (was_over || end_ns <= context->now_ns)
		return true;
	until = until_of(context, end_ns);
	for (enum shared_file file = 0; file < _SHARED_FILE_N && !r; file++)
		if (shared->ends[file])
			r = until_write(context, file, &until);
	return r;
}

/*
 * If the process is killed between the text and its note, nothing must stay for longer than it
 * should. So a note that makes the file end later is written after the text, and any other one
 * before: the worst is a text that ends too early, until the next watcher says it again.
 */
int shared_say(struct handler_context *context, enum shared_file file,
	       const struct shared_text *text)
{
	struct shared_state *shared = &context->state->shared;
	struct until present = { 0 },
		     until = until_of(context, text->ends ? shared->lease_end_ns : UINT64_MAX);
	bool is_same, is_after;
	char path[PATH_MAX];
	int r;

	shared->ends[file] = text->text && text->ends;
	if (!text->text)
		return remove_both(context, context->instance, file);
	r = path_of(context, context->instance, file, "", path);
	if (!r)
		r = until_read(context, context->instance, file, &present);
	if (r)
		return r;
	is_same = present.end_ns == until.end_ns && present.ifindex == until.ifindex &&
		  present.network == until.network;
	is_after = until.end_ns > present.end_ns;
	if (!is_same && !is_after)
		r = until_write(context, file, &until);
	if (!r)
		r = replace(context, path, text);
	if (!r && is_after)
		r = until_write(context, file, &until);
	return r;
}

static void note_end(struct handler_context *context, uint64_t end_ns)
{
	uint64_t *next_ns = &context->state->shared.next_end_ns;

	if (end_ns != UINT64_MAX && (!*next_ns || end_ns < *next_ns))
		*next_ns = end_ns;
}

static int read_one(struct handler_context *context, const char *instance, enum shared_file file,
		    shared_fn call, void *data)
{
	char text[SHARED_TEXT_SIZE];
	char path[PATH_MAX];
	struct until until = { 0 };
	bool over;
	int n, r = path_of(context, instance, file, "", path);

	if (r)
		return r;
	n = file_read(path, text, sizeof(text));
	if (n == -ENOENT || n == -EFBIG)
		return 0;
	if (n < 0)
		return handler_fail(context, n, "%s", path);
	r = until_read(context, instance, file, &until);
	if (r)
		return r;
	over = is_over(context, instance, &until);
	if (!over)
		note_end(context, until.end_ns);
	return call(instance, text, over, data) ? remove_both(context, instance, file) : 0;
}

/* Not readdir(), which would allocate. */
int shared_each(struct handler_context *context, enum shared_file file, shared_fn call, void *data)
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
			r = handler_first(r, read_one(context, entry->d_name, file, call, data));
		}
	}
	if (size < 0)
		r = handler_fail(context, -errno, "%s", context->run_root);
	(void)close(fd);
	return r;
}
