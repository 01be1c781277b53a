/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway in a separate process, confined as in production, between a socket and a
 * real gate. */
#ifndef CALFPEN_TESTS_BPF_SUPPORT_GATEWAY_H
#define CALFPEN_TESTS_BPF_SUPPORT_GATEWAY_H

#include <sys/types.h>

#include "tests/bpf/support-gate.h"

#define GATEWAY_TEST_UID_BASE 1900000100u

struct gateway_test {
	struct gate_test gate; /* subjects: the supervisor, who may all, and the calf */
	pid_t pid;
	int control, calf_stdout, calf_stderr; /* the calf's ends */
	int log;
};

/* Start it for a calf whose description has these lines of keys; in the
 * kernel it has these rules. */
void gateway_test_begin(struct gateway_test *test, const char *key_lines,
			const struct test_rule *rules, uint32_t requests_per_second,
			uint32_t burst);
void gateway_test_end(struct gateway_test *test);
/* Wait until it exits. Returns its exit code, or minus the signal that killed it. */
int gateway_test_wait(struct gateway_test *test);
/* Returns everything that it logged, after it has exited. */
const char *gateway_test_log(const struct gateway_test *test);

#endif
