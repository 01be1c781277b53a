/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container of the pen for the tests, by the command line, and a program for it that is put
 * together here. The program makes the system calls of a table and writes what each returned
 * (8 bytes) to its standard output, then waits for the end of descriptor 4.
 */
#ifndef CALFPEN_TESTS_PEN_H
#define CALFPEN_TESTS_PEN_H

#include <sys/syscall.h>

#include "tests/bpf/container.h"
#include "tests/bpf/program.h"
#include "tests/unit/scratch.h"
#include "userspace/priv/container/exec.h"

struct pen_call {
	int64_t number, arguments[6];
};
#define PEN_CALLS_END ((struct pen_call){ .number = -1 })

#ifdef __x86_64__
asm(".pushsection pen_image,\"a\"\n"
    "pen_image_start:\n"
    "	lea pen_image_end(%rip), %r12\n"
    "1:	mov (%r12), %rax\n"
    "	cmp $-1, %rax\n"
    "	je 2f\n"
    "	mov 8(%r12), %rdi\n"
    "	mov 16(%r12), %rsi\n"
    "	mov 24(%r12), %rdx\n"
    "	mov 32(%r12), %r10\n"
    "	mov 40(%r12), %r8\n"
    "	mov 48(%r12), %r9\n"
    "	syscall\n"
    "	push %rax\n"
    "	mov $1, %eax\n"
    "	mov $1, %edi\n"
    "	mov %rsp, %rsi\n"
    "	mov $8, %edx\n"
    "	syscall\n"
    "	pop %rax\n"
    "	add $56, %r12\n"
    "	jmp 1b\n"
    "2:	sub $8, %rsp\n"
    "	xor %eax, %eax\n"
    "	mov $4, %edi\n"
    "	mov %rsp, %rsi\n"
    "	mov $1, %edx\n"
    "	syscall\n"
    "	mov $231, %eax\n"
    "	xor %edi, %edi\n"
    "	syscall\n"
    "	.balign 8\n"
    "pen_image_end:\n"
    ".popsection\n");
extern const char pen_image_start[], pen_image_end[];
#endif

static struct container it;
static char pen_program[PATH_MAX], pen_log[128], pen_pid_file[128];

/* Write the program with these calls over the one in the bundle. */
static inline void pen_write_program(const struct pen_call *calls)
{
#ifdef __x86_64__
	const Elf64_Addr base = 0x400000;
	size_t size = (size_t)(pen_image_end - pen_image_start), n = 0;
	struct {
		Elf64_Ehdr file;
		Elf64_Phdr segment;
	} head = {
		.file = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				       EV_CURRENT },
			  .e_type = ET_EXEC,
			  .e_machine = EM_X86_64,
			  .e_version = EV_CURRENT,
			  .e_entry = base + sizeof(head),
			  .e_phoff = sizeof(Elf64_Ehdr),
			  .e_ehsize = sizeof(Elf64_Ehdr),
			  .e_phentsize = sizeof(Elf64_Phdr),
			  .e_phnum = 1 },
		.segment = { .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = base },
	};
	char path[256];
	int fd;

	while (calls[n++].number != -1) {
	}
	head.segment.p_filesz = sizeof(head) + size + n * sizeof(*calls);
	head.segment.p_memsz = head.segment.p_filesz;
	head.segment.p_align = 4096;
	snprintf(path, sizeof(path), "%s/rootfs/program", it.bundle);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, &head, sizeof(head)), (ssize_t)sizeof(head));
	cr_assert_eq(write(fd, pen_image_start, size), (ssize_t)size);
	cr_assert_eq(write(fd, calls, n * sizeof(*calls)), (ssize_t)(n * sizeof(*calls)));
	close(fd);
#else
	(void)calls;
	cr_skip_test("the container's program is x86-64");
#endif
}

static inline void pen_find(void)
{
	int fd = open_program("calfpen-pen");
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, pen_program, sizeof(pen_program) - 1);
	cr_assert_gt(n, 0);
	pen_program[n] = '\0';
	close(fd);
}

static inline void pen_setup(void)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	pen_find();
	container_init(&it);
	snprintf(pen_log, sizeof(pen_log), "%s/log", it.directory);
	snprintf(pen_pid_file, sizeof(pen_pid_file), "%s/pid", it.directory);
	it.description.cpu_percent = 10;
	cr_assert_geq(cgroup_parent_hold(it.cgroup_parent, &AWAIT_FOREVER), 0);
	it.parameters.limits_cpu = cgroup_limits_cpu(it.cgroup_parent);
	cr_assert_eq(bundle_write(&it.parameters), 0);
	pen_write_program(&PEN_CALLS_END);
}

/* Begin one command, calfpen-pen --root STATE --log FILE COMMAND...; `n_fds` descriptors from 1 on. */
static inline pid_t pen_begin(const char *const *command, size_t n_fds)
{
	const int fds[] = { it.fds.log_stdout, it.fds.log_stderr, it.fds.frames, it.fds.control,
			    it.fds.metrics };
	const char *argv[16] = { pen_program, "--root", it.state, "--log", pen_log };
	size_t n = 5;
	pid_t pid;

	while (*command)
		argv[n++] = *command++;
	(void)unlink(pen_log);
	cr_assert_eq(runtime_exec(argv, fds, n_fds, 0, &pid), 0);
	return pid;
}

/* Returns 0, or -EIO; what it said is in pen_said(). */
static inline int pen_run(const char *const *command)
{
	return runtime_exec_end(pen_begin(command, 5), 0, &AWAIT_FOREVER);
}

static const char *const pen_create[] = { "create",	"--bundle",	    it.bundle,
					  "--pid-file", pen_pid_file,	    "--preserve-fds",
					  "3",		"--no-new-keyring", "probe",
					  NULL };

#define PEN_RUN(...) pen_run((const char *const[]){ __VA_ARGS__, NULL })

/* The first message of the last command, without "calfpen-pen: error: ". */
static inline const char *pen_said(void)
{
	static char text[1024];
	int fd = open(pen_log, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	const size_t head = strlen("calfpen-pen: error: ");

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return strlen(text) > head ? text + head : text;
}

/* The process of the container, or 0. */
static inline pid_t pen_pid(void)
{
	FILE *file = fopen(pen_pid_file, "re");
	int pid = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%d", &pid) != 1)
		pid = 0;
	fclose(file);
	return pid;
}

/* "status" of the command state, or "" */
static inline const char *pen_status(void)
{
	static char status[32];
	const char *argv[] = { pen_program, "--root", it.state, "state", "probe", NULL };
	char text[1024] = "";
	int fds[2], moved[2];
	const char *at;
	pid_t pid;

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	moved[0] = fds[1];
	moved[1] = -1;
	cr_assert_eq(runtime_exec(argv, moved, 2, 0, &pid), 0);
	close(fds[1]);
	(void)runtime_exec_end(pid, 0, &AWAIT_FOREVER);
	cr_assert_geq(read(fds[0], text, sizeof(text) - 1), 0);
	close(fds[0]);
	status[0] = '\0';
	at = strstr(text, "\"status\": \"");
	if (at)
		sscanf(at, "\"status\": \"%31[a-z]", status);
	return status;
}

/* Read what `n` calls returned. */
static inline void pen_results(int64_t *results, size_t n)
{
	size_t used = 0;

	while (used < n * sizeof(*results)) {
		struct pollfd input = { .fd = it.log_fd, .events = POLLIN };
		ssize_t got;

		cr_assert_eq(poll(&input, 1, 10000), 1, "no output of the container");
		got = read(it.log_fd, (char *)results + used, n * sizeof(*results) - used);
		cr_assert_gt(got, 0, "the container ended early");
		used += (size_t)got;
	}
}

/* Also of a test that failed */
static inline void pen_teardown(void)
{
	if (geteuid() != 0)
		return;
	(void)PEN_RUN("delete", "--force", "probe");
	container_deinit(&it);
}

/* Whether the container has a cgroup in any hierarchy */
static inline bool pen_has_cgroup(void)
{
	static const char *const hierarchies[] = { "memory", "pids", "cpu", "unified", "." };

	for (size_t i = 0; i < sizeof(hierarchies) / sizeof(hierarchies[0]); i++)
		if (container_has_cgroup(&it, hierarchies[i]))
			return true;
	return false;
}

static inline bool pen_has_state(void)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/probe", it.state);
	return access(path, F_OK) == 0;
}

#endif
