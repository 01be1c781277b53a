/* SPDX-License-Identifier: Apache-2.0 */
/* A store with a few subjects, pinned as instance "test", for gate tests. */
#ifndef CALFPEN_TESTS_BPF_SUPPORT_GATE_H
#define CALFPEN_TESTS_BPF_SUPPORT_GATE_H

#include "userspace/common/gate.h"
#include "userspace/priv/store/store.h"

#define ALL_ACCESS (KV_ACCESS_READ | KV_ACCESS_WRITE | KV_ACCESS_DELETE)
#define FAST 1000000u	     /* requests per second, no limit in a test */
#define NO_LIMIT 1000000000u /* bytes of audit, per second and at once */

struct gate_test {
	struct pins pins;
	struct store store;
	int fds[KV_SUBJECTS_MAX];
	uint32_t max_keys; /* quota of subjects added from now on, 0: none */
	uint64_t max_bytes;
	uint32_t audit_bytes_per_second, audit_burst; /* of the audit log; 0: NO_LIMIT */
};

/* Mount a private bpffs unless there is already one. */
void gate_test_begin(struct gate_test *test, uint32_t max_keys, uint32_t n_subjects);
void gate_test_end(struct gate_test *test);

/* Return the number of a calf of this name. */
uint32_t gate_test_number(const struct gate_test *test, const char *name);

/* Add subject `number` with rules; `path` NULL ends the list. */
struct test_rule {
	const char *path;
	uint32_t access;
	uint16_t class;
	uint16_t max_length;
};
int gate_test_subject(struct gate_test *test, uint32_t number, const struct test_rule *rules,
		      uint32_t requests_per_second, uint32_t burst);

/* A raw request, unchecked by gate.c. */
int gate_test_raw(int fd, uint32_t verb, uint32_t n_changes, const void *bytes, uint32_t size,
		  struct kv_request *requestp);

/* Append a raw change with this 64-byte key. Returns bytes appended. */
uint32_t gate_test_change(unsigned char *at, const char key[64], uint16_t operation,
			  const void *text, uint16_t length);

/* Read all event records, as the watcher would. */
void gate_test_drain(const struct gate_test *test);

struct kv_ctl gate_test_ctl(const struct gate_test *test);

#endif
