/* SPDX-License-Identifier: Apache-2.0 */
/* The ceilings of limits. */
#include <criterion/criterion.h>
#include <errno.h>

#include "tests/unit/support-configuration.h"

TestSuite(limits, .init = setup, .fini = teardown);

/* What the first calf asks for, 0: as good as nothing; and the ceilings. */
Test(limits, F10_ceilings)
{
	static const struct {
		struct description asks;
		const char *text, *refused; /* of line 7 of its description */
	} rows[] = {
		{ { .memory_bytes = 64 << 20 }, "", NULL },
		{ { .memory_bytes = (64 << 20) + 1 },
		  "",
		  "memory is 67108865, above the ceiling of 67108864; only `ceilings: {memory: ...}`" },
		{ { .memory_bytes = 128 << 20 }, "ceilings: {memory: 134217728}\n", NULL },
		{ { .memory_bytes = 64 << 20 },
		  "ceilings: {memory: 33554432}\n",
		  "memory is 67108864, above the ceiling of 33554432; only `ceilings: {memory: ...}`" },
		{ { .pids = 64, .cpu_percent = 10, .requests_per_second = 1000 }, "", NULL },
		{ { .request_burst = 1000, .max_keys = 512, .max_bytes = 262144 }, "", NULL },
		{ { .log_bytes_per_second = 16384, .log_burst = 1048576 }, "", NULL },
		{ { .pids = 65 }, "", "pids is 65, above the ceiling of 64; only" },
		{ { .cpu_percent = 11 }, "", "cpu is 11, above the ceiling of 10; only" },
		{ { .requests_per_second = 1001 },
		  "",
		  "requests_per_second is 1001, above the ceiling of 1000; only" },
		{ { .request_burst = 1001 },
		  "",
		  "request_burst is 1001, above the ceiling of 1000;" },
		{ { .max_keys = 513 }, "", "max_keys is 513, above the ceiling of 512; only" },
		{ { .max_bytes = 262145 }, "", "max_bytes is 262145, above the ceiling of 262144;" },
		{ { .log_bytes_per_second = 16385 },
		  "",
		  "log_bytes_per_second is 16385, above the ceiling of 16384; only" },
		{ { .audit_bytes_per_second = 65536, .audit_burst = 1048576 }, "", NULL },
		{ { .audit_bytes_per_second = 65537 },
		  "",
		  "audit_bytes_per_second is 65537, above the ceiling of 65536; only" },
		{ { .audit_burst = 1048577 },
		  "",
		  "audit_burst is 1048577, above the ceiling of 1048576; only" },
		{ { .log_burst = 1048577 },
		  "",
		  "log_burst is 1048577, above the ceiling of 1048576;" },
		{ { .pids = 65, .cpu_percent = 11 }, "ceilings: {pids: 65, cpu: 11}\n", NULL },
		{ { .n_frames = 1,
		    .frames = { { .ingress_interval_ns = 1000000,
				  .ingress_burst_ns = 1000000000 } } },
		  "",
		  NULL },
		{ { .n_frames = 1, .frames = { { .ingress_interval_ns = 999000 } } },
		  "",
		  "ingress_per_second is 1001, above the ceiling of 1000; only `ceilings: "
		  "{frames_per_second: ...}`" },
		{ { .n_frames = 1,
		    .frames = { { .egress_interval_ns = 1000000, .egress_burst_ns = 1001000000 } } },
		  "",
		  "egress_burst is 1001, above the ceiling of 1000; only `ceilings: {frame_burst: ...}`" },
		{ { .n_frames = 1, .frames = { { .egress_interval_ns = 500000 } } },
		  "ceilings: {frames_per_second: 2000}\n",
		  NULL },
		/* 300000, whose interval it shares with 299941 to 300030 */
		{ { .n_frames = 1, .frames = { { .egress_interval_ns = 1000000000 / 300000 } } },
		  "ceilings: {frames_per_second: 300000}\n",
		  NULL },
		{ { .n_frames = 1, .frames = { { .egress_interval_ns = 1000000000 / 300000 } } },
		  "ceilings: {frames_per_second: 299940}\n",
		  "egress_per_second is 299941, above the ceiling of 299940; only" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char expected[512];

		descriptions[0] = rows[i].asks;
		strcpy(descriptions[0].directory, "/calves/a");
		descriptions[0].frame_lines[0] = 7;
		for (int j = 0; j < DESCRIPTION_LIMITS_OWN; j++)
			descriptions[0].limit_lines[j] = 7;
		cr_expect_eq(load(rows[i].text, 2), rows[i].refused ? -EINVAL : 0, "%zu", i);
		snprintf(expected, sizeof(expected), "/calves/a/calf.yaml:7: %s",
			 rows[i].refused ? rows[i].refused : "");
		if (rows[i].refused)
			cr_expect_eq(strncmp(capture_text(), expected, strlen(expected)), 0, "%s",
				     capture_text());
		else
			cr_expect_str_eq(capture_text(), "", "%zu", i);
	}
}

Test(limits, F10_wrong_ceilings)
{
	static const struct {
		const char *text, *refused;
	} rows[] = {
		{ "ceilings: 3\n", "1: ceilings must be a mapping of fields" },
		{ "ceilings: {disk: 3}\n",
		  "1: unknown field \"disk\" in ceilings; known fields: memory, pids, "
		  "requests_per_second, request_burst, max_keys, max_bytes, cpu, audit_bytes_per_second, audit_burst, "
		  "log_bytes_per_second, log_burst, frames_per_second, frame_burst" },
		{ "ceilings:\n  memory: 128M\n",
		  "2: memory must be a number from 1048576 to 68719476736" },
		{ "ceilings: {pids: 1025}\n", "1: pids must be a number from 16 to 1024" },
		{ "ceilings: {cpu: 0}\n", "1: cpu must be a number from 1 to 100" },
		{ "ceilings: {frame_burst: 1000001}\n",
		  "1: frame_burst must be a number from 1 to 1000000" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char expected[512];

		cr_expect_eq(load(rows[i].text, 2), -EINVAL, "accepted: %s", rows[i].text);
		snprintf(expected, sizeof(expected), "%s:%s\n", path, rows[i].refused);
		cr_expect_str_eq(capture_text(), expected);
	}
}
