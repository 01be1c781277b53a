/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/scratch.h"
#include "userspace/priv/persist/identity.h"

static void setup(void)
{
	scratch_make();
}

static void teardown(void)
{
	scratch_remove();
}

TestSuite(persist_identity, .init = setup, .fini = teardown);

static char value[KV_VALUE_SIZE];

static int load(void)
{
	memcpy(value, "before", sizeof("before"));
	return persist_identity_load(scratch, value);
}

Test(persist_identity, U33_saved_and_loaded)
{
	char longest[KV_VALUE_SIZE];
	struct stat status;

	cr_expect_eq(load(), -ENOENT);
	cr_expect_str_eq(value, "before");
	cr_expect_eq(persist_identity_load("/proc/none", value), -ENOENT);
	cr_assert_eq(persist_identity_save(scratch, "ff00"), 0);
	cr_assert_eq(stat(scratch_path("identity"), &status), 0);
	cr_expect_eq(status.st_mode & 07777, 0600);
	cr_expect_eq(load(), 0);
	cr_expect_str_eq(value, "ff00");
	memset(longest, 'f', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	cr_assert_eq(persist_identity_save(scratch, longest), 0);
	cr_expect_eq(load(), 0);
	cr_expect_str_eq(value, longest);
	/* at the first start there is no directory yet */
	cr_expect_eq(persist_identity_save(scratch_path("a/b"), "none"), 0);
	cr_expect_eq(persist_identity_load(scratch_path("a/b"), value), 0);
	cr_expect_eq(persist_identity_save("/proc/none", "none"), -ENOENT);
}

Test(persist_identity, U33_edited_by_an_operator)
{
	scratch_write_text("identity", "# note\n\nclient_id: duid\n# another\n", 0600);
	cr_expect_eq(load(), 0);
	cr_expect_str_eq(value, "duid");
}

Test(persist_identity, U33_damaged)
{
	static const char *const texts[] = {
		"",
		"\n",
		"# only a comment\n",
		"client_id: \n",
		"client_id:ff00\n",
		"client_id: ff00",
		"client_id: ff00\nclient_id: ff01\n",
		"client_id: ff00\nduid: 00\n",
		" client_id: ff00\n",
	};
	static char much[8192];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		scratch_write_text("identity", texts[i], 0600);
		cr_expect_eq(load(), -EBADMSG, "%s", texts[i]);
		cr_expect_str_eq(value, "before", "%s", texts[i]);
	}
	scratch_write("identity", "client_id: f\0f\n", 15, 0600);
	cr_expect_eq(load(), -EBADMSG);
	memset(much, '#', sizeof(much));
	memcpy(much + sizeof(much) - 17, "\nclient_id: ff00\n", 17);
	scratch_write("identity", much, sizeof(much), 0600);
	cr_expect_eq(load(), -EBADMSG, "too long");
	memcpy(much, "client_id: ", 11);
	memset(much + 11, 'f', KV_VALUE_SIZE);
	much[11 + KV_VALUE_SIZE] = '\n';
	scratch_write("identity", much, 12 + KV_VALUE_SIZE, 0600);
	cr_expect_eq(load(), -EBADMSG, "a value that is too long");
	cr_assert_eq(unlink(scratch_path("identity")), 0);
	cr_assert_eq(symlink("/etc/hostname", scratch_path("identity")), 0);
	cr_expect_eq(load(), -EBADMSG);
	cr_assert_eq(unlink(scratch_path("identity")), 0);
	cr_assert_eq(mkfifo(scratch_path("identity"), 0600), 0);
	cr_expect_eq(load(), -EBADMSG, "a FIFO without a writer");
}
