/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: a container by an OCI runtime
 *
 * Runs commands of the runtime and keeps three files per container in the state
 * directory: ID.log (the runtime's messages), ID.pid, and ID.cgroup (where to
 * look for processes that a killed runtime left). This code knows nothing about
 * calves and never reads what a container writes.
 */
#include "userspace/priv/container/runtime-private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "userspace/common/clock.h"
#include "userspace/common/directory.h"
#include "userspace/common/log.h"
#include "userspace/common/program.h"
#include "userspace/priv/container/bundle.h"
#include "userspace/priv/container/cgroup.h"
#include "userspace/priv/container/exec.h"
#include "userspace/priv/container/proc.h"

/* Installed beside the program that runs this */
#define PEN "calfpen-pen"
#define MESSAGE_MAX 512
#define LOG_MAX 8192
/* For the processes in a cgroup that are killed */
#define CGROUP_NS (NS_PER_S / 4)
#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct runtime_path runtime_path(const struct runtime *runtime, const char *id, const char *ending)
{
	struct runtime_path path;

	if (snprintf(path.text, sizeof(path.text), "%s/%s%s", runtime->state, id, ending) >=
	    (int)sizeof(path.text))
		path.text[0] = '\0'; /* no such file */
	return path;
}

/* Read a small file; the text is "" if there is none. */
static void read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	text[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

/* Get the runtime's last message of level error, else its last message, from a
 * file of JSON lines. */
static void last_message(const char *path, char message[MESSAGE_MAX])
{
	char text[LOG_MAX];
	char *rest = text, *line;
	bool is_error = false;

	read_text(path, text, sizeof(text));
	message[0] = '\0';
	while ((line = strsep(&rest, "\n"))) {
		json_t *entry = json_loads(line, 0, NULL);
		const char *level = NULL, *said = NULL;

		if (json_unpack(entry, "{s:s, s:s}", "level", &level, "msg", &said) == 0) {
			bool now_error = strcmp(level, "error") == 0;

			if (now_error || !is_error)
				snprintf(message, MESSAGE_MAX, "%s", said);
			is_error = is_error || now_error;
		}
		json_decref(entry);
	}
}

/* Log one line with the command that failed and the runtime's message about it. */
void runtime_report(const struct runtime *runtime, const char *id, const char *command, int error)
{
	struct runtime_path log = runtime_path(runtime, id, ".log");
	char message[MESSAGE_MAX];

	if (error == -ECANCELED)
		return; /* by whoever ends this program */
	last_message(log.text, message);
	if (error == -ETIMEDOUT)
		snprintf(message, sizeof(message), "did not exit; killed it");
	else if (message[0] == '\0')
		snprintf(message, sizeof(message), "%s",
			 error == -EIO ? "failed without a message" : strerror(-error));
	log_error("container %s: %s %s: %s", id, runtime->path, command, message);
}

/* RUNTIME --root STATE --log FILE --log-format json COMMAND... */
int runtime_run(const struct runtime *runtime, const char *id, const char *const *command,
		const int *fds, size_t n_fds)
{
	struct runtime_path log = runtime_path(runtime, id, ".log");
	const char *argv[24] = { runtime->path, "--root",	runtime->state, "--log",
				 log.text,	"--log-format", "json" };
	size_t n = 7;
	pid_t pid;
	int r = await_check(&runtime->limit);

	while (*command && n < sizeof(argv) / sizeof(argv[0]) - 1)
		argv[n++] = *command++;
	if (r)
		return r;
	unlink(log.text);
	r = runtime_exec(argv, fds, n_fds, runtime->group, &pid);
	return r ? r : runtime_exec_end(pid, runtime->group, &runtime->limit);
}

/* find the runtime */

/* Returns 0 if `path` is a file that can be executed, with its real path. */
static int executable(const char *path, char *resolved)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || access(path, X_OK) < 0)
		return -EACCES;
	return realpath(path, resolved) ? 0 : -errno;
}

static int search(const char *name, char *resolved)
{
	const char *directory = getenv("PATH");
	int found = -ENOENT;

	if (strchr(name, '/'))
		return executable(name, resolved);
	if (!directory || directory[0] == '\0')
		directory = PATH_DEFAULT;
	while (*directory != '\0') {
		size_t length = strcspn(directory, ":");
		char path[PATH_MAX];
		int r;

		if (length > 0 && directory[0] == '/' &&
		    snprintf(path, sizeof(path), "%.*s/%s", (int)length, directory, name) <
			    (int)sizeof(path)) {
			r = executable(path, resolved);
			if (!r)
				return 0;
			if (r == -EACCES)
				found = r;
		}
		directory += length + (directory[length] == ':');
	}
	return found;
}

int runtime_find(const char *name, struct runtime *runtimep)
{
	struct runtime runtime = { .limit = AWAIT_FOREVER };
	char pen[PATH_MAX], pen_resolved[PATH_MAX];
	int r = program_path(PEN, pen, sizeof(pen)), r_pen = r ? r : executable(pen, pen_resolved);

	if (!name[0])
		name = r ? PEN : pen;
	r = search(name, runtime.path);
	if (r < 0) {
		log_error("OCI runtime \"%s\": %s; install it, or choose another with --runtime",
			  name, r == -ENOENT ? "not found" : strerror(-r));
		return r == -EACCES ? r : -ENOENT;
	}
	runtime.is_pen = !r_pen && !strcmp(runtime.path, pen_resolved);
	*runtimep = runtime;
	return 0;
}

int runtime_prepare(struct runtime *runtime, const char *state, int stop_fd)
{
	int r;

	runtime->limit.stop_fd = stop_fd;
	if (strlen(state) >= sizeof(runtime->state)) {
		log_error("%s: %s", state, strerror(ENAMETOOLONG));
		return -ENAMETOOLONG;
	}
	memcpy(runtime->state, state, strlen(state) + 1);
	r = directory_make_own(state, 0700);
	if (r)
		log_error("%s: %s", state, strerror(-r));
	return r;
}

/* create, start and delete containers */

static bool is_file_of(const char *name, const char *id)
{
	size_t length = strlen(id);

	name += name[0] == '.';
	return strncmp(name, id, length) == 0 && name[length] == '.' &&
	       strcmp(name + length, RUNTIME_CGROUP_ENDING) != 0;
}

/*
 * Remove ID.* and .ID.*, but not the note of the cgroup. runc writes the process id
 * to a new file .ID.pid, which it renames; if it ends in between, its next create
 * fails because that file exists.
 */
static void clear_files(const struct runtime *runtime, const char *id)
{
	DIR *directory = opendir(runtime->state);
	const struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		if (is_file_of(entry->d_name, id))
			(void)unlinkat(dirfd(directory), entry->d_name, 0);
	if (directory)
		closedir(directory);
}

pid_t runtime_pid(const struct runtime *runtime, const char *id)
{
	struct runtime_path path = runtime_path(runtime, id, RUNTIME_PID_ENDING);
	char text[32], *end;
	long pid;

	read_text(path.text, text, sizeof(text));
	pid = strtol(text, &end, 10);
	return pid <= 1 || pid > INT_MAX || (*end != '\0' && *end != '\n') ? 0 : (pid_t)pid;
}

/* Kill what is left in the container's cgroup and remove the cgroup. */
static int remove_cgroup(const struct runtime *runtime, const char *id,
			 const struct await_limit *limit)
{
	struct runtime_path note = runtime_path(runtime, id, RUNTIME_CGROUP_ENDING);
	char cgroup[PATH_MAX];
	int r;

	read_text(note.text, cgroup, sizeof(cgroup));
	if (cgroup[0] != '/')
		return 0;
	r = runtime_cgroup_remove(cgroup, limit);
	if (r < 0 && r != -ECANCELED)
		log_error("container %s: cannot remove cgroup %s: %s", id, cgroup, strerror(-r));
	return r;
}

int runtime_kill(const struct runtime *runtime, const char *id)
{
	const struct await_limit limit = await_within(&runtime->limit, CGROUP_NS);

	/* Its number may soon be that of another process. */
	(void)unlink(runtime_path(runtime, id, RUNTIME_PID_ENDING).text);
	return remove_cgroup(runtime, id, &limit);
}

/* The runtime could not read its own state, for example after a full disk. The
 * container's processes have been killed, so that only the files are left. */
static int remove_state(const char *id, const struct runtime_path *container)
{
	int r = access(container->text, F_OK) == 0 ? bundle_remove(container->text) : 0;

	if (!r)
		log_warning("container %s: removed %s, which the runtime could not delete", id,
			    container->text);
	return r;
}

/* What the runtime, whose result is `r`, has left. */
static int remove_rest(const struct runtime *runtime, const char *id, int r)
{
	struct runtime_path container = runtime_path(runtime, id, "");
	int r_cgroup = remove_cgroup(runtime, id, &runtime->limit);

	if (r < 0 && r != -ECANCELED && !r_cgroup)
		r = remove_state(id, &container);
	if (!r && !r_cgroup)
		unlink(runtime_path(runtime, id, RUNTIME_CGROUP_ENDING).text);
	clear_files(runtime, id);
	return r < 0 ? r : r_cgroup;
}

int runtime_remove(const struct runtime *runtime, const char *id)
{
	struct runtime_path container = runtime_path(runtime, id, "");

	return remove_rest(runtime, id, access(container.text, F_OK) == 0 ? -EPERM : 0);
}

int runtime_delete(const struct runtime *runtime, const char *id)
{
	const char *const command[] = { "delete", "--force", id, NULL };
	struct runtime_path container = runtime_path(runtime, id, "");
	const int no_fds[] = { -1, -1 };
	int r = 0;

	/* Every runtime keeps a container in ROOT/ID, so do not ask the runtime. */
	if (access(container.text, F_OK) == 0) {
		r = runtime_run(runtime, id, command, no_fds, 2);
		if (r < 0)
			runtime_report(runtime, id, "delete", r);
	}
	return remove_rest(runtime, id, r);
}

/* Get the id of a container from a file that only containers have: ROOT/ID, or its note.
 * Returns false for another file. */
static bool id_of(const struct dirent *entry, char id[NAME_MAX + 1])
{
	size_t length = strlen(entry->d_name);
	const size_t ending = sizeof(RUNTIME_CGROUP_ENDING) - 1;

	if (entry->d_name[0] == '.')
		return false;
	memcpy(id, entry->d_name, length + 1);
	if (entry->d_type == DT_DIR)
		return true;
	if (length <= ending || strcmp(id + length - ending, RUNTIME_CGROUP_ENDING) != 0)
		return false;
	id[length - ending] = '\0';
	return true;
}

int runtime_delete_all(const struct runtime *runtime)
{
	DIR *directory = opendir(runtime->state);
	const struct dirent *entry;
	char id[NAME_MAX + 1];
	int r = 0, r_one;

	while (directory && (entry = readdir(directory))) {
		r_one = id_of(entry, id) ? runtime_delete(runtime, id) : 0;
		r = r ? r : r_one;
	}
	if (directory)
		closedir(directory);
	return r;
}
