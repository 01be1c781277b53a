/* SPDX-License-Identifier: Apache-2.0 */
/* What the keys below /link/macs say. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/capture.h"
#include "userspace/calf/dhcp4/host_macs.h"

static struct host_macs macs;

static void take(enum calf_entry_kind kind, const char *path, const char *text)
{
	host_macs_take(&macs,
		       &(struct calf_entry){
			       .kind = kind, .path = path, .text = text, .length = strlen(text) });
}

static bool have(uint8_t last)
{
	return host_macs_have(&macs, (const uint8_t[6]){ 2, 0, 0, 0, 0, last });
}

TestSuite(host_macs, .init = capture_begin);

Test(host_macs, U04_each_key_by_itself)
{
	take(CALF_ENTRY_VALUE, "/link/macs/001", "02:00:00:00:00:01 02:00:00:00:00:02");
	take(CALF_ENTRY_VALUE, "/link/macs/016", "02:00:00:00:00:03");
	take(CALF_ENTRY_SYNCED, "", "");
	cr_expect(have(1) && have(2) && have(3));
	cr_expect_not(have(4));
	take(CALF_ENTRY_VALUE, "/link/macs/001", "02:00:00:00:00:02");
	cr_expect(!have(1) && have(2) && have(3));
	take(CALF_ENTRY_DELETED, "/link/macs/016", "");
	cr_expect(have(2) && !have(3));
	cr_expect_str_eq(capture_text(), "");
}

Test(host_macs, U04_a_full_key)
{
	char text[KV_VALUE_SIZE];
	size_t length = 0;

	for (unsigned int i = 1; i <= LINK_MACS_PER_KEY; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length,
					   "%s02:00:00:00:00:%02x", i > 1 ? " " : "", i);
	take(CALF_ENTRY_VALUE, "/link/macs/007", text);
	cr_expect(have(1) && have(LINK_MACS_PER_KEY));
	cr_expect_not(have(LINK_MACS_PER_KEY + 1));
	cr_expect_str_eq(capture_text(), "");
}

/* A key that is not sent again after lost events was deleted. */
Test(host_macs, U04_resync)
{
	take(CALF_ENTRY_VALUE, "/link/macs/001", "02:00:00:00:00:01");
	take(CALF_ENTRY_VALUE, "/link/macs/002", "02:00:00:00:00:02");
	take(CALF_ENTRY_RESYNC, "", "");
	cr_expect(have(1) && have(2), "as long as the keys are sent");
	take(CALF_ENTRY_VALUE, "/link/macs/002", "02:00:00:00:00:02");
	take(CALF_ENTRY_SYNCED, "", "");
	cr_expect(!have(1) && have(2));
	take(CALF_ENTRY_SYNCED, "", "");
	cr_expect(have(2));
}

Test(host_macs, other_keys_and_wrong_values)
{
	take(CALF_ENTRY_VALUE, "/link", "up");
	take(CALF_ENTRY_VALUE, "/link/macs", "02:00:00:00:00:01");
	take(CALF_ENTRY_VALUE, "/link/macs/017", "02:00:00:00:00:01");
	take(CALF_ENTRY_VALUE, "/link/macs/000", "02:00:00:00:00:01");
	take(CALF_ENTRY_VALUE, "/link/macs/0x1", "02:00:00:00:00:01");
	take(CALF_ENTRY_VALUE, "/link/macs/0000", "02:00:00:00:00:01");
	take(CALF_ENTRY_VALUE, "/link/macs/001", "");
	cr_expect_not(have(1));
	cr_expect_str_eq(capture_text(), "");
	take(CALF_ENTRY_VALUE, "/link/macs/001", "02:00:00:00:00:01 02:00:00:00:00");
	cr_expect(have(1));
	cr_expect_str_eq(capture_text(), "/link/macs/001: not a list of MACs; using the first 1\n");
}
