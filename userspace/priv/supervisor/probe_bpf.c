/* SPDX-License-Identifier: Apache-2.0 */
/* Probes of bpf(): load programs of a few instructions and close them again. */
#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "userspace/priv/supervisor/probe-private.h"

/* Newer than the headers of the oldest system we build on. */
#define ATTACH_TCX_INGRESS 46
#define HELPER_RINGBUF_RESERVE_DYNPTR 198
#define HELPER_RINGBUF_DISCARD_DYNPTR 200

/* the instructions of these programs */

static struct bpf_insn move(uint8_t to, int32_t value)
{
	return (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K,
				  .dst_reg = to & 0xfu,
				  .imm = value };
}

static struct bpf_insn copy(uint8_t to, uint8_t from)
{
	return (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_X,
				  .dst_reg = to & 0xfu,
				  .src_reg = from & 0xfu };
}

static struct bpf_insn add(uint8_t to, int32_t value)
{
	return (struct bpf_insn){ .code = BPF_ALU64 | BPF_ADD | BPF_K,
				  .dst_reg = to & 0xfu,
				  .imm = value };
}

/* The first half of this instruction; the second is all zeros. */
static struct bpf_insn map(uint8_t to, int fd)
{
	return (struct bpf_insn){ .code = BPF_LD | BPF_DW | BPF_IMM,
				  .dst_reg = to & 0xfu,
				  .src_reg = BPF_PSEUDO_MAP_FD,
				  .imm = fd };
}

static struct bpf_insn call(int32_t helper)
{
	return (struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .imm = helper };
}

static struct bpf_insn leave(void)
{
	return (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
}

static int load(enum bpf_prog_type type, uint32_t flags, const struct bpf_insn *program, size_t n)
{
	const struct bpf_prog_load_opts options = { .sz = sizeof(options), .prog_flags = flags };

	return bpf_prog_load(type, "probe", "Dual BSD/GPL", program, n, &options);
}

int probe_try_syscall_program(void)
{
	const struct bpf_insn program[] = { move(BPF_REG_0, 42), leave() };
	struct bpf_test_run_opts run = { .sz = sizeof(run) };
	int fd = load(BPF_PROG_TYPE_SYSCALL, BPF_F_SLEEPABLE, program, 2);
	int r = 0;

	if (fd < 0)
		return -fd;
	if (bpf_prog_test_run_opts(fd, &run) < 0)
		r = errno;
	else if (run.retval != 42)
		r = EPROTO;
	close(fd);
	return r;
}

int probe_try_map_freeze(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "probe", 4, 4, 1, NULL);
	int r = 0;

	if (fd < 0)
		return -fd;
	if (bpf_map_freeze(fd) < 0)
		r = errno;
	close(fd);
	return r;
}

int probe_try_ringbuf_dynptr(void)
{
	int map_fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "probe", 0, 0,
				    (uint32_t)sysconf(_SC_PAGESIZE), NULL);
	int fd;

	if (map_fd < 0)
		return -map_fd;
	{
		const struct bpf_insn program[] = {
			map(BPF_REG_1, map_fd),
			{ .code = 0 },
			move(BPF_REG_2, 8), /* bytes */
			move(BPF_REG_3, 0),
			copy(BPF_REG_4, BPF_REG_10),
			add(BPF_REG_4, -16), /* the dynptr is on the stack */
			call(HELPER_RINGBUF_RESERVE_DYNPTR),
			copy(BPF_REG_1, BPF_REG_10),
			add(BPF_REG_1, -16),
			move(BPF_REG_2, 0),
			call(HELPER_RINGBUF_DISCARD_DYNPTR),
			move(BPF_REG_0, 0),
			leave(),
		};

		fd = load(BPF_PROG_TYPE_SYSCALL, BPF_F_SLEEPABLE, program,
			  sizeof(program) / sizeof(program[0]));
	}
	close(map_fd);
	if (fd < 0)
		return -fd;
	close(fd);
	return 0;
}

/* Create a link to a device that cannot exist: ENODEV if the kernel has tcx links. */
int probe_try_tcx(void)
{
	const struct bpf_insn program[] = { move(BPF_REG_0, 0), leave() };
	int fd = load(BPF_PROG_TYPE_SCHED_CLS, 0, program, 2);
	union bpf_attr attributes;
	int r;

	if (fd < 0)
		return -fd;
	memset(&attributes, 0, sizeof(attributes));
	attributes.link_create.prog_fd = (uint32_t)fd;
	attributes.link_create.target_ifindex = INT_MAX;
	attributes.link_create.attach_type = ATTACH_TCX_INGRESS;
	if (syscall(SYS_bpf, BPF_LINK_CREATE, &attributes, sizeof(attributes)) >= 0)
		r = EPROTO;
	else
		r = errno == ENODEV ? 0 : errno;
	close(fd);
	return r;
}
