/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bpf/support-gate.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "maps/pins.h"

void gate_test_begin(struct gate_test *test, uint32_t max_keys, uint32_t n_subjects)
{
	char instance[32];

	/* tests run side by side in one bpffs */
	snprintf(instance, sizeof(instance), "test-%d", getpid());
	memset(test, 0, sizeof(*test));
	cr_assert_eq(pins_init(&test->pins, instance), 0);
	cr_assert_eq(store_init(&test->store, &test->pins, max_keys, n_subjects), 0);
}

void gate_test_end(struct gate_test *test)
{
	store_deinit(&test->store);
	pins_deinit(&test->pins);
}

uint32_t gate_test_number(const struct gate_test *test, const char *name)
{
	uint32_t number = 0, refused;

	cr_assert_eq(store_number_calves(&test->store, &name, 1, &number, &refused), 0, "%s", name);
	return number;
}

int gate_test_subject(struct gate_test *test, uint32_t number, const struct test_rule *rules,
		      uint32_t requests_per_second, uint32_t burst)
{
	struct store_rule list[32] = { 0 };
	char name[16];
	struct store_subject subject = {
		.number = number,
		.name = name,
		.rules = list,
		.requests_per_second = requests_per_second,
		.request_burst = burst,
		.audit_bytes_per_second =
			test->audit_bytes_per_second ? test->audit_bytes_per_second : NO_LIMIT,
		.audit_burst = test->audit_burst ? test->audit_burst : NO_LIMIT,
		.max_keys = test->max_keys ? test->max_keys : UINT32_MAX,
		.max_bytes = test->max_bytes ? test->max_bytes : UINT64_MAX,
	};

	snprintf(name, sizeof(name), "subject%u", number);
	for (; rules[subject.n_rules].path; subject.n_rules++) {
		const struct test_rule *rule = &rules[subject.n_rules];
		struct store_rule *to = &list[subject.n_rules];

		snprintf(to->key.path, sizeof(to->key.path), "%s", rule->path);
		to->rule = (struct kv_rule){ .access = rule->access,
					     .class = rule->class,
					     .max_length = rule->max_length };
	}
	cr_assert_eq(store_add_subjects(&test->store, &subject, 1), 0, "subject %u", number);
	test->fds[number] = test->store.gate_fds[number];
	return test->fds[number];
}

int gate_test_raw(int fd, uint32_t verb, uint32_t n_changes, const void *bytes, uint32_t size,
		  struct kv_request *requestp)
{
	struct kv_request request = {
		.verb = verb,
		.n_changes = n_changes,
		.request = (uintptr_t)bytes,
		.size = size,
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &request, .ctx_size_in = sizeof(request));

	cr_assert_eq(bpf_prog_test_run_opts(fd, &opts), 0, "BPF_PROG_RUN: %s", strerror(errno));
	if (requestp)
		*requestp = request;
	return (int)opts.retval;
}

uint32_t gate_test_change(unsigned char *at, const char key[64], uint16_t operation,
			  const void *text, uint16_t length)
{
	struct kv_change change = { .operation = operation, .length = length };

	memcpy(change.path, key, sizeof(change.path));
	memset(at, 0, KV_CHANGE_SIZE(length));
	memcpy(at, &change, sizeof(change));
	if (length)
		memcpy(at + sizeof(change), text, length);
	return KV_CHANGE_SIZE(length);
}

static int ignore(void *data, void *record, size_t size)
{
	(void)data;
	(void)record;
	(void)size;
	return 0;
}

void gate_test_drain(const struct gate_test *test)
{
	struct ring_buffer *ring = ring_buffer__new(test->store.events_fd, ignore, NULL, NULL);

	cr_assert_not_null(ring);
	cr_assert_geq(ring_buffer__consume(ring), 0);
	ring_buffer__free(ring);
}

struct kv_ctl gate_test_ctl(const struct gate_test *test)
{
	struct kv_ctl ctl;
	uint32_t zero = 0;

	cr_assert_eq(bpf_map_lookup_elem(test->store.ctl_fd, &zero, &ctl), 0);
	return ctl;
}
