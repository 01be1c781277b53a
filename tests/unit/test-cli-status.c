/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>

#include "tests/unit/cli-capture.h"
#include "userspace/cli/status.h"
#include "userspace/common/report_page.h"

TestSuite(cli_status, .init = make_roots, .fini = scratch_remove);

#define DHCP4 (KV_SUBJECT_CALF + 1)

static const char state_text[] =
	"{\"pid\": 5, \"uplink\": \"uplink0\", \"tap\": \"calf0\", \"mode\": \"tc\","
	" \"hook\": \"tcx\", \"mode_reason\": \"native XDP changes offloads\", \"runtime\": \"/usr/bin/runc\","
	" \"calves\": [{\"name\": \"dhcp4\", \"pid\": 7, \"gateway_pid\": 8, \"restarts\": 2,"
	"  \"counters\": {\"dhcp4_discovers\": 3}}],"
	" \"kernel\": {\"tcx\": \"missing\", \"clsact\": \"ok\", \"xdp\": \"missing\","
	"  \"timer\": \"not tried\"},"
	" \"watcher_pid\": 6, \"watcher_restarts\": 0, \"started_boot_ns\": 1}";

/* '.' in the pattern is any character. */
static bool is_like(const char *text, const char *pattern)
{
	while (*pattern && *text && (*pattern == '.' || *pattern == *text)) {
		pattern++;
		text++;
	}
	return !*pattern && !*text;
}

static json_t *full_status(bool all)
{
	json_t *status =
		json_pack("{s:s, s:b, s:i}", "instance", "uplink0", "running", 1, "pid", 5);
	json_t *state = json_loads(state_text, 0, NULL);
	struct kv_ctl ctl = { .revision = 17, .n_keys = 12, .max_keys = 300, .n_commits = 9 };
	static struct cli_counters counters;
	struct frames_owners owners;
	struct kv_watch watches[KV_SUBJECTS_MAX] = { 0 };
	const struct cli_memory memory[] = { { "ctl", 8192 }, { "kv", 131072 } };
	struct cli_key keys[] = {
		{ .key = { "/status/link" }, .value = { .text = "ok 17" } },
		{ .key = { "/status/metrics/link" },
		  .value = { .text = "runs=2 errors=1 drifts=0 us=140" } },
		{ .key = { "/status/persist" }, .value = { .text = "ok 0" } },
		{ .key = { FRAME_QUARANTINE_KEY }, .value = { .text = "opened by 10.0.0.1/8" } },
	};
	const struct cli_key lease[] = {
		{ .key = { "/ip" }, .value = { .text = "10.0.0.1/8" } },
		{ .key = { "/lease/expires" }, .value = { .text = "2026-11-25T00:10:40Z" } },
		{ .key = { "/lease/server" }, .value = { .text = "10.0.0.2" } },
		{ .key = { "/lease/state" }, .value = { .text = "bound" } },
		{ .key = { "/lease/t1" }, .value = { .text = "60" } },
	};

	ctl.subject[KV_SUBJECT_SUPERVISOR].n_accepted = 1;
	/* state.json has dhcp4 as its first calf: what counts is the store's number */
	memcpy(ctl.names[KV_SUBJECT_CALF], "observer", sizeof("observer"));
	memcpy(ctl.names[DHCP4], "dhcp4", sizeof("dhcp4"));
	ctl.subject[DHCP4].n_accepted = 3;
	ctl.subject[DHCP4].n_refused = 4;
	ctl.subject[KV_SUBJECT_CALF].n_reads = 1;
	counters.of[1][FRAME_IN_ACCEPTED] = (struct frame_counter){ .packets = 2, .bytes = 684 };
	frames_owners_init(&owners, state);
	json_object_set(status, "state", state);
	watches[DHCP4] = (struct kv_watch){ .active = 1 };
	ctl.subject[DHCP4].n_keys = 11;
	ctl.subject[DHCP4].n_bytes = 230;
	cli_status_add_store(status, &ctl, watches);
	cli_status_add_memory(status, memory, 2);
	cli_status_add_lease(status, lease, 5, 1795565439);
	cli_status_add_handlers(status, keys, 4);
	cli_status_add_frames(status, &counters, &owners, all);
	json_decref(state);
	return status;
}

Test(cli_status, for_people)
{
	struct cli cli = capture();
	json_t *status = full_status(false);

	cli_status_print(&cli, status);
	captured(0);
	json_decref(status);
	cr_assert_str_eq(out_text,
			 "instance  uplink0, running, pid 5\n"
			 "lease     bound, 10.0.0.1/8 from 10.0.0.2 until 2026-11-25T00:10:40Z\n"
			 "uplink    uplink0, tap calf0\n"
			 "mode      tc by tcx (native XDP changes offloads)\n"
			 "runtime   /usr/bin/runc\n"
			 "watcher   pid 6, restarts 0\n"
			 "calf      dhcp4, pid 7, gateway pid 8, restarts 2\n"
			 "kernel    lacks tcx, xdp\n"
			 "store     revision 17, 12 of 300 keys, 9 commits, 0 denials recorded\n"
			 "subject   supervisor: 1 accepted, 0 reads, 0 refused"
			 ", has 0 keys of 0 bytes\n"
			 "subject   watcher: 0 accepted, 0 reads, 0 refused"
			 ", has 0 keys of 0 bytes\n"
			 "subject   operator: 0 accepted, 0 reads, 0 refused"
			 ", has 0 keys of 0 bytes\n"
			 "subject   observer: 0 accepted, 1 reads, 0 refused"
			 ", has 0 keys of 0 bytes\n"
			 "subject   dhcp4: 3 accepted, 0 reads, 4 refused"
			 ", has 11 keys of 230 bytes, watches\n"
			 "memory    136 KiB in 2 maps, largest: kv 128 KiB\n"
			 "handler   link: ok 17 (runs: 2, the last took 140 us)\n"
			 "handler   persist: ok 0\n"
			 "frames    in_accepted           delivered  2 packets, 684 bytes\n"
			 "metric    dhcp4: dhcp4_discovers 3\n");
}

/* What FAILED is above all else that runs, with the last error of its page, which
 * may be anything. */
Test(cli_status, FAILED)
{
	static const struct report_page page = { .error = "no \033[31m way" };
	struct cli cli = capture();
	json_t *status = full_status(false), *state = json_object_get(status, "state");
	json_t *calf = json_array_get(json_object_get(state, STATE_CALVES), 0);
	json_t *restart = json_pack("{s:b, s:i, s:s, s:i}", "failed", 1, "failures", 4, "reason",
				    "the calf exited with code 1", "next_boot_ns", 0);
	json_t *well = json_pack("{s:b, s:i, s:s, s:i}", "failed", 0, "failures", 2, "reason",
				 "was killed by signal 9", "next_boot_ns", 0);
	int fd = memfd_create("test", MFD_CLOEXEC);

	cr_assert_eq(pwrite(fd, &page, sizeof(page), 0), (ssize_t)sizeof(page));
	json_object_set_new(calf, "restart", restart);
	json_object_set_new(state, "watcher_restart", well);
	cr_expect(cli_status_add_failure(restart, fd));
	cr_expect(!cli_status_add_failure(well, fd));
	cr_expect(!json_object_get(well, "error"));
	cr_expect(!cli_status_add_failure(NULL, fd), "of an older version");
	cli_status_print(&cli, status);
	captured(0);
	cr_expect(strstr(out_text,
			 "00:10:40Z\nFAILED    dhcp4: the calf exited with code 1, 4 times in "
			 "a row; last error: no ?[31m way\nuplink"),
		  "%s", out_text);
	cr_expect(!strstr(out_text, "signal 9"));
	json_decref(status);
	close(fd);
}

/* A state.json of a version without a launcher says nothing about it. */
Test(cli_status, FAILED_launcher)
{
	struct cli cli = capture();
	json_t *status = full_status(false), *state = json_object_get(status, "state");

	cr_expect_not(cli_state_is_failed(state));
	json_object_set_new(state, "launcher_pid", json_integer(7));
	cr_expect_not(cli_state_is_failed(state));
	json_object_set_new(state, "launcher_pid", json_integer(0));
	cr_expect(cli_state_is_failed(state));
	cli_status_print(&cli, status);
	captured(0);
	cr_expect(strstr(out_text, "\nFAILED    launcher: it is gone, so nothing can be restarted; "
				   "restart the instance\nuplink"),
		  "%s", out_text);
	json_decref(status);
}

/* A page that is too short, or empty, adds nothing. */
Test(cli_status, FAILED_without_an_error)
{
	json_t *restart = json_pack("{s:b}", "failed", 1);
	int fd = memfd_create("test", MFD_CLOEXEC);

	cr_expect(cli_status_add_failure(restart, -1));
	cr_expect(cli_status_add_failure(restart, fd));
	cr_assert_eq(ftruncate(fd, REPORT_PAGE_SIZE), 0);
	cr_expect(cli_status_add_failure(restart, fd));
	cr_expect_eq(json_object_size(restart), 1);
	json_decref(restart);
	close(fd);
}

Test(cli_status, all_counters)
{
	json_t *status = full_status(true);

	cr_assert_eq(json_object_size(json_object_get(status, "frames")), _FRAME_REASON_N);
	cr_assert_not_null(json_object_get(json_object_get(status, "frames"), "host_noise"));
	cr_assert_str_eq(json_string_value(json_object_get(
				 json_object_get(json_object_get(status, "frames"), "in_cookie"),
				 "verdict")),
			 "dropped");
	json_decref(status);
}

/* Several calves: what each has of the frames, and its tap. */
Test(cli_status, frames_of_each_calf)
{
	static const char text[] =
		"{\"uplink\": \"uplink0\", \"tap\": \"calf3\", \"calves\": ["
		" {\"name\": \"echo\", \"tap\": \"calf3\", \"filter\": 1, \"pid\": 7},"
		" {\"name\": \"observer\", \"tap\": \"\", \"filter\": -1, \"pid\": 8},"
		" {\"name\": \"dhcp4\", \"tap\": \"calf4\", \"filter\": 0, \"pid\": 9}]}";
	json_t *status = json_pack("{s:s}", "instance", "x"), *calves;
	json_t *state = json_loads(text, 0, NULL);
	struct cli_counters counters = { 0 };
	struct frames_owners owners;
	struct cli cli = capture();

	counters.of[0][FRAME_IN_NOT_OURS] = (struct frame_counter){ .packets = 5, .bytes = 500 };
	counters.of[1][FRAME_IN_ACCEPTED] = (struct frame_counter){ .packets = 2, .bytes = 684 };
	counters.of[2][FRAME_IN_ACCEPTED] = (struct frame_counter){ .packets = 1, .bytes = 342 };
	counters.of[2][FRAME_OUT_PORT] = (struct frame_counter){ .packets = 9, .bytes = 900 };
	/* of a calf that the state does not have */
	counters.of[8][FRAME_OUT_PORT] = (struct frame_counter){ .packets = 1, .bytes = 100 };
	frames_owners_init(&owners, state);
	cli_status_add_frames(status, &counters, &owners, false);
	calves = json_object_get(json_object_get(json_object_get(status, "frames"), "in_accepted"),
				 "calves");
	cr_expect_eq(json_object_size(calves), 2);
	cr_expect_eq(json_integer_value(json_object_get(calves, "dhcp4")), 2);
	cr_expect_eq(json_integer_value(json_object_get(calves, "echo")), 1);
	json_object_set_new(status, "state", state);
	cli_status_print(&cli, status);
	captured(0);
	json_decref(status);
	cr_expect_str_eq(out_text,
			 "instance  x, not running\n"
			 "uplink    uplink0\n"
			 "calf      echo, pid 7, tap calf3\n"
			 "calf      observer, pid 8\n"
			 "calf      dhcp4, pid 9, tap calf4\n"
			 "frames    in_not_ours           passed     5 packets, 500 bytes\n"
			 "frames    in_accepted           delivered  3 packets, 1026 bytes"
			 " (dhcp4 2, echo 1)\n"
			 "frames    out_port              dropped    10 packets, 1000 bytes"
			 " (echo 9)\n");
}

/* Numbers and names that a supervisor does not write. */
Test(cli_status, owners_from_anything)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"{\"calves\": [1, {}, {\"name\": \"x\"}, {\"name\": 1, \"filter\": 0}]}",
		"{\"calves\": [{\"name\": \"x\", \"filter\": -1}]}",
		"{\"calves\": [{\"name\": \"x\", \"filter\": 8}]}",
		"{\"calves\": [{\"name\": \"x\", \"filter\": -9223372036854775808}]}",
		"{\"calves\": [{\"name\": \"x\", \"filter\": 4294967296}]}",
		"{\"calves\": [{\"name\": \"x\", \"filter\": 9223372036854775807}]}",
		"{\"calves\": [{\"name\": \"\", \"filter\": 0}]}",
	};
	struct frames_owners owners;
	json_t *state;

	frames_owners_init(&owners, NULL);
	cr_expect_eq(owners.n, 0);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		state = json_loads(texts[i], 0, NULL);
		frames_owners_init(&owners, state);
		json_decref(state);
		cr_expect_eq(owners.n, 0, "%s", texts[i]);
		for (uint32_t owner = 0; owner <= FRAME_OWNERS_MAX; owner++)
			cr_expect_null(frames_owner(&owners, owner), "%s", texts[i]);
	}
	state = json_loads("{\"calves\": [{\"name\": \"a\\nb\", \"filter\": 7}]}", 0, NULL);
	frames_owners_init(&owners, state);
	json_decref(state);
	cr_expect_str_eq(frames_owner(&owners, 8), "a?b");
	cr_expect_eq(owners.n, 1);
}

Test(cli_status, no_lease)
{
	const struct cli_key key = { .key = { "/lease/state" }, .value = { .text = "released" } };
	json_t *status = json_pack("{s:s}", "instance", "x");
	struct cli cli = capture();

	cli_status_add_lease(status, NULL, 0, 0);
	cli_status_print(&cli, status);
	cli_status_add_lease(status, &key, 1, 0);
	cli_status_print(&cli, status);
	captured(0);
	json_decref(status);
	cr_assert_str_eq(out_text, "instance  x, not running\nlease     none\n"
				   "instance  x, not running\nlease     released\n");
}

/* Whatever the calf wrote last: it may be dead. */
Test(cli_status, U30_expired_lease_is_never_bound)
{
	static const struct {
		const char *expires;
		int64_t now_s;
		const char *state, *printed;
	} rows[] = {
		{ "2026-11-25T00:10:40Z", 1795565439, "bound",
		  "lease     bound, 10.0.0.1/8 until 2026-11-25T00:10:40Z\n" },
		{ "2026-11-25T00:10:40Z", 1795565440, "expired",
		  "lease     expired, 10.0.0.1/8 at 2026-11-25T00:10:40Z\n" },
		{ "2026-11-25T00:10:40Z", 1995565440, "expired",
		  "lease     expired, 10.0.0.1/8 at 2026-11-25T00:10:40Z\n" },
		{ "never", 1795565440, "bound", "lease     bound, 10.0.0.1/8 until never\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cli_key keys[] = {
			{ .key = { "/ip" }, .value = { .text = "10.0.0.1/8" } },
			{ .key = { "/lease/expires" } },
			{ .key = { "/lease/state" }, .value = { .text = "bound" } },
		};
		json_t *status = json_pack("{s:s}", "instance", "x");
		struct cli cli = capture();

		strcpy(keys[1].value.text, rows[i].expires);
		cli_status_add_lease(status, keys, 3, rows[i].now_s);
		cli_status_print(&cli, status);
		captured(0);
		cr_expect_str_eq(json_string_value(json_object_get(json_object_get(status, "lease"),
								   "state")),
				 rows[i].state);
		cr_expect_str_eq(strstr(out_text, "lease"), rows[i].printed, "%s", out_text);
		json_decref(status);
	}
}

/* The uplink is gone or unusable. */
Test(cli_status, nothing_attached)
{
	json_t *status = json_pack("{s:s, s:b, s:{s:s, s:s, s:s}}", "instance", "x", "running", 1,
				   "state", "mode", "auto", "hook", "none", "mode_reason", "");
	struct cli cli = capture();

	cli_status_print(&cli, status);
	captured(0);
	json_decref(status);
	cr_assert_not_null(strstr(out_text, "mode      nothing is attached to the uplink\n"));
}

Test(cli_status, quarantine)
{
	static const struct {
		struct frame_quarantine quarantine; /* times in seconds from now */
		bool is_leased;
		const char *state, *opened_by, *printed;
		bool has_opened;
	} rows[] = {
		{ { .deadline_ns = 0 }, true, "off", NULL, "off\n", false },
		{ { 60, 0, FRAME_QUARANTINE_CLOSED, 0 },
		  false,
		  "closed",
		  NULL,
		  "closed until ....-..-..T..:..:..Z\n",
		  false },
		/* no frame has arrived since */
		{ { 60, 0, FRAME_QUARANTINE_CLOSED, 0 },
		  true,
		  "open",
		  "lease",
		  "open, by the lease\n",
		  false },
		{ { -1ull, 0, FRAME_QUARANTINE_CLOSED, 0 },
		  false,
		  "open",
		  "deadline",
		  "open, by the deadline\n",
		  false },
		{ { 60, -2ull, FRAME_QUARANTINE_LEASE, 0 },
		  false,
		  "open",
		  "lease",
		  "open, by the lease at ....-..-..T..:..:..Z\n",
		  true },
		{ { -2ull, -1ull, FRAME_QUARANTINE_DEADLINE, 0 },
		  true,
		  "open",
		  "deadline",
		  "open, by the deadline at ....-..-..T..:..:..Z\n",
		  true },
	};
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame_quarantine quarantine = rows[i].quarantine;
		json_t *status = json_pack("{s:s}", "instance", "x"), *object;
		const uint64_t now_ns = (uint64_t)now.tv_sec * 1000000000ull;
		struct cli cli = capture();
		const char *line;

		if (quarantine.deadline_ns)
			quarantine.deadline_ns = now_ns + quarantine.deadline_ns * 1000000000ull;
		if (quarantine.opened_ns)
			quarantine.opened_ns = now_ns + quarantine.opened_ns * 1000000000ull;
		cli_status_add_quarantine(status, &quarantine, rows[i].is_leased, now_ns);
		cli_status_print(&cli, status);
		captured(0);
		object = json_object_get(status, "quarantine");
		cr_expect_str_eq(json_string_value(json_object_get(object, "state")),
				 rows[i].state);
		cr_expect_eq(json_object_get(object, "opened_by") != NULL,
			     rows[i].opened_by != NULL);
		if (rows[i].opened_by)
			cr_expect_str_eq(json_string_value(json_object_get(object, "opened_by")),
					 rows[i].opened_by);
		cr_expect_eq(json_object_get(object, "opened") != NULL, rows[i].has_opened);
		cr_expect_eq(json_object_get(object, "deadline") != NULL,
			     quarantine.deadline_ns != 0);
		line = strstr(out_text, "uplink    quarantine: ");
		cr_assert_not_null(line);
		cr_expect(is_like(line + strlen("uplink    quarantine: "), rows[i].printed), "%s",
			  line);
		json_decref(status);
	}
}

Test(cli_status, state_of_unexpected_form)
{
	static const char *const states[] = { "{}", "[]", "{\"calves\": 1, \"uplink\": []}",
					      "{\"calves\": [1, {\"name\": 3}, null]}",
					      "{\"uplink\": \"a\\u001b[2J\"}" };

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		json_t *status = json_pack("{s:s, s:b}", "instance", "x", "running", 0);
		json_t *state = json_loads(states[i], 0, NULL);
		struct cli cli = capture();

		cli_status_add_store(status, &(struct kv_ctl){ 0 }, NULL);
		json_object_set_new(status, "state", state);
		cli_status_print(&cli, status);
		captured(0);
		json_decref(status);
		cr_assert_null(strchr(out_text, '\x1b'));
		cr_assert_not_null(strstr(out_text, "instance  x, not running\n"));
	}
}

Test(cli_status, metrics_page)
{
	static const uint64_t page[] = { 1, 0, UINT64_MAX };
	json_t *calf = json_loads("{\"metrics\": [\"a\", \"b\", \"c\", \"beyond\", 5]}", 0, NULL);
	const json_t *counters;
	FILE *file = tmpfile();

	cr_assert_eq(fwrite(page, sizeof(page), 1, file), 1);
	fflush(file);
	cli_status_add_metrics(calf, fileno(file), false);
	counters = json_object_get(calf, "counters");
	cr_assert_eq(json_object_size(counters), 2);
	cr_assert_eq(json_integer_value(json_object_get(counters, "a")), 1);
	cr_assert_eq(json_integer_value(json_object_get(counters, "c")), INT64_MAX);
	cli_status_add_metrics(calf, fileno(file), true);
	cr_assert_eq(json_object_size(json_object_get(calf, "counters")), 3);
	fclose(file);
	json_decref(calf);
}

Test(cli_status, keys_are_made_printable_sorted_and_single)
{
	struct cli_key keys[3] = {
		{ .key = { "/b" }, .value = { .length = 3, .text = "x\ny" } },
		{ .key = { "/a" }, .value = { .length = UINT16_MAX } },
		{ .key = { "/b" }, .value = { .length = 3, .text = "x\ny" } },
	};

	memset(keys[1].value.text, 'v', sizeof(keys[1].value.text));
	cr_assert_eq(cli_keys_tidy(keys, 3), 2);
	cr_assert_str_eq(keys[0].key.path, "/a");
	cr_assert_eq(strlen(keys[0].value.text), KV_VALUE_MAX);
	cr_assert_str_eq(keys[1].value.text, "x?y");
}

/* Read from the map itself, which root may. */
Test(cli_status, secrets_are_not_shown)
{
	struct cli_key keys[2] = {
		{ .key = { "/psk" },
		  .value = { .length = 7, .flags = KV_VALUE_SECRET, .text = "hunter2" } },
		{ .key = { "/plain" }, .value = { .length = 5, .text = "shown" } },
	};

	cr_assert_eq(cli_keys_tidy(keys, 2), 2);
	cr_assert_str_eq(keys[0].value.text, "shown");
	cr_assert_str_eq(keys[1].value.text, "<secret>");
	cr_assert_eq(keys[1].value.length, KV_SECRET_LENGTH);
}

static void write_lock(const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/x/lock", run_root);
	file = fopen(path, "w");
	fputs(text, file);
	fclose(file);
}

Test(cli_status, running_is_who_holds_the_lock)
{
	struct cli cli = { .run_root = run_root, .instance = "x" };
	char path[256], pid[16];
	int fd;

	cr_assert_eq(cli_running_pid(&cli), 0, "no directory");
	make_directory(run_root, "x");
	cr_assert_eq(cli_running_pid(&cli), 0, "no file");
	write_lock("");
	cr_assert_eq(cli_running_pid(&cli), 0, "ended");
	snprintf(pid, sizeof(pid), "%d\n", getpid());
	write_lock(pid);
	cr_assert_eq(cli_running_pid(&cli), 0, "another process has the id");
	snprintf(path, sizeof(path), "%s/x/lock", run_root);
	fd = open(path, O_RDWR);
	cr_assert_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
	cr_assert_eq(cli_running_pid(&cli), getpid());
	write_lock("4194999\n");
	cr_assert_eq(cli_running_pid(&cli), 0, "no such process");
	write_lock("-1\n");
	cr_assert_eq(cli_running_pid(&cli), 0);
	write_lock("x");
	cr_assert_eq(cli_running_pid(&cli), 0);
}

/* A missing file is not an error; a file of another version is, in one line. */
Test(cli_status, state_of_another_version)
{
	struct cli cli = capture();
	char expected[512];
	json_t *state;
	int r;

	snprintf(cli.instance, sizeof(cli.instance), "x");
	make_directory(run_root, "x");
	cr_assert_null(cli_state_load(&cli, &r));
	cr_assert_eq(r, CLI_OK);
	scratch_write_text("run/x/state.json", "{\"version\": 1, \"pid\": 5}", 0600);
	state = cli_state_load(&cli, &r);
	cr_assert_not_null(state);
	cr_assert_eq(r, CLI_OK);
	json_decref(state);
	scratch_write_text("run/x/state.json", "{\"version\": 7, \"pid\": 5}", 0600);
	cr_assert_null(cli_state_load(&cli, &r));
	cr_assert_eq(r, CLI_FAILURE);
	captured(0);
	snprintf(expected, sizeof(expected),
		 "calfpen: %s/x/state.json: version 7, this calfpen reads version 1; "
		 "use the calfpen that started the instance, or restart it\n",
		 run_root);
	cr_assert_str_eq(err_text, expected);
}

/* All of them, and the worst of what is wrong. */
Test(cli_status, U35_all_instances)
{
	static const char failed[] =
		"{\"version\": 1, \"watcher_restart\": {\"failed\": true, \"reason\": \"was killed\","
		" \"failures\": 3}}";
	json_t *array;
	int fd;

	make_directory(run_root, "eth0");
	scratch_write_text("run/eth0/state.json", "{\"version\": 1}", 0600);
	make_directory(run_root, "eth1");
	scratch_write_text("run/eth1/state.json", failed, 0600);
	scratch_write_text("run/uids", "eth0:1879048192:128\n", 0600);
	cr_expect_eq(calfpen("status", NULL), CLI_DEAD);
	cr_expect_str_eq(out_text, "instance  eth0, not running, only its saved data is left\n"
				   "uids      1879048192 to 1879048319\n"
				   "\n"
				   "instance  eth1, not running, only its saved data is left\n");
	cr_expect_eq(calfpen("status", "eth0", NULL), CLI_DEAD);
	cr_expect_str_eq(out_text, "instance  eth0, not running, only its saved data is left\n"
				   "uids      1879048192 to 1879048319\n");
	fd = make_running("eth0");
	cr_expect_eq(calfpen("status", NULL), CLI_DEAD, "the other one");
	cr_expect_eq(calfpen("status", "eth0", NULL), CLI_FAILURE, "its pins");
	cr_expect_eq(calfpen("status", "--json", NULL), CLI_DEAD);
	array = json_loads(out_text, 0, NULL);
	cr_assert_eq(json_array_size(array), 2, "%s", out_text);
	cr_expect_str_eq(json_string_value(json_object_get(json_array_get(array, 1), "instance")),
			 "eth1");
	json_decref(array);
	cr_expect_eq(calfpen("status", "--json", "eth1", NULL), CLI_DEAD);
	array = json_loads(out_text, 0, NULL);
	cr_expect(json_is_object(array), "%s", out_text);
	cr_expect(json_is_true(json_object_get(array, "saved_only")));
	json_decref(array);
	close(fd);
}
