/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: a container by an OCI runtime
 *
 * Runs commands of the runtime and keeps three files per container in the state
 * directory: ID.log (the runtime's messages), ID.pid, and ID.cgroup (where to
 * look for processes that a killed runtime left). This code knows nothing about
 * calves and never reads what a container writes.
 */
#include "userspace/priv/container/runtime.h"

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
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/common/clock.h"
#include "userspace/common/directory.h"
#include "userspace/common/log.h"
#include "userspace/priv/container/bundle.h"
#include "userspace/priv/container/cgroup.h"
#include "userspace/priv/container/exec.h"
#include "userspace/priv/container/proc.h"

#define MESSAGE_MAX 512
#define LOG_MAX 8192
/* For a process that is killed, unless the kernel is stuck in it. */
#define KILLED_NS (NS_PER_S / 20)
/* For the processes in a cgroup that are killed */
#define CGROUP_NS (NS_PER_S / 4)
#define CGROUP_ENDING ".cgroup" /* of the note that says where a container's processes are */
#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The path STATE/ID with an ending appended. */
struct state_path {
	char text[PATH_MAX];
};

static struct state_path state_path(const struct runtime *runtime, const char *id,
				    const char *ending)
{
	struct state_path path;

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
static void report(const struct runtime *runtime, const char *id, const char *command, int error)
{
	struct state_path log = state_path(runtime, id, ".log");
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
static int run(const struct runtime *runtime, const char *id, const char *const *command,
	       const int *fds, size_t n_fds)
{
	struct state_path log = state_path(runtime, id, ".log");
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
	const char *argv[] = { runtime.path, "--version", NULL };
	const int fds[] = { -1, -1 };
	int r = search(name, runtime.path);

	if (r < 0) {
		log_error("OCI runtime \"%s\": %s; install runc, or choose another with --runtime",
			  name, r == -ENOENT ? "not found" : strerror(-r));
		return r == -EACCES ? r : -ENOENT;
	}
	r = runtime_exec(argv, fds, 2, 0, &runtime.asked_pid);
	if (r)
		log_error("OCI runtime %s: cannot execute it: %s", runtime.path, strerror(-r));
	else
		*runtimep = runtime;
	return r;
}

int runtime_prepare(struct runtime *runtime, const char *state, int stop_fd)
{
	int r;

	runtime->limit.stop_fd = stop_fd;
	r = runtime_exec_end(runtime->asked_pid, 0, &runtime->limit);
	runtime->asked_pid = 0;
	if (r == -ECANCELED)
		return r;
	if (r) {
		log_error("OCI runtime %s: does not answer --version; choose another with "
			  "--runtime",
			  runtime->path);
		return -EPROTO;
	}
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

void runtime_release(struct runtime *runtime)
{
	const struct await_limit at_once = await_within(&AWAIT_FOREVER, 0);

	if (runtime->asked_pid > 0)
		(void)runtime_exec_end(runtime->asked_pid, 0, &at_once);
	runtime->asked_pid = 0;
}

/* create, start and delete containers */

static bool is_file_of(const char *name, const char *id)
{
	size_t length = strlen(id);

	name += name[0] == '.';
	return strncmp(name, id, length) == 0 && name[length] == '.' &&
	       strcmp(name + length, CGROUP_ENDING) != 0;
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

/* Record the container's cgroup before there are any processes in it. */
static int note_cgroup(const struct runtime *runtime, const char *id, const char *bundle)
{
	struct state_path note = state_path(runtime, id, CGROUP_ENDING);
	char path[PATH_MAX + sizeof("/config.json")];
	const char *cgroup = NULL;
	json_t *config;
	FILE *file;
	int r = 0;

	snprintf(path, sizeof(path), "%s/config.json", bundle);
	config = json_load_file(path, 0, NULL);
	if (json_unpack(config, "{s:{s:s}}", "linux", "cgroupsPath", &cgroup) < 0) {
		log_error("%s: not a container configuration", path);
		r = -EINVAL;
	} else {
		file = fopen(note.text, "we");
		if (!file || fputs(cgroup, file) < 0)
			r = -errno;
		if (file && fclose(file) != 0)
			r = -errno;
		if (r < 0)
			log_error("%s: %s", note.text, strerror(-r));
	}
	json_decref(config);
	return r;
}

pid_t runtime_pid(const struct runtime *runtime, const char *id)
{
	struct state_path path = state_path(runtime, id, ".pid");
	char text[32], *end;
	long pid;

	read_text(path.text, text, sizeof(text));
	pid = strtol(text, &end, 10);
	return pid <= 1 || pid > INT_MAX || (*end != '\0' && *end != '\n') ? 0 : (pid_t)pid;
}

static int create(const struct runtime *runtime, const char *id, const char *bundle,
		  const struct runtime_fds *fds)
{
	struct state_path pid_file = state_path(runtime, id, ".pid");
	const char *const command[] = {
		"create",	    "--bundle",	      bundle, "--pid-file", pid_file.text,
		"--no-new-keyring", "--preserve-fds", "3",    id,	    NULL
	};
	const int command_fds[] = { fds->log_stdout, fds->log_stderr, fds->frames, fds->control,
				    fds->metrics };

	return run(runtime, id, command, command_fds, sizeof(command_fds) / sizeof(command_fds[0]));
}

/* Returns 0 if the container is to be started. */
static int wait_go(const struct runtime *runtime, int go_fd)
{
	char octet = 0;
	ssize_t n = -1;
	int r;

	do {
		r = await_input(go_fd, &runtime->limit);
		if (!r)
			n = read(go_fd, &octet, 1);
	} while (!r && n < 0 && (errno == EAGAIN || errno == EINTR));
	return r ? r : octet == RUNTIME_GO ? 0 : -ECANCELED;
}

static int start(const struct runtime *runtime, const char *id)
{
	const char *const command[] = { "start", id, NULL };
	const int no_fds[] = { -1, -1 };

	return run(runtime, id, command, no_fds, 2);
}

/* Close all descriptors but 0, 1, 2 and these: who waits for the end of a file must not
 * wait for this process, too. */
static int keep_descriptors(const int *fds, size_t n)
{
	unsigned int first = STDERR_FILENO + 1, last;

	do {
		last = UINT_MAX;
		for (size_t i = 0; i < n; i++)
			if (fds[i] >= (int)first && (unsigned int)fds[i] < last)
				last = (unsigned int)fds[i];
		if (last > first && close_range(first, last == UINT_MAX ? last : last - 1, 0))
			return -errno;
		first = last + 1;
	} while (last != UINT_MAX);
	return 0;
}

/* In the process of runtime_create() whose parent is `supervisor` */
static int enter_starter(const struct runtime *runtime, const struct runtime_fds *fds,
			 const struct runtime_starter_fds *own, int (*confine)(void),
			 pid_t supervisor)
{
	const int kept[] = {
		fds->log_stdout, fds->log_stderr, fds->frames,
		fds->control,	 fds->metrics,	  own->go,
		own->log,	 own->log_ask,	  runtime->limit.stop_fd,
	};
	int r = setpgid(0, 0) ? -errno : 0;

	if (!r)
		r = keep_descriptors(kept, sizeof(kept) / sizeof(kept[0]));
	if (!r && confine)
		r = confine();
	/* Afterwards, because a change of ids clears it */
	if (!r && prctl(PR_SET_PDEATHSIG, SIGTERM))
		r = -errno;
	return !r && getppid() != supervisor ? -ECANCELED : r;
}

/* In a process of its own */
static int create_and_start(const struct runtime *runtime, const char *id, const char *bundle,
			    const struct runtime_fds *fds, int go_fd)
{
	const char *command = "create";
	int r;

	runtime_uncover_proc();
	(void)runtime_delete(runtime, id); /* logged */
	r = note_cgroup(runtime, id, bundle);
	if (r)
		return r;
	r = create(runtime, id, bundle, fds);
	if (!r && !runtime_pid(runtime, id)) {
		r = -EPROTO;
		log_error("%s: the runtime wrote no process id",
			  state_path(runtime, id, ".pid").text);
		goto fail;
	}
	if (!r)
		r = wait_go(runtime, go_fd);
	if (!r) {
		command = "start";
		r = start(runtime, id);
	}
	if (!r)
		return 0;
	report(runtime, id, command, r);
fail:
	(void)runtime_delete(runtime, id);
	return r;
}

pid_t runtime_create(const struct runtime *runtime, const char *id, const char *bundle,
		     const struct runtime_fds *fds, const struct runtime_starter_fds *own,
		     int (*confine)(void))
{
	const pid_t supervisor = getpid();
	pid_t pid = fork();

	if (pid < 0) {
		pid = -errno;
		log_error("cannot fork: %s", strerror(-pid));
	}
	if (pid == 0) {
		struct runtime starter = *runtime;
		int r = enter_starter(runtime, fds, own, confine, supervisor);

		if (r && r != -ECANCELED)
			report(runtime, id, "create", r);
		starter.group = getpid();
		_exit(-(r ? r : create_and_start(&starter, id, bundle, fds, own->go)));
	}
	return pid;
}

void runtime_cancel(pid_t creating, const struct await_limit *limit)
{
	const struct await_limit killed = await_within(&AWAIT_FOREVER, KILLED_NS);
	int status = 0, r = await_child(creating, &status, limit);

	if (r && r != -ECANCELED && r != -ETIMEDOUT)
		return;
	if (!r && WIFEXITED(status))
		return; /* it has killed them itself */
	kill(-creating, SIGKILL);
	if (!r)
		return;
	kill(creating, SIGKILL); /* it may not lead its group yet */
	(void)await_child(creating, NULL, &killed);
}

/* Kill what is left of a start whose process was killed, or wrote no process id. */
static int start_failed(const struct runtime *runtime, const char *id, pid_t creating, int status)
{
	if (WIFSIGNALED(status)) {
		kill(-creating, SIGKILL);
		log_error("container %s: the process that starts it was killed by signal %d", id,
			  WTERMSIG(status));
	} else {
		report(runtime, id, "start", -EIO);
	}
	(void)runtime_kill(runtime, id); /* logged */
	return -EIO;
}

int runtime_started(const struct runtime *runtime, const char *id, pid_t creating, int status,
		    pid_t *pidp)
{
	pid_t pid = runtime_pid(runtime, id);

	if (WIFEXITED(status) && WEXITSTATUS(status))
		return -WEXITSTATUS(status);
	if (!WIFEXITED(status) || !pid)
		return start_failed(runtime, id, creating, status);
	(void)unlink(state_path(runtime, id, ".pid").text);
	*pidp = pid;
	return 0;
}

/* Kill what is left in the container's cgroup and remove the cgroup. */
static int remove_cgroup(const struct runtime *runtime, const char *id,
			 const struct await_limit *limit)
{
	struct state_path note = state_path(runtime, id, CGROUP_ENDING);
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
	(void)unlink(state_path(runtime, id, ".pid").text);
	return remove_cgroup(runtime, id, &limit);
}

/* The runtime could not read its own state, for example after a full disk. The
 * container's processes have been killed, so that only the files are left. */
static int remove_state(const char *id, const struct state_path *container)
{
	int r = access(container->text, F_OK) == 0 ? bundle_remove(container->text) : 0;

	if (!r)
		log_warning("container %s: removed %s, which the runtime could not delete", id,
			    container->text);
	return r;
}

int runtime_delete(const struct runtime *runtime, const char *id)
{
	const char *const command[] = { "delete", "--force", id, NULL };
	struct state_path container = state_path(runtime, id, "");
	const int no_fds[] = { -1, -1 };
	int r = 0, r_cgroup;

	/* Every runtime keeps a container in ROOT/ID, so do not ask the runtime. */
	if (access(container.text, F_OK) == 0) {
		r = run(runtime, id, command, no_fds, 2);
		if (r < 0)
			report(runtime, id, "delete", r);
	}
	r_cgroup = remove_cgroup(runtime, id, &runtime->limit);
	if (r < 0 && r != -ECANCELED && !r_cgroup)
		r = remove_state(id, &container);
	if (!r && !r_cgroup)
		unlink(state_path(runtime, id, CGROUP_ENDING).text);
	clear_files(runtime, id);
	return r < 0 ? r : r_cgroup;
}

/* Get the id of a container from a file that only containers have: ROOT/ID, or its note.
 * Returns false for another file. */
static bool id_of(const struct dirent *entry, char id[NAME_MAX + 1])
{
	size_t length = strlen(entry->d_name);
	const size_t ending = sizeof(CGROUP_ENDING) - 1;

	if (entry->d_name[0] == '.')
		return false;
	memcpy(id, entry->d_name, length + 1);
	if (entry->d_type == DT_DIR)
		return true;
	if (length <= ending || strcmp(id + length - ending, CGROUP_ENDING) != 0)
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
