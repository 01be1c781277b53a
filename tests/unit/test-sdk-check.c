/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/capture.h"
#include "userspace/calf/sdk/check.h"

static char seen[256];
static int done_result;

static const char *path(unsigned int i)
{
	static const char *const paths[] = { "/mac", "/config/a", "/config/ab" };

	return paths[i];
}

static int value(void *data, unsigned int i, int status, const char *text, size_t length)
{
	size_t used = strlen(seen);

	cr_expect_eq(data, seen);
	cr_expect_eq(strlen(text), length);
	snprintf(seen + used, sizeof(seen) - used, "%u:%s ", i,
		 status == CALF_OK ? text : "(none)");
	if (strcmp(text, "bad") != 0)
		return 0;
	log_error("%s: is bad", path(i));
	return -EINVAL;
}

static int done(void *data)
{
	(void)data;
	strcat(seen, "done");
	if (done_result)
		log_error("/config: do not fit");
	return done_result;
}

/* Give it these values; what it answers. */
static int check(const char *input, char *answer, size_t size)
{
	int in = memfd_create("in", 0), out = memfd_create("out", 0), r;
	ssize_t n;

	capture_begin();
	cr_assert_eq(write(in, input, strlen(input)), (ssize_t)strlen(input));
	cr_assert_eq(lseek(in, 0, SEEK_SET), 0);
	cr_assert(dup2(in, 0) == 0 && dup2(out, 1) == 1);
	r = check_keys(path, 3, value, done, seen);
	n = pread(out, answer, size - 1, 0);
	answer[n > 0 ? n : 0] = '\0';
	close(in);
	close(out);
	return r;
}

Test(sdk_check, U32_all_is_well)
{
	char answer[64];

	cr_expect_eq(check("/config/ab=2 =3\n/other=4\n/mac=m\n", answer, sizeof(answer)), 0);
	cr_expect_str_eq(answer, "");
	cr_expect_str_eq(seen, "0:m 1:(none) 2:2 =3 done");
}

Test(sdk_check, U32_a_value_is_refused)
{
	char answer[64];

	cr_expect_eq(check("/mac=m\n/config/a=bad\n/config/ab=\n", answer, sizeof(answer)), 1);
	cr_expect_str_eq(answer, "/config/a: is bad");
	cr_expect_str_eq(seen, "0:m 1:bad ");
}

Test(sdk_check, U32_all_together_are_refused)
{
	char answer[64];

	done_result = -EINVAL;
	cr_expect_eq(check("/mac=m\n", answer, sizeof(answer)), 1);
	cr_expect_str_eq(answer, "/config: do not fit");
}

/* What no priv sends. */
Test(sdk_check, U32_other_input)
{
	static char input[70000];
	char answer[64];

	cr_expect_eq(check("/mac=without an end", answer, sizeof(answer)), 0);
	cr_expect_str_eq(seen, "0:(none) 1:(none) 2:(none) done");
	memset(input, 'x', 2000);
	memcpy(input, "/mac=", 5);
	strcpy(input + 2000, "\n");
	cr_expect_eq(check(input, answer, sizeof(answer)), 1);
	cr_expect_str_eq(answer, "/mac: longer than a value can be");
	memset(input, 'x', sizeof(input) - 1);
	cr_expect_eq(check(input, answer, sizeof(answer)), 1);
	cr_expect_str_eq(answer, "cannot read the values: Argument list too long");
}
