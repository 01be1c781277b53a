/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container for the tests: a scratch directory, a description, a cgroup
 * parent of its own, pipes, and an executable that is put together here: no
 * test can count on a static program being around.
 *
 * The program tries system calls and writes what they returned (8 bytes
 * each), then copies some files of /proc to its standard output, then waits
 * for the end of descriptor 4.
 */
#ifndef CALFPEN_TESTS_CONTAINER_H
#define CALFPEN_TESTS_CONTAINER_H

#include <criterion/criterion.h>
#include <elf.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/start-container.h"
#include "userspace/priv/container/bundle.h"
#include "userspace/priv/container/cgroup.h"
#include "userspace/priv/container/runtime.h"

#define CONTAINER_UID 1900000000u
#define CONTAINER_TRIED 24

#ifdef __x86_64__
asm(".pushsection container_image,\"a\"\n"
    "container_start:\n"
    "	mov %rsp, %rbp\n"
    "	sub $65536, %rsp\n"
    "	mov %rsp, %r12\n"
    "	lea container_calls(%rip), %r13\n"
    "1:	mov (%r13), %rax\n"
    "	cmp $-1, %rax\n"
    "	je 2f\n"
    "	mov 8(%r13), %rdi\n"
    "	mov 16(%r13), %rsi\n"
    "	mov 24(%r13), %rdx\n"
    "	mov $0x22, %r10\n" /* MAP_PRIVATE | MAP_ANONYMOUS */
    "	mov $-1, %r8\n"
    "	xor %r9, %r9\n"
    "	syscall\n"
    "	mov %rax, (%r12)\n"
    "	add $8, %r12\n"
    "	add $32, %r13\n"
    "	jmp 1b\n"
    "2:	mov $1, %eax\n"
    "	mov $1, %edi\n"
    "	mov %rsp, %rsi\n"
    "	mov %r12, %rdx\n"
    "	sub %rsp, %rdx\n"
    "	syscall\n"
    "	lea container_status(%rip), %rsi\n"
    "	call 4f\n"
    "	lea container_environ(%rip), %rsi\n"
    "	call 4f\n"
    "	lea container_mounts(%rip), %rsi\n"
    "	call 4f\n"
    "	mov $1, %eax\n"
    "	mov $1, %edi\n"
    "	lea container_end_mark(%rip), %rsi\n"
    "	mov $4, %edx\n"
    "	syscall\n"
    "	xor %eax, %eax\n"
    "	mov $4, %edi\n"
    "	mov %rsp, %rsi\n"
    "	mov $1, %edx\n"
    "	syscall\n"
    "	mov $231, %eax\n"
    "	xor %edi, %edi\n"
    "	syscall\n"
    "4:	mov $257, %eax\n" /* openat */
    "	mov $-100, %rdi\n"
    "	xor %edx, %edx\n"
    "	syscall\n"
    "	mov %rax, %r14\n"
    "5:	xor %eax, %eax\n"
    "	mov %r14, %rdi\n"
    "	lea -32768(%rbp), %rsi\n"
    "	mov $16384, %edx\n"
    "	syscall\n"
    "	test %rax, %rax\n"
    "	jle 6f\n"
    "	mov %rax, %rdx\n"
    "	mov $1, %eax\n"
    "	mov $1, %edi\n"
    "	lea -32768(%rbp), %rsi\n"
    "	syscall\n"
    "	jmp 5b\n"
    "6:	ret\n"
    "container_status:	.asciz \"/proc/self/status\"\n"
    "container_environ:	.asciz \"/proc/self/environ\"\n"
    "container_mounts:	.asciz \"/proc/self/mountinfo\"\n"
    "container_file:	.asciz \"/file\"\n"
    "container_end_mark:	.ascii \"END\\n\"\n"
    ".balign 8\n"
    "container_calls:\n"	       /* number, three arguments */
    "	.quad 16, 3, 0x5401, 0\n"      /* ioctl */
    "	.quad 41, 1, 1, 0\n"	       /* socket AF_UNIX */
    "	.quad 54, 4, 1, 7\n"	       /* setsockopt */
    "	.quad 42, 4, 0, 0\n"	       /* connect */
    "	.quad 46, 4, 0, 0\n"	       /* sendmsg */
    "	.quad 321, 10, 0, 0\n"	       /* bpf PROG_RUN */
    "	.quad 101, 0, 0, 0\n"	       /* ptrace TRACEME */
    "	.quad 165, 0, 0, 0\n"	       /* mount */
    "	.quad 272, 0x10000000, 0, 0\n" /* unshare NEWUSER */
    "	.quad 56, 17, 0, 0\n"	       /* clone */
    "	.quad 9, 0, 4096, 5\n"	       /* mmap READ | EXEC */
    "	.quad 157, 23, 1, 0\n"	       /* prctl CAPBSET_READ */
    "	.quad 72, 4, 1, 8\n"	       /* fcntl F_GETFD: allowed, 0 or FD_CLOEXEC */
    "	.quad 257, -100, container_file - container_calls, 0x41\n" /* see below */
    "	.quad 72, 0, 1, 0\n" /* fcntl F_GETFD of 0, 1, 2, 3, 4, 5: open */
    "	.quad 72, 1, 1, 0\n"
    "	.quad 72, 2, 1, 0\n"
    "	.quad 72, 3, 1, 0\n"
    "	.quad 72, 4, 1, 0\n"
    "	.quad 72, 5, 1, 0\n"
    "	.quad 72, 6, 1, 0\n" /* and no more */
    "	.quad 72, 7, 1, 0\n"
    "	.quad 72, 8, 1, 0\n"
    "	.quad 72, 9, 1, 0\n"
    "	.quad -1\n"
    "container_end:\n"
    ".popsection\n");
extern const char container_start[], container_end[];
#endif

enum container_tried {
	TRIED_IOCTL,
	TRIED_SOCKET,
	TRIED_SETSOCKOPT,
	TRIED_CONNECT,
	TRIED_SENDMSG,
	TRIED_BPF,
	TRIED_PTRACE,
	TRIED_MOUNT,
	TRIED_UNSHARE,
	TRIED_CLONE,
	TRIED_MMAP_EXEC,
	TRIED_PRCTL,
	TRIED_FCNTL,
	TRIED_OPEN_CREATE,
	TRIED_FD_0, /* to 9 */
};

struct container {
	char directory[64];
	char bundle[128];
	char state[128];
	char cgroup_parent[64];
	struct description description;
	struct bundle_parameters parameters;
	struct runtime runtime;
	int log_fd;		/* read end of its standard output and error */
	int control_fd;		/* our end: closing it ends the program */
	struct runtime_fds fds; /* its ends */
};

/* One segment, readable and executable, that is the whole file. */
static inline void container_write_program(const char *path)
{
#ifdef __x86_64__
	const Elf64_Addr base = 0x400000;
	size_t size = (size_t)(container_end - container_start);
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
		.segment = { .p_type = PT_LOAD,
			     .p_flags = PF_R | PF_X,
			     .p_vaddr = base,
			     .p_filesz = sizeof(head) + size,
			     .p_memsz = sizeof(head) + size,
			     .p_align = 4096 },
	};
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	cr_assert(fd >= 0);
	cr_assert(write(fd, &head, sizeof(head)) == sizeof(head));
	cr_assert(write(fd, container_start, size) == (ssize_t)size);
	close(fd);
#else
	(void)path;
	cr_skip_test("the container's program is x86-64");
#endif
}

static inline void container_init(struct container *it)
{
	int pipe_fds[2], control_fds[2];

	*it = (struct container){ .directory = "/tmp/calfpen-container-XXXXXX" };
	cr_assert(mkdtemp(it->directory) != NULL);
	cr_assert(chmod(it->directory, 0711) == 0);
	snprintf(it->bundle, sizeof(it->bundle), "%s/bundle", it->directory);
	snprintf(it->state, sizeof(it->state), "%s/state", it->directory);
	snprintf(it->cgroup_parent, sizeof(it->cgroup_parent), "calfpen-test-%d", getpid());
	it->description = (struct description){
		.name = "probe", .executable = "program", .memory_bytes = 16 << 20, .pids = 32
	};
	snprintf(it->description.directory, sizeof(it->description.directory), "%s", it->directory);
	it->parameters = (struct bundle_parameters){ .description = &it->description,
						     .directory = it->bundle,
						     .cgroup_parent = it->cgroup_parent,
						     .instance = "test",
						     .uid = CONTAINER_UID };
	snprintf(it->description.directory, sizeof(it->description.directory), "%s", it->directory);
	container_write_program(strcat(strcpy((char[256]){ 0 }, it->directory), "/program"));
	cr_assert(pipe2(pipe_fds, O_CLOEXEC) == 0);
	cr_assert(pipe2(control_fds, O_CLOEXEC) == 0);
	it->log_fd = pipe_fds[0];
	it->control_fd = control_fds[1];
	it->fds = (struct runtime_fds){ .log_stdout = pipe_fds[1],
					.log_stderr = pipe_fds[1],
					.frames = open("/dev/null", O_RDWR | O_CLOEXEC),
					.control = control_fds[0],
					.metrics = open("/dev/zero", O_RDWR | O_CLOEXEC) };
	cr_assert(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
}

static inline int container_begin(const struct container *it, pid_t *pidp)
{
	return start_container(&it->runtime, "probe", it->bundle, &it->fds, RUNTIME_GO, NULL, pidp);
}

/* Our copies of its ends: after the start, so that the pipes can end. */
static inline void container_close_ends(struct container *it)
{
	close(it->fds.log_stdout);
	close(it->fds.frames);
	close(it->fds.control);
	close(it->fds.metrics);
}

/* What the program wrote, until its last line. */
static inline size_t container_read(struct container *it, char *text, size_t size)
{
	size_t used = 0;

	while (used < size - 1) {
		struct pollfd input = { .fd = it->log_fd, .events = POLLIN };
		ssize_t n;

		cr_assert(poll(&input, 1, 10000) == 1, "no output of the container");
		n = read(it->log_fd, text + used, size - 1 - used);
		cr_assert(n > 0, "the container ended early");
		used += (size_t)n;
		text[used] = '\0';
		if (used >= 4 && memcmp(text + used - 4, "END\n", 4) == 0)
			break;
	}
	return used;
}

static inline int container_remove_one(const char *path, const struct stat *st, int type,
				       struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static inline void container_deinit(struct container *it)
{
	char path[128];

	nftw(it->directory, container_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	snprintf(path, sizeof(path), "/%s", it->cgroup_parent);
	cr_expect(runtime_cgroup_remove(path, &AWAIT_FOREVER) == 0, "cgroups left");
}

/* True if a cgroup of the container is there in any hierarchy. */
static inline bool container_has_cgroup(const struct container *it, const char *hierarchy)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/%s/test-probe", hierarchy,
		 it->cgroup_parent);
	return access(path, F_OK) == 0;
}

#endif
