/* SPDX-License-Identifier: Apache-2.0 */
/* Records that no gate writes, put into a ring by a program of our own. */
#ifndef CALFPEN_TESTS_BPF_FORGE_H
#define CALFPEN_TESTS_BPF_FORGE_H

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "maps/kv.h"

#define FORGE_MAX 4096

/* Returns 0 or a negative errno. */
static inline int forge_record(int ring_fd, const void *record, size_t size)
{
	uint8_t bytes[FORGE_MAX] = { 0 };
	uint32_t zero = 0;
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "forged", sizeof(zero), FORGE_MAX, 1, NULL);
	const struct bpf_insn instructions[] = {
		{ .code = BPF_LD | BPF_DW | BPF_IMM,
		  .dst_reg = BPF_REG_2,
		  .src_reg = BPF_PSEUDO_MAP_VALUE,
		  .imm = map },
		{ .code = 0 },
		{ .code = BPF_LD | BPF_DW | BPF_IMM,
		  .dst_reg = BPF_REG_1,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = ring_fd },
		{ .code = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = (int)size },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_4, .imm = 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ringbuf_output },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = BPF_F_SLEEPABLE);
	LIBBPF_OPTS(bpf_test_run_opts, run);
	int program = -1, r;

	if (map < 0)
		return map;
	for (size_t i = 0; i < size && i < FORGE_MAX; i++)
		bytes[i] = ((const uint8_t *)record)[i];
	r = bpf_map_update_elem(map, &zero, bytes, BPF_ANY);
	if (!r)
		program = bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "forge", "GPL", instructions,
					sizeof(instructions) / sizeof(instructions[0]), &options);
	if (!r && program < 0)
		r = program;
	if (!r)
		r = bpf_prog_test_run_opts(program, &run);
	if (!r)
		r = (int)run.retval;
	if (program >= 0)
		(void)close(program);
	(void)close(map);
	return r;
}

/* A commit with something behind a deletion, as a gate that lets it pass would write it. */
static inline int forge_commit(int ring_fd, uint16_t subject, uint64_t revision)
{
	const struct {
		struct kv_event event;
		struct kv_change change;
		char behind[8];
	} record = {
		.event = { .type = KV_RECORD_COMMIT,
			   .size = KV_CHANGE_SIZE(0),
			   .revision = revision,
			   .uid = 1234567,
			   .tgid = 54321,
			   .subject = subject,
			   .verb = KV_VERB_COMMIT,
			   .n_changes = 1 },
		.change = { "/nameserver/008", KV_CHANGE_DELETE, 0, KV_NOTE(12, 15) },
		.behind = "HIDDEN!",
	};

	return forge_record(ring_fd, &record, sizeof(record));
}

#endif
