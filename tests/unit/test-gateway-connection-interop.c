/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients written with the reference libraries (tests/interop) against our
 * gateway: a real socket, the store in memory, first segments so small that
 * messages come with far pointers. The cases are the original system's own
 * tests of its control descriptor, and what it had not: commit and list.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/gateway-store.h"
#include "tests/unit/interop-own.h"
#include "tests/unit/wire-vectors.h"
#include "userspace/common/log.h"
#include "userspace/priv/gateway/connection.h"

#define CONTROL_FD 4 /* of a client, as of a calf */
#define WAIT_MS 20000

static struct test_store store;
static struct gateway_responder responder;
static struct gateway_connection connection;

/* The client's argument for the segmentation of its messages. */
static const char *const segmentations[] = {
	"1024 grow", "1 fixed", "2 fixed", "3 fixed", "4 fixed", "5 fixed", "1 grow", "8 grow",
};

static const char *const clients[] = { "own", "cxx", "rust" };

/* The commands for one client, and the results. */
struct run {
	const char *client;
	const char *segmentation;
	char commands[1 << 16];
	size_t n_commands;
	int status;	      /* last step of the gateway */
	size_t n_segments;    /* most of any message */
	char output[1 << 17]; /* its lines but for "segments N" */
};

static struct run run;

static void begin(const char *client, const char *segmentation)
{
	run.client = client;
	run.segmentation = segmentation;
	run.n_commands =
		(size_t)snprintf(run.commands, sizeof(run.commands), "segment %s\n", segmentation);
	memset(&store, 0, sizeof(store));
}

__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	run.n_commands += (size_t)vsnprintf(run.commands + run.n_commands,
					    sizeof(run.commands) - run.n_commands, format,
					    arguments);
	va_end(arguments);
	cr_assert_lt(run.n_commands, sizeof(run.commands));
}

/* build/tests/interop, next to the directory of this program. */
static const char *client_directory(void)
{
	static char path[512];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	cr_assert_gt(n, 0);
	path[n] = '\0';
	dirname(dirname(path));
	strcat(path, "/interop");
	return path;
}

/* Build a client once; skips the test if its library is not there. */
static void require_client(const char *client)
{
	char command[1024], reason[256] = "";
	FILE *output;
	int status;

	if (strcmp(client, "own") == 0)
		return;
	snprintf(command, sizeof(command), "tests/interop/build %s %s 2>&1", client,
		 client_directory());
	output = popen(command, "r");
	cr_assert_not_null(output);
	if (!fgets(reason, sizeof(reason), output))
		reason[0] = '\0';
	status = pclose(output);
	reason[strcspn(reason, "\n")] = '\0';
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		cr_skip_test("%s", reason);
	cr_assert_eq(status, 0, "tests/interop/build %s: %s", client, reason);
}

static FILE *temporary(const void *bytes, size_t size)
{
	FILE *file = tmpfile();

	cr_assert_not_null(file);
	cr_assert_eq(fwrite(bytes, 1, size, file), size);
	rewind(file);
	return file;
}

static pid_t start_client(FILE *commands, FILE *output, int socket_fd)
{
	char program[600];
	pid_t pid;

	snprintf(program, sizeof(program), "%s/client-%s", client_directory(), run.client);
	fflush(NULL);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid > 0)
		return pid;
	signal(SIGPIPE, SIG_IGN);
	socket_fd = fcntl(socket_fd, F_DUPFD, 10);
	dup2(fileno(commands), 0);
	dup2(fileno(output), 1);
	dup2(socket_fd, CONTROL_FD);
	closefrom(CONTROL_FD + 1);
	if (strcmp(run.client, "own") == 0) {
		stdin = fdopen(0, "r");
		stdout = fdopen(1, "w");
		_exit(own_client_main(CONTROL_FD));
	}
	execl(program, program, (char *)NULL);
	_exit(127);
}

/* The gateway's side, until the client exits or is disconnected. */
static void serve(int fd)
{
	gateway_responder_init(&responder, &test_table, &test_store_calls, &store);
	gateway_connection_init(&connection, &responder, fd);
	do {
		struct pollfd ready = { .fd = fd,
					.events = gateway_connection_events(&connection) };

		cr_assert_eq(poll(&ready, 1, WAIT_MS), 1, "%s %s: nothing for a long time",
			     run.client, run.segmentation);
		run.status = gateway_connection_step(&connection);
	} while (run.status == GATEWAY_GOES_ON);
}

static void read_output(FILE *file)
{
	static char line[sizeof(run.output)];
	size_t n = 0;

	rewind(file);
	run.n_segments = 0;
	run.output[0] = '\0';
	while (fgets(line, sizeof(line), file)) {
		size_t n_segments;

		if (sscanf(line, "segments %zu", &n_segments) == 1) {
			if (n_segments > run.n_segments)
				run.n_segments = n_segments;
			continue;
		}
		cr_assert_lt(n + strlen(line), sizeof(run.output));
		strcpy(run.output + n, line);
		n += strlen(line);
	}
}

/* Run the client with its commands and compare what it printed. */
static void expect_output(const char *want)
{
	FILE *commands = temporary(run.commands, run.n_commands), *output = temporary("", 0);
	int fds[2], status;
	pid_t pid;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	log_init("test", open("/dev/null", O_WRONLY), LOG_LEVEL_ERROR);
	pid = start_client(commands, output, fds[0]);
	close(fds[0]);
	serve(fds[1]);
	close(fds[1]);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	read_output(output);
	cr_assert_eq(status, 0, "%s ended with %#x after: %s", run.client, status, run.output);
	cr_assert_str_eq(run.output, want, "client %s, segment %s:\n%sinstead of\n%s", run.client,
			 run.segmentation, run.output, want);
	fclose(commands);
	fclose(output);
}

/* A key that exists before the client starts. */
static void prefill(const char *path)
{
	strcpy(store.keys[store.n_keys].path, path);
	strcpy(store.keys[store.n_keys].text, "old");
	store.keys[store.n_keys++].length = 3;
}

/* A case for each client, with all of the ways to cut a message up. */
struct row {
	char client[8];
};

static struct row *rows(size_t *np)
{
	struct row *all = cr_malloc(sizeof(clients) / sizeof(clients[0]) * sizeof(*all));

	*np = sizeof(clients) / sizeof(clients[0]);
	for (size_t i = 0; i < *np; i++)
		strcpy(all[i].client, clients[i]);
	return all;
}

static void free_rows(struct criterion_test_params *parameters)
{
	cr_free(parameters->params);
}

#define ClientTest(_name)                                                       \
	static void each_##_name(const char *client, const char *segmentation); \
	ParameterizedTestParameters(interop_clients, _name)                     \
	{                                                                       \
		size_t n;                                                       \
		struct row *all = rows(&n);                                     \
                                                                                \
		return cr_make_param_array(struct row, all, n, free_rows);      \
	}                                                                       \
	ParameterizedTest(struct row *row, interop_clients, _name)              \
	{                                                                       \
		require_client(row->client);                                    \
		for (size_t i = 0; i < VECTORS_N(segmentations); i++)           \
			each_##_name(row->client, segmentations[i]);            \
	}                                                                       \
	static void each_##_name(const char *client, const char *segmentation)

/* A message that must have come in several segments did so. */
static void expect_segments(size_t n)
{
	if (strcmp(run.client, "own") != 0 && strstr(run.segmentation, "fixed"))
		cr_assert_geq(run.n_segments, n, "%s %s: %zu", run.client, run.segmentation,
			      run.n_segments);
}

/* The original's test "ctl", what is allowed. */
ClientTest(ctl_allowed)
{
	static const char *const paths[] = { "foo/bar", "a", "b/c" };
	static const char *const values[] = { "", "xxx" };

	for (size_t i = 0; i < VECTORS_N(paths) * VECTORS_N(values); i++) {
		const char *path = paths[i / 2], *hex = i % 2 ? "787878" : "-";
		char want[256], key[KV_PATH_SIZE];

		begin(client, segmentation);
		snprintf(key, sizeof(key), "/%s", path);
		prefill(key);
		tell("delete 1 0 %s\nsend\nexpect 1\n", path);
		tell("read -2 0 %s\nsend\nexpect 1\n", path);
		tell("write 2147483647 0 %s %s\nsend\nexpect 1\n", path, hex);
		tell("read 0 0 %s\nsend\nexpect 1\n", path);
		snprintf(want, sizeof(want),
			 "1 ok -\n-2 error 2 err-not-found\n2147483647 ok -\n0 ok %s\n", hex);
		expect_output(want);
		expect_segments(2);
		cr_assert_eq(run.status, GATEWAY_CLOSED);
		cr_assert_str_eq(test_store_text(&store, key), values[i % 2]);
	}
}

/* The same, what is refused. */
ClientTest(ctl_refused)
{
	begin(client, segmentation);
	tell("read 1 0 xxxxxx\nwrite 2 0 xxxxxx 78\ndelete 3 0 xxxxxx\nread 4 0 -\n");
	tell("read 5 0 ip\nwrite 6 0 mac 78\nsend\nexpect 6\n");
	expect_output("1 error 3 xxxxxx is not an allowed path\n"
		      "2 error 3 xxxxxx is not an allowed path\n"
		      "3 error 3 xxxxxx is not an allowed path\n"
		      "4 error 3  is not an allowed path\n"
		      "5 error 3 ip is not an allowed path\n"
		      "6 error 3 mac is not an allowed path\n");
	cr_assert_eq(store.n_keys, 0);
}

/* What the original stored and we answer: the stream stays in step. */
ClientTest(over_large_values_are_answered)
{
	static const unsigned int sizes[] = { 1024, 2048, 8128, 8129, 8184, 8185, 61440 };

	begin(client, segmentation);
	for (size_t i = 0; i < VECTORS_N(sizes); i++)
		tell("write %zu 0 b/c *%u\nread -1 0 b/c\nsend\nexpect 2\n", i, sizes[i]);
	tell("write 9 0 b/c *1023\nsend\nexpect 1\n");
	expect_output("0 error 4 value too large\n-1 error 2 err-not-found\n"
		      "1 error 4 value too large\n-1 error 2 err-not-found\n"
		      "2 error 4 value too large\n-1 error 2 err-not-found\n"
		      "3 error 4 value too large\n-1 error 2 err-not-found\n"
		      "4 error 4 value too large\n-1 error 2 err-not-found\n"
		      "5 error 4 value too large\n-1 error 2 err-not-found\n"
		      "6 error 4 value too large\n-1 error 2 err-not-found\n"
		      "9 ok -\n");
	if (strcmp(client, "own") != 0)
		cr_assert_geq(run.n_segments, 2, "the larger ones need a segment of their own");
	cr_assert_eq(strlen(test_store_text(&store, "/b/c")), 1023);
	cr_assert_eq(run.status, GATEWAY_CLOSED);
}

ClientTest(ctl_255_KiB_closes_the_connection)
{
	begin(client, segmentation);
	tell("write 1 0 a 78\nsend\nexpect 1\nwrite 2 0 b/c *261120\nsend\nexpect 1\n");
	expect_output("1 ok -\nclosed\n");
	cr_assert_eq(run.status, -EMSGSIZE);
	cr_assert_str_eq(test_store_text(&store, "/b/c"), "absent");
	cr_assert_str_eq(test_store_text(&store, "/a"), "x", "what came before is kept");
}

ClientTest(commit_is_stored_whole_or_not_at_all)
{
	begin(client, segmentation);
	prefill("/foo/bar");
	tell("commit 1 0 - 3 write a 61 write b/c - delete foo/bar\nsend\nexpect 1\n");
	tell("commit 2 0 - 2 write a 62 write xxxxxx 62\nsend\nexpect 1\n");
	tell("commit 3 0 - 0\nread 4 0 a\nsend\nexpect 2\n");
	expect_output("1 ok -\n2 error 3 xxxxxx is not an allowed path\n3 ok -\n4 ok 61\n");
	expect_segments(4);
	cr_assert_str_eq(test_store_text(&store, "/a"), "a");
	cr_assert_str_eq(test_store_text(&store, "/b/c"), "");
	cr_assert_str_eq(test_store_text(&store, "/foo/bar"), "absent");
}

/* Create-only, then by revision; only who gave one gets one. */
ClientTest(conditions)
{
	begin(client, segmentation);
	tell("write 1 18446744073709551615 a 61\nwrite 2 18446744073709551615 a 62\n");
	tell("write 3 1 a 63\nwrite 4 1 a 64\nread 5 0 a\ndelete 6 2 a\n");
	tell("commit 7 18446744073709551615 - 2 write a 65 write b/c 66\nread 8 0 b/c\n");
	tell("send\nexpect 8\n");
	expect_output("1 ok - @1\n2 error 7 conflict\n3 ok - @2\n4 error 7 conflict\n5 ok 63\n"
		      "6 ok - @3\n7 ok - @4\n8 ok 66\n");
	cr_assert_str_eq(test_store_text(&store, "/a"), "e");
}

ClientTest(list)
{
	begin(client, segmentation);
	prefill("/foo/bar");
	prefill("/b/c");
	prefill("/config/first");
	prefill("/ip");
	tell("list 1 0 -\nlist 2 0 config\nlist 3 0 xxxxxx\nread 4 0 b/c\nsend\nexpect 4\n");
	expect_output("1 entries listed:foo/bar listed:b/c listed:config/first\n"
		      "2 entries listed:config/first\n"
		      "3 error 3 xxxxxx is not an allowed path\n4 ok 6f6c64\n");
}

ClientTest(watch)
{
	begin(client, segmentation);
	prefill("/config/first");
	prefill("/a");
	tell("watch 1 0 xxxxxx\nwatch 2 0 config\nsend\nexpect 3\n");
	expect_output("1 error 3 xxxxxx is not an allowed path\n"
		      "2 entries value:config/first:6f6c64 more\n2 entries synced: more\n");
}

/* Five requests, written so many bytes at a time. */
ClientTest(split_at_every_byte)
{
	for (int cut = 1; cut < 64; cut += cut < 20 ? 1 : 7) {
		begin(client, segmentation);
		tell("cut %d\nwrite 1 0 a 6162\nread 2 0 a\nwrite 3 0 nameserver/001 %s\n", cut,
		     "31302e302e322e330a");
		tell("commit 4 0 - 2 delete a write foo/bar 79\nread 5 0 a\nsend\nexpect 5\n");
		expect_output("1 ok -\n2 ok 6162\n3 ok -\n4 ok -\n5 error 2 err-not-found\n");
		cr_assert_str_eq(test_store_text(&store, "/nameserver/001"), "10.0.2.3");
	}
}

ClientTest(many_frames_in_one_write)
{
	static char want[16384];
	size_t n = 0;

	begin(client, segmentation);
	for (int i = 0; i < 200; i++) {
		tell("write %d 0 a %02x\nread -%d 0 a\n", i, 'a' + i % 26, i + 1);
		n += (size_t)snprintf(want + n, sizeof(want) - n, "%d ok -\n-%d ok %02x\n", i,
				      i + 1, 'a' + i % 26);
	}
	tell("send\nexpect 400\n");
	expect_output(want);
	cr_assert_eq(connection.n_served, 400);
}

/* A frame of more than 64 segments is over our limit, whichever library wrote it. */
ClientTest(too_many_segments_close_the_connection)
{
	if (strcmp(client, "own") == 0 || strcmp(segmentation, "1 fixed") != 0)
		return;
	begin(client, segmentation);
	tell("commit 1 0 - 20");
	for (int i = 0; i < 20; i++)
		tell(" write foo/bar 79");
	tell("\nsend\nexpect 1\n");
	expect_output("closed\n");
	cr_assert_gt(run.n_segments, WIRE_SEGMENTS_MAX);
	cr_assert_eq(run.status, -EMSGSIZE);
	cr_assert_eq(store.n_keys, 0);
}
