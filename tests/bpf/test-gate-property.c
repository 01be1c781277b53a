/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random and mutated requests against a gate and all who read its records. What the gate
 * accepts, every reader accepts, with the fields of the request; what it refuses leaves a
 * record that every reader accepts. A reader that is stricter than the gate would be a
 * change without a line in the audit log.
 *
 * CALFPEN_SEED=TEXT seeds the generator (tests/run: the id of the commit). So many
 * requests, or for so long: CALFPEN_GATE_REQUESTS=N, CALFPEN_GATE_SECONDS=N.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maps/kv.h"

#include "skel/kv_gate.skel.h"
#include "tests/bpf/support-frames-grammar.h"
#include "tests/bpf/support-gate-requests.h"
#include "userspace/common/clock.h"
#include "userspace/common/gate.h"
#include "userspace/common/path.h"
#include "userspace/common/record.h"
#include "userspace/common/ring.h"
#include "userspace/priv/audit/audit.h"

#define N_REQUESTS 20000
#define SUBJECT KV_SUBJECT_CALF
#define ALL_ACCESS (KV_ACCESS_READ | KV_ACCESS_WRITE | KV_ACCESS_DELETE | KV_ACCESS_WATCH)
#define RECORDS_MAX 256 /* of one request */
#define SECRET "/x/secret"

/* A gate with maps of its own, whose rates have no limit. */
static struct kv_gate_bpf *gate;
static int gate_fd, watch_ring_fd;
static struct ring events, denials, watched;

static void add_rule(const char *path, uint32_t access, uint16_t class, uint16_t max_length)
{
	struct kv_rule rule = { .access = access, .class = class, .max_length = max_length };
	struct kv_key key = { "" };

	(void)snprintf(key.path, sizeof(key.path), "%s", path);
	cr_assert_eq(bpf_map_update_elem(bpf_map__fd(gate->maps.acl), &key, &rule, BPF_ANY), 0);
}

static void begin(void)
{
	const struct kv_ctl ctl = { .layout_version = KV_LAYOUT_VERSION, .max_keys = 48 };
	const struct kv_key all = { "/" };
	const uint64_t mask = 1ull << SUBJECT;
	const uint32_t zero = 0, subject = SUBJECT;

	if (geteuid() != 0)
		cr_skip_test("needs root");
	gate = kv_gate_bpf__open();
	cr_assert_not_null(gate);
	gate->rodata->config = (struct kv_gate_config){
		.subject = SUBJECT,
		.max_keys = 32,
		.max_bytes = 16384,
		.share = KV_EVENTS_SIZE,
	};
	cr_assert_eq(kv_gate_bpf__load(gate), 0);
	gate_fd = bpf_program__fd(gate->progs.kv_gate);
	add_rule("/x/", ALL_ACCESS, KV_CLASS_TEXT, 64);
	add_rule("/x/long", ALL_ACCESS, KV_CLASS_TEXT, KV_VALUE_MAX);
	add_rule(SECRET, ALL_ACCESS | KV_ACCESS_SECRET, KV_CLASS_TEXT, KV_VALUE_MAX);
	add_rule("/hex", ALL_ACCESS, KV_CLASS_HEX, 64);
	add_rule("/number", ALL_ACCESS, KV_CLASS_UINT, 10);
	add_rule("/mtu", ALL_ACCESS, KV_CLASS_UINT, 5);
	add_rule("/ip", KV_ACCESS_WRITE | KV_ACCESS_DELETE, KV_CLASS_TEXT, 18);
	add_rule("/ntp/", KV_ACCESS_WRITE, KV_CLASS_TEXT, 15);
	add_rule("/lease/", KV_ACCESS_DELETE, KV_CLASS_TEXT, 15);
	add_rule("/mac", KV_ACCESS_READ, KV_CLASS_TEXT, 17);
	cr_assert_eq(bpf_map_update_elem(bpf_map__fd(gate->maps.ctl), &zero, &ctl, BPF_ANY), 0);
	cr_assert_eq(
		bpf_map_update_elem(bpf_map__fd(gate->maps.watch_rights), &all, &mask, BPF_ANY), 0);
	watch_ring_fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ring", 0, 0, KV_WATCH_SIZE, NULL);
	cr_assert_geq(watch_ring_fd, 0);
	cr_assert_eq(bpf_map_update_elem(bpf_map__fd(gate->maps.rings), &subject, &watch_ring_fd,
					 BPF_ANY),
		     0);
	cr_assert_eq(ring_open(&events, bpf_map__fd(gate->maps.events)), 0);
	cr_assert_eq(ring_open(&denials, bpf_map__fd(gate->maps.denials)), 0);
	cr_assert_eq(ring_open(&watched, watch_ring_fd), 0);
}

static void end(void)
{
	ring_close(&events);
	ring_close(&denials);
	ring_close(&watched);
	(void)close(watch_ring_fd);
	kv_gate_bpf__destroy(gate);
}

TestSuite(gate_property, .init = begin, .fini = end);

static struct kv_ctl ctl_now(void)
{
	const uint32_t zero = 0;
	struct kv_ctl ctl;

	cr_assert_eq(bpf_map_lookup_elem(bpf_map__fd(gate->maps.ctl), &zero, &ctl), 0);
	return ctl;
}

/* --- the records of one request --- */

struct records {
	uint32_t n, i; /* there are n; the next one to be compared */
	size_t used;
	struct {
		size_t at, size;
	} of[RECORDS_MAX];
	_Alignas(8) unsigned char bytes[1 << 18];
};

static struct records commits, refusals, copies;

static int take(void *data, const void *record, size_t size)
{
	struct records *records = data;

	cr_assert_lt(records->n, RECORDS_MAX);
	cr_assert_leq(size, sizeof(records->bytes) - records->used);
	records->of[records->n].at = records->used;
	records->of[records->n++].size = size;
	memcpy(records->bytes + records->used, record, size);
	records->used += (size + 7) & ~(size_t)7;
	return 0;
}

static void drain(struct ring *ring, struct records *records)
{
	records->n = records->i = 0;
	records->used = 0;
	cr_assert_eq(ring_consume(ring, take, records), 0);
}

static const void *next(struct records *records, size_t *sizep)
{
	cr_assert_lt(records->i, records->n, "no record");
	*sizep = records->of[records->i].size;
	return records->bytes + records->of[records->i++].at;
}

/* --- what is expected of them --- */

static struct hostile_request sent, *const hostile = &sent;
static struct kv_request request; /* as it was sent */
static struct kv_ctl before, after;
static uint64_t n_sent;
static const char *seed;

#define EXPECT(_condition)                                                 \
	cr_assert(_condition, "seed %s, request %llu (verb %u): %s", seed, \
		  (unsigned long long)n_sent, request.verb, #_condition)

/* A change of a record: as it was sent, but for the text of a secret in a record that is for
 * others. */
static void compare_change(const struct record_change *change, const unsigned char *at,
			   bool is_hidden)
{
	struct kv_change wanted;

	memcpy(&wanted, at, sizeof(wanted));
	EXPECT(!memcmp(change->key.path, wanted.path, sizeof(wanted.path)));
	EXPECT(change->operation == wanted.operation);
	EXPECT(change->is_secret == is_hidden);
	if (is_hidden) {
		EXPECT(change->length == KV_SECRET_LENGTH);
		EXPECT(!strcmp(change->text, KV_SECRET_TEXT));
		return;
	}
	EXPECT(change->length == wanted.length);
	EXPECT(!memcmp(change->text, at + sizeof(wanted), wanted.length));
}

/* The line in the audit log: one JSON object with the same fields, and no longer than the
 * subject has paid for. */
static void compare_line(const struct kv_event *event, const struct record_change *change)
{
	static char line[AUDIT_LINE_SIZE];
	bool is_write = change->operation == KV_CHANGE_WRITE;
	const struct audit_entry entry = {
		.wall_ns = event->boot_ns,
		.sequence = event->revision,
		.revision = event->revision,
		.subject = "dhcp4",
		.verb = "commit",
		.path = change->key.path,
		.verdict = "ok",
		.value = is_write ? change->text : NULL,
		.has_caller = true,
		.uid = event->uid,
		.pid = event->tgid,
	};
	size_t length = audit_format(&entry, CHAIN_START, line);
	json_t *json = json_loadb(line, length, 0, NULL);
	const char *value = json_string_value(json_object_get(json, "value"));

	EXPECT(line[length - 1] == '\n' && !memchr(line, '\n', length - 1));
	EXPECT(json_is_object(json));
	EXPECT(!strcmp(json_string_value(json_object_get(json, "path")), change->key.path));
	EXPECT(is_write ? value && !strcmp(value, change->text) : !value);
	EXPECT((uint64_t)json_integer_value(json_object_get(json, "revision")) == event->revision);
	EXPECT(length <= KV_AUDIT_COST(strlen(change->key.path), change->length));
	json_decref(json);
}

/* The next commit record, and the copies that a watching subject got of its changes. */
static void compare_commit(uint32_t verb, uint64_t revision, uint32_t first, uint32_t n)
{
	struct record_commit commit;
	struct record_change change, copy;
	struct kv_watch_event event;
	const void *record;
	size_t size;

	record = next(&commits, &size);
	EXPECT(!record_commit_init(&commit, record, size));
	EXPECT(commit.header.revision == revision);
	EXPECT(commit.header.verb == verb);
	EXPECT(commit.header.n_changes == n);
	EXPECT(commit.header.subject == SUBJECT);
	EXPECT(commit.header.uid == getuid());
	EXPECT(commit.header.tgid == (uint32_t)getpid());
	for (uint32_t i = first; i < first + n; i++) {
		EXPECT(record_commit_next(&commit, &change));
		compare_change(&change, hostile->bytes + hostile_request_change(hostile, i),
			       change.operation == KV_CHANGE_WRITE &&
				       !strcmp(change.key.path, SECRET));
		compare_line(&commit.header, &change);
		if (!(before.watching >> SUBJECT & 1))
			continue;
		record = next(&copies, &size);
		EXPECT(!record_watch_init(&event, &copy, record, size));
		EXPECT(event.revision == revision);
		compare_change(&copy, hostile->bytes + hostile_request_change(hostile, i), false);
	}
	EXPECT(!record_commit_next(&commit, &change));
}

/* Is the path that of a change of the request? */
static bool is_requested(const char *path)
{
	for (uint32_t i = 0; i < KV_CHANGES_MAX; i++) {
		uint32_t at = hostile_request_change(hostile, i);

		if (at > KV_REQUEST_MAX)
			return false;
		if (!memcmp(hostile->bytes + at, path, KV_PATH_SIZE))
			return true;
	}
	return false;
}

static bool is_recorded(int verdict)
{
	return verdict && verdict != -ENOENT && verdict != -EBUSY && verdict != -EAGAIN &&
	       verdict != -ESTALE;
}

static void compare_denial(uint32_t verb, int verdict, struct kv_denial *denialp)
{
	const void *record;
	size_t size;

	if (!is_recorded(verdict))
		return;
	record = next(&refusals, &size);
	EXPECT(!record_denial_init(denialp, record, size));
	EXPECT(denialp->verdict == verdict);
	EXPECT(denialp->verb == (verb <= KV_VERB_DENIAL ? verb : KV_VERB_NONE));
	EXPECT(denialp->subject == SUBJECT);
	EXPECT(denialp->uid == getuid());
	EXPECT(denialp->suppressed == 0);
	EXPECT(!denialp->path[0] || is_requested(denialp->path));
}

/* Every served request of a batch, in order. Returns how many changed something. */
static uint64_t compare_batch(void)
{
	struct batch_results results = { .n = hostile->request.cursor,
					 .length = hostile->request.length };
	struct batch_result result;
	struct kv_denial denial;
	uint64_t n_commits = 0;
	uint32_t at = 0;

	EXPECT(results.n >= 1 && results.n <= request.n_changes);
	EXPECT(results.length <= sizeof(results.bytes));
	memcpy(results.bytes, hostile->request.text, results.length);
	for (uint32_t i = 0; i < results.n; i++) {
		uint32_t change = hostile_request_change(hostile, i);
		struct kv_batched header;

		memcpy(&header, hostile->bytes + change - sizeof(header), sizeof(header));
		EXPECT(batch_results_next(&results, &at, &result));
		compare_denial(header.verb, result.verdict, &denial);
		if (result.verdict || header.verb == KV_VERB_READ)
			continue;
		n_commits++;
		EXPECT(result.revision == before.revision + n_commits);
		compare_commit(header.verb, result.revision, i, 1);
	}
	EXPECT(at == results.length);
	return n_commits;
}

/* Nothing but the answer: what is behind it was not written, or is zero. */
static void compare_answer(void)
{
	for (size_t i = hostile->request.length; i < sizeof(request.text); i++)
		EXPECT(!hostile->request.text[i] ||
		       (unsigned char)hostile->request.text[i] == HOSTILE_UNTOUCHED);
}

/* Returns how many commits there were. */
static uint64_t compare_accepted(void)
{
	struct kv_denial denial;
	struct kv_key key;

	switch (request.verb) {
	case KV_VERB_WRITE:
	case KV_VERB_DELETE:
	case KV_VERB_COMMIT:
		EXPECT(hostile->request.revision == before.revision + 1);
		compare_commit(request.verb, hostile->request.revision, 0, request.n_changes);
		return 1;
	case KV_VERB_BATCH:
		compare_answer();
		return compare_batch();
	case KV_VERB_READ:
	case KV_VERB_LIST:
		compare_answer();
		break;
	case KV_VERB_DENIAL:
		compare_denial(request.cursor, -(int)request.length, &denial);
		memcpy(key.path, hostile->bytes, sizeof(key.path));
		if (!path_key_is_canonical(&key))
			memset(&key, 0, sizeof(key));
		EXPECT(!memcmp(denial.path, key.path, sizeof(key.path)));
		break;
	default:
		EXPECT(request.verb == KV_VERB_WATCH);
		break;
	}
	return 0;
}

static void compare_refused(int verdict)
{
	struct kv_denial denial;
	struct kv_key key;

	compare_denial(request.verb, verdict, &denial);
	/* a missing right is never without the path, if that has only to be shown */
	if (verdict != -EACCES || request.verb == KV_VERB_WATCH || request.verb == KV_VERB_RESTORE)
		return;
	memcpy(key.path, denial.path, sizeof(key.path));
	EXPECT(path_key_is_canonical(&key));
}

/* Draw, send and compare one request. Returns the verdict. */
static int check_request(void)
{
	uint64_t n_commits = 0;
	int verdict;

	hostile_request_draw(hostile);
	request = hostile->request;
	before = ctl_now();
	verdict = hostile_request_send(gate_fd, hostile);
	after = ctl_now();
	drain(&events, &commits);
	drain(&denials, &refusals);
	drain(&watched, &copies);
	if (!verdict)
		n_commits = compare_accepted();
	else
		compare_refused(verdict);
	EXPECT(commits.i == commits.n && refusals.i == refusals.n && copies.i == copies.n);
	EXPECT(after.revision == before.revision + n_commits);
	EXPECT(!after.lock);
	EXPECT(after.subject[SUBJECT].n_suppressed == 0);
	n_sent++;
	return verdict;
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

Test(gate_property, F1_what_the_gate_accepts_every_reader_accepts)
{
	uint64_t seconds = number_of("CALFPEN_GATE_SECONDS", 0), n_accepted = 0, n_changed = 0;
	uint64_t n = number_of("CALFPEN_GATE_REQUESTS", seconds ? UINT64_MAX : N_REQUESTS);
	uint64_t until = seconds ? clock_now_ns(CLOCK_MONOTONIC) + seconds * NS_PER_S : UINT64_MAX;

	seed = getenv("CALFPEN_SEED");
	if (!seed || !*seed)
		seed = "calfpen";
	grammar_seed(hostile_request_seed(seed));
	while (n_sent < n && (n_sent % 1000 || clock_now_ns(CLOCK_MONOTONIC) < until)) {
		n_accepted += !check_request();
		n_changed += after.revision != before.revision;
	}
	printf("gate_property: seed %s: %llu requests, %llu accepted, %llu of them changes\n", seed,
	       (unsigned long long)n_sent, (unsigned long long)n_accepted,
	       (unsigned long long)n_changed);
	cr_expect_gt(n_accepted, n_sent / 10, "too few to show anything");
	cr_expect_gt(n_changed, n_sent / 20);
	cr_expect_lt(n_accepted, n_sent / 10 * 9);
}
