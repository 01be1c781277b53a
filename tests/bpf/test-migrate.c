/* SPDX-License-Identifier: Apache-2.0 */
/* The role that reads a lease file, confined as in production. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/capture.h"
#include "tests/unit/migrate.h"
#include "userspace/priv/roles.h"

#define UID 1900000007u
#define DUID "00:01:00:01:32:9f:e6:02:02:00:00:00:77:02\n"

struct run {
	int status;   /* waitpid(2) */
	ssize_t size; /* of the result */
	struct migrate_identity identity;
};

static void setup(void)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	capture_begin();
}

TestSuite(migrate_role, .init = setup);

static int file_of(const void *bytes, size_t size)
{
	int fd = memfd_create("lease", MFD_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, bytes, size), (ssize_t)size);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Above all descriptors of the role. */
static int move(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 20);
}

static void run_role(int request, int lease, int duid, int configuration, int result)
{
	const int fds[] = { move(request), move(lease), move(duid), move(configuration),
			    move(result) };

	for (int i = 0; i < (int)(sizeof(fds) / sizeof(fds[0])); i++)
		if (dup2(fds[i], MIGRATE_FD_REQUEST + i) < 0)
			_exit(99);
	(void)close_range(_MIGRATE_FD_END, ~0u, 0);
	log_init("role", 2, LOG_LEVEL_INFO);
	_exit(migrate_main());
}

/* Run the role; lease, duid and configuration are descriptors. */
static struct run run(const void *request, size_t request_size, int lease, int duid,
		      int configuration)
{
	struct run run = { .size = -1 };
	int to[2], from[2];
	pid_t pid;

	cr_assert(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0);
	cr_assert_eq(write(to[1], request, request_size), (ssize_t)request_size);
	close(to[1]);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0)
		run_role(to[0], lease, duid, configuration, from[1]);
	close(to[0]);
	close(from[1]);
	cr_assert_eq(waitpid(pid, &run.status, 0), pid);
	run.size = read(from[0], &run.identity, sizeof(run.identity));
	close(from[0]);
	return run;
}

static struct migrate_request request_of(enum migrate_format format)
{
	struct migrate_request request = migrate_request_of(format);

	request.uid = UID;
	return request;
}

static const char *expect_identity(const struct run *run)
{
	cr_assert(WIFEXITED(run->status) && WEXITSTATUS(run->status) == ROLE_EXIT_OK, "status %x",
		  run->status);
	cr_assert_eq(run->size, (ssize_t)sizeof(run->identity));
	return migrate_text_of(&run->identity);
}

static void expect_failure(const struct run *run, int code)
{
	cr_expect(WIFEXITED(run->status) && WEXITSTATUS(run->status) == code, "status %x",
		  run->status);
	cr_expect_eq(run->size, 0);
}

Test(migrate_role, U33_reads_three_files)
{
	const struct migrate_request request = request_of(MIGRATE_DHCPCD);
	uint8_t ack[ACK_SIZE_MAX];
	int lease = file_of(ack, migrate_ack(ack, "", 0));
	int duid = file_of(DUID, sizeof(DUID) - 1), configuration = file_of("duid\n", 5);
	struct run result = run(&request, sizeof(request), lease, duid, configuration);

	cr_expect_str_eq(expect_identity(&result), "id ff000077020001000132"
						   "9fe602020000007702 10.77.0.150/32");
	cr_expect_str_eq(capture_text(), "");
}

Test(migrate_role, U33_hostile_files)
{
	const struct migrate_request request = request_of(MIGRATE_DHCLIENT);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC),
	    junk = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	static char bytes[MIGRATE_LEASE_MAX];
	struct run result;
	int lease;

	/* more than fits, without an end */
	result = run(&request, sizeof(request), junk, null, null);
	expect_failure(&result, ROLE_EXIT_FAILURE);
	result = run(&request, sizeof(request), null, junk, null);
	expect_failure(&result, ROLE_EXIT_FAILURE);
	result = run(&request, sizeof(request), null, null, junk);
	expect_failure(&result, ROLE_EXIT_FAILURE);
	/* as much as fits */
	cr_assert_eq(read(junk, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
	lease = file_of(bytes, sizeof(bytes));
	result = run(&request, sizeof(request), lease, null, null);
	cr_expect_str_eq(expect_identity(&result), "no lease");
	/* not readable: a directory */
	lease = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	result = run(&request, sizeof(request), lease, null, null);
	expect_failure(&result, ROLE_EXIT_FAILURE);
}

Test(migrate_role, U33_bad_request)
{
	struct migrate_request request = request_of(_MIGRATE_FORMAT_N);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct run result = run(&request, sizeof(request), null, null, null);

	cr_expect_str_eq(expect_identity(&result), "no lease");
	result = run(&request, sizeof(request) - 1, null, null, null);
	expect_failure(&result, ROLE_EXIT_FAILURE);
	request.uid = 0;
	result = run(&request, sizeof(request), null, null, null);
	expect_failure(&result, ROLE_EXIT_CONFINE);
}
