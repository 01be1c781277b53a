/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway that was taken over, with the uid, the system calls and the descriptors of a
 * real one, against a gate and a watcher: whatever of its requests is accepted is in the
 * audit log, and the watcher can read every record.
 */
#include "tests/bpf/support-frames-grammar.h"
#include "tests/bpf/support-gate-requests.h"
#include "tests/bpf/support-watcher.h"
#include "userspace/priv/audit/audit.h"
#include "userspace/priv/confine/confine.h"

#define N_REQUESTS 4000
#define REVISIONS_MAX (N_REQUESTS * KV_BATCH_MAX)
#define GATEWAY_UID 1900000007u

TestSuite(attacks_gateway, .init = setup, .fini = teardown);

/* What the gateway was told, in memory that it shares with the test. */
struct told {
	uint64_t n_sent, n_accepted, n_refused;
	uint64_t last;			   /* revision */
	uint16_t n_changes[REVISIONS_MAX]; /* by revision; 0: not accepted, or another's */
};

static struct told *told;
static struct hostile_request hostile;

static void note_commit(uint64_t revision, uint32_t n_changes)
{
	if (revision >= REVISIONS_MAX)
		_exit(10);
	told->n_changes[revision] = (uint16_t)n_changes;
	told->last = revision > told->last ? revision : told->last;
}

static void send_one(void)
{
	int verdict;

	hostile_request_draw(&hostile);
	verdict = hostile_request_send(GATEWAY_FD_GATE, &hostile);
	told->n_sent++;
	told->n_accepted += !verdict;
	told->n_refused += verdict < 0;
	if (!verdict)
		hostile_request_each_commit(&hostile, note_commit);
}

static void run_gateway(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	place(calf, GATEWAY_FD_GATE);
	for (int fd = GATEWAY_FD_CONTROL; fd < _GATEWAY_FD_END; fd++)
		place(null, fd);
	(void)close_range(_GATEWAY_FD_END, ~0u, 0);
	if (confine_enter(ROLE_GATEWAY, GATEWAY_UID, GATEWAY_UID, false))
		_exit(ROLE_EXIT_CONFINE);
	while (told->n_sent < N_REQUESTS)
		send_one();
	_exit(0);
}

/* By revision, how many lines say what the gateway did; and how many are not about a
 * record that could be read. */
static uint16_t lines[REVISIONS_MAX];

static unsigned int count_lines(void)
{
	FILE *file = fopen(AUDIT, "r");
	char text[AUDIT_LINE_SIZE];
	unsigned int n_bad = 0;

	cr_assert_not_null(file);
	while (fgets(text, sizeof(text), file)) {
		json_t *line = json_loads(text, 0, NULL);
		uint64_t revision = (uint64_t)json_integer_value(json_object_get(line, "revision"));
		const char *verb = field(line, "verb");

		cr_assert_not_null(line, "%s", text);
		n_bad += !strcmp(verb, "malformed") ||
			 !strcmp(field(line, "reason"), "covered by list");
		if (revision < REVISIONS_MAX && !strcmp(field(line, "subject"), "dhcp4") &&
		    !strcmp(field(line, "verdict"), "ok"))
			lines[revision]++;
		json_decref(line);
	}
	(void)fclose(file);
	return n_bad;
}

Test(attacks_gateway, F1_every_accepted_change_is_audited)
{
	const char *seed = getenv("CALFPEN_SEED") ?: "calfpen";
	unsigned int n_untold = 0;
	uint8_t byte;
	int status;
	pid_t pid;

	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(told, MAP_FAILED);
	grammar_seed(hostile_request_seed(seed));
	start();
	pid = fork();
	cr_assert_geq(pid, 0);
	if (!pid)
		run_gateway();
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%x", status);
	settle();
	cr_expect_eq(count_lines(), 0, "seed %s", seed);
	for (uint64_t revision = 1; revision <= told->last; revision++)
		n_untold += lines[revision] != told->n_changes[revision];
	cr_expect_eq(n_untold, 0, "seed %s: %u revisions", seed, n_untold);
	cr_expect_lt(read(breaches[0], &byte, 1), 0, "no gateway is to be ended");
	printf("attacks_gateway: seed %s: %lu requests, %lu accepted\n", seed,
	       (unsigned long)told->n_sent, (unsigned long)told->n_accepted);
	cr_expect_gt(told->n_accepted, N_REQUESTS / 10);
	cr_expect_gt(told->n_refused, N_REQUESTS / 10);
}
