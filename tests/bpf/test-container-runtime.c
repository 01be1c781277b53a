/* SPDX-License-Identifier: Apache-2.0 */
/* A real OCI runtime starts a real container from our bundle. Needs root. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>

#include "tests/bpf/container.h"
#include "tests/unit/capture.h"

static struct container it;

static void setup(void)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	container_init(&it);
	capture_begin();
	if (runtime_find("runc", &it.runtime) < 0)
		cr_skip_test("no runc");
	cr_assert(runtime_prepare(&it.runtime, it.state, -1) == 0, "%s", capture_text());
	cr_assert(bundle_write(&it.parameters) == 0, "%s", capture_text());
	cr_assert(cgroup_parent_hold(it.cgroup_parent, &AWAIT_FOREVER) >= 0, "%s", capture_text());
}

static void teardown(void)
{
	if (geteuid() == 0)
		container_deinit(&it);
}

TestSuite(runtime, .init = setup, .fini = teardown);

static void expect_line(const char *text, const char *line)
{
	cr_expect(strstr(text, line) != NULL, "missing: %s", line);
}

/* The value of "NAME:\tvalue" in /proc/PID/status. */
static void host_status(pid_t pid, const char *name, char *value, size_t size)
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	cr_assert(file != NULL, "no process %d", pid);
	value[0] = '\0';
	while (fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
			snprintf(value, size, "%.*s", (int)strcspn(line + strlen(name) + 2, "\n"),
				 line + strlen(name) + 2);
	fclose(file);
}

static bool same_namespace(pid_t pid, const char *name)
{
	char path[64], theirs[64] = "", ours[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
	cr_assert(readlink(path, theirs, sizeof(theirs) - 1) > 0);
	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	cr_assert(readlink(path, ours, sizeof(ours) - 1) > 0);
	return strcmp(ours, theirs) == 0;
}

static void expect_nothing_left(void)
{
	DIR *directory = opendir(it.state);
	struct dirent *entry;

	cr_assert(directory != NULL);
	while ((entry = readdir(directory)) != NULL)
		cr_expect(entry->d_name[0] == '.', "left: %s", entry->d_name);
	closedir(directory);
	cr_expect(!container_has_cgroup(&it, "memory") && !container_has_cgroup(&it, "pids") &&
		  !container_has_cgroup(&it, "unified") && !container_has_cgroup(&it, "."));
}

static void expect_host_view(pid_t pid)
{
	static const char *const namespaces[] = { "user", "pid", "ipc",	  "uts",
						  "mnt",  "net", "cgroup" };
	char value[128], expected[128];

	host_status(pid, "Uid", value, sizeof(value));
	snprintf(expected, sizeof(expected), "%u\t%u\t%u\t%u", CONTAINER_UID, CONTAINER_UID,
		 CONTAINER_UID, CONTAINER_UID);
	cr_expect_str_eq(value, expected);
	host_status(pid, "PPid", value, sizeof(value));
	cr_expect(atoi(value) == getpid(), "parent is %s", value);
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++)
		cr_expect(!same_namespace(pid, namespaces[i]), "shares %s", namespaces[i]);
	cr_expect(container_has_cgroup(&it, "pids") || container_has_cgroup(&it, "."));
}

static void expect_own_view(char *text, size_t size)
{
	int64_t tried[CONTAINER_TRIED];

	cr_assert(size > sizeof(tried));
	memcpy(tried, text, sizeof(tried));
	for (size_t i = sizeof(tried); i < size; i++)
		if (text[i] == '\0') /* between variables of the environment */
			text[i] = '\n';
	for (int i = TRIED_IOCTL; i <= TRIED_PRCTL; i++)
		cr_expect(tried[i] == -EPERM, "call %d: %lld", i, (long long)tried[i]);
	cr_expect(tried[TRIED_FCNTL] == 0);
	for (int fd = 0; fd < 10; fd++)
		cr_expect(tried[TRIED_FD_0 + fd] == (fd < 6 ? 0 : -EBADF), "fd %d: %lld", fd,
			  (long long)tried[TRIED_FD_0 + fd]);
	text += sizeof(tried);
	expect_line(text, "\nPid:\t1\n");
	expect_line(text, "\nCapInh:\t0000000000000000\n");
	expect_line(text, "\nCapPrm:\t0000000000000000\n");
	expect_line(text, "\nCapEff:\t0000000000000000\n");
	expect_line(text, "\nCapBnd:\t0000000000000000\n");
	expect_line(text, "\nCapAmb:\t0000000000000000\n");
	expect_line(text, "\nNoNewPrivs:\t1\n");
	expect_line(text, "\nSeccomp:\t2\n");
	expect_line(text, "\nHOME=/\n"); /* all of its environment */
	expect_line(text, "/bundle/rootfs / ro,");
	expect_line(text, " / /proc ro,nosuid,nodev,noexec");
	expect_line(text, " / /dev ro,nosuid,nodev,noexec");
}

Test(runtime, start_and_delete)
{
	static char text[32768];
	size_t size;
	pid_t pid = 0;

	cr_assert(container_begin(&it, &pid) == 0, "%s", capture_text());
	cr_expect_str_eq(capture_text(), "");
	container_close_ends(&it);
	size = container_read(&it, text, sizeof(text));
	expect_own_view(text, size);
	expect_host_view(pid);
	cr_expect(kill(pid, 0) == 0);
	cr_expect(runtime_delete(&it.runtime, "probe") == 0, "%s", capture_text());
	cr_expect(waitpid(pid, NULL, 0) == pid);
	expect_nothing_left();
	cr_expect(runtime_delete(&it.runtime, "probe") == 0);
	cr_expect_str_eq(capture_text(), "");
}

/* What the runtime says reaches the operator, and nothing stays. */
Test(runtime, start_fails)
{
	char path[256];
	pid_t pid = 77;

	snprintf(path, sizeof(path), "%s/rootfs/program", it.bundle);
	cr_assert(unlink(path) == 0);
	cr_expect(container_begin(&it, &pid) == -EIO);
	cr_expect(pid == 77);
	expect_line(capture_text(), "container probe: ");
	expect_line(capture_text(), "/runc create: ");
	expect_line(capture_text(), "/program");
	expect_line(capture_text(), "no such file or directory");
	expect_nothing_left();
}

Test(runtime, no_bundle)
{
	char expected[512];
	pid_t pid;

	cr_assert(bundle_remove(it.bundle) == 0);
	cr_expect(container_begin(&it, &pid) == -EINVAL);
	snprintf(expected, sizeof(expected), "%s/config.json: not a container configuration\n",
		 it.bundle);
	cr_expect_str_eq(capture_text(), expected);
	expect_nothing_left();
}

/* A supervisor that was killed left a running calf: the next one ends it. */
Test(runtime, leftovers)
{
	static char text[32768];
	struct runtime again;
	pid_t pid;

	cr_assert(container_begin(&it, &pid) == 0, "%s", capture_text());
	container_close_ends(&it);
	container_read(&it, text, sizeof(text));
	cr_assert(runtime_find("runc", &again) == 0);
	cr_assert(runtime_prepare(&again, it.state, -1) == 0);
	cr_expect(runtime_delete(&again, "probe") == 0, "%s", capture_text());
	cr_expect(waitpid(pid, NULL, 0) == pid);
	expect_nothing_left();
}

/* Start a container that runs; without its state, the runtime has forgotten it. */
static pid_t start_probe(bool has_state)
{
	static char text[32768];
	char path[256];
	pid_t pid = 0;

	cr_assert(container_begin(&it, &pid) == 0, "%s", capture_text());
	container_close_ends(&it);
	container_read(&it, text, sizeof(text));
	snprintf(path, sizeof(path), "%s/probe", it.state);
	if (!has_state)
		cr_assert(nftw(path, container_remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
	return pid;
}

/* The runtime forgot the container: its processes and cgroups end anyway. */
Test(runtime, leftovers_without_state)
{
	pid_t pid = start_probe(false);

	cr_expect(runtime_delete(&it.runtime, "probe") == 0, "%s", capture_text());
	cr_expect(waitpid(pid, NULL, 0) == pid);
	expect_nothing_left();
}

static void expect_all_deleted(bool has_state)
{
	pid_t pid = start_probe(has_state);

	cr_expect(runtime_delete_all(&it.runtime) == 0, "%s", capture_text());
	cr_expect(waitpid(pid, NULL, WNOHANG) == pid);
	expect_nothing_left();
	cr_expect(runtime_delete_all(&it.runtime) == 0);
	cr_expect_str_eq(capture_text(), "");
}

/* Also of a calf whose name nobody knows any more. */
Test(runtime, leftovers_of_any_name)
{
	expect_all_deleted(true);
}

Test(runtime, leftovers_of_any_name_without_state)
{
	expect_all_deleted(false);
}

/* A runtime that was killed left the container frozen; then no signal ends it. */
Test(runtime, U15_leftovers_are_frozen)
{
	static const struct {
		const char *hierarchy, *file, *text;
	} freezers[] = { { "freezer", "freezer.state", "FROZEN" },
			 { "unified", "cgroup.freeze", "1" },
			 { ".", "cgroup.freeze", "1" } };
	static char text[32768];
	int n_frozen = 0;
	char path[256];
	pid_t pid;

	cr_assert(container_begin(&it, &pid) == 0, "%s", capture_text());
	container_close_ends(&it);
	container_read(&it, text, sizeof(text));
	for (size_t i = 0; i < sizeof(freezers) / sizeof(freezers[0]); i++) {
		int fd;

		snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/%s/test-probe/%s",
			 freezers[i].hierarchy, it.cgroup_parent, freezers[i].file);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		cr_expect(write(fd, freezers[i].text, strlen(freezers[i].text)) > 0);
		close(fd);
		n_frozen++;
	}
	cr_assert_gt(n_frozen, 0, "no hierarchy can freeze the container");
	snprintf(path, sizeof(path), "%s/probe", it.state);
	cr_assert(nftw(path, container_remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
	cr_expect(runtime_delete(&it.runtime, "probe") == 0, "%s", capture_text());
	cr_expect(waitpid(pid, NULL, 0) == pid);
	expect_nothing_left();
}

/* The calf ends by itself when its control socket does. */
Test(runtime, calf_ends)
{
	static char text[32768];
	int status;
	pid_t pid;

	cr_assert(container_begin(&it, &pid) == 0, "%s", capture_text());
	container_close_ends(&it);
	container_read(&it, text, sizeof(text));
	close(it.control_fd);
	cr_expect(waitpid(pid, &status, 0) == pid);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	cr_expect(runtime_delete(&it.runtime, "probe") == 0, "%s", capture_text());
	expect_nothing_left();
}

/* /run is mounted noexec on many hosts. */
Test(runtime, noexec_place)
{
	static char text[32768];
	pid_t pid;

	cr_assert(bundle_remove(it.bundle) == 0);
	cr_assert(unshare(CLONE_NEWNS) == 0);
	cr_assert(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	snprintf(it.bundle, sizeof(it.bundle), "%s/run", it.directory);
	cr_assert(mkdir(it.bundle, 0711) == 0);
	cr_assert(mount("tmpfs", it.bundle, "tmpfs", MS_NOEXEC | MS_NOSUID | MS_NODEV,
			"mode=711") == 0);
	strcat(it.bundle, "/bundle");
	cr_assert(bundle_write(&it.parameters) == 0, "%s", capture_text());
	cr_assert(container_begin(&it, &pid) == 0, "%s", capture_text());
	container_close_ends(&it);
	expect_own_view(text, container_read(&it, text, sizeof(text)));
	cr_expect(runtime_delete(&it.runtime, "probe") == 0, "%s", capture_text());
	cr_expect(waitpid(pid, NULL, 0) == pid);
	expect_nothing_left();
	cr_expect(bundle_remove(it.bundle) == 0);
	*strrchr(it.bundle, '/') = '\0';
	cr_expect(umount(it.bundle) == 0);
}
