/* SPDX-License-Identifier: Apache-2.0 */
/* A calf that the store has no number for is refused with the line of its name. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/bpf/support-gate.h"
#include "tests/unit/capture.h"
#include "userspace/priv/supervisor/subjects.h"

Test(supervisor_subjects, a_full_table_of_names)
{
	static struct description descriptions[3] = {
		{ .name = "calf0", .name_line = 1, .directory = "/calves/0" },
		{ .name = "new", .name_line = 2, .directory = "/calves/new" },
		{ .name = "newer", .name_line = 3, .directory = "/calves/newer" },
	};
	struct gate_test test;
	char name[KV_NAME_SIZE], expected[PATH_MAX + 256];
	uint32_t numbers[3];

	gate_test_begin(&test, 64, 5);
	for (int i = 0; i < KV_SUBJECTS_MAX - KV_SUBJECT_CALF - 1; i++) {
		(void)snprintf(name, sizeof(name), "calf%d", i);
		(void)gate_test_number(&test, name);
	}
	capture_begin();
	cr_expect_eq(subjects_number(&test.store, descriptions, 3, numbers), -ENOSPC);
	(void)snprintf(expected, sizeof(expected),
		       "/calves/newer/calf.yaml:3: the store has no number left for the calf "
		       "\"newer\": all 61 have been given, also to calves that were removed; to "
		       "start with an empty store: rm -r %s\n",
		       test.pins.directory);
	cr_expect_str_eq(capture_text(), expected);
	cr_assert_eq(subjects_number(&test.store, descriptions, 2, numbers), 0);
	cr_expect_eq(numbers[0], KV_SUBJECT_CALF);
	cr_expect_eq(numbers[1], KV_SUBJECTS_MAX - 1);
	gate_test_end(&test);
}
