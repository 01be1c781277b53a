/* SPDX-License-Identifier: Apache-2.0 */
/* What attacks on the store have in common: four subjects with all rights. */
#ifndef CALFPEN_TESTS_BPF_SUPPORT_ATTACKS_H
#define CALFPEN_TESTS_BPF_SUPPORT_ATTACKS_H

#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/bpf/support-gate.h"

static struct gate_test test;
static int stop; /* 1: threads end */

static inline void attacks_begin(uint32_t access)
{
	const struct test_rule rules[] = { { "/", access, KV_CLASS_TEXT, KV_VALUE_MAX }, { NULL } };

	gate_test_begin(&test, 256, 4);
	for (uint32_t i = 0; i < 4; i++)
		gate_test_subject(&test, i, rules, FAST, FAST);
	cr_assert_eq(store_seal(&test.store), 0);
}

static inline void attacks_end(void)
{
	gate_test_end(&test);
}

/* An emulated guest does the same in a hundredth of the steps. */
static inline int scaled(int n)
{
	struct timespec before, after;

	clock_gettime(CLOCK_MONOTONIC, &before);
	for (int i = 0; i < 100; i++)
		gate_write(test.fds[3], "/scale", "x", 1, NULL);
	clock_gettime(CLOCK_MONOTONIC, &after);
	gate_test_drain(&test);
	return (after.tv_sec - before.tv_sec) * 1000000000l + after.tv_nsec - before.tv_nsec >
			       100 * 15000 ?
		       n / 100 :
		       n;
}

#endif
