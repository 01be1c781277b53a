/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/cli/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "userspace/common/loop.h"
#include "userspace/common/report_page.h"
#include "userspace/common/sanitise.h"

#define REPORT_LINK "/memfd:" REPORT_PAGE_NAME
#define STATUS_DIRECTORY "/status/"
#define STATUS_INSTANCE STATUS_DIRECTORY "instance" /* for readers of the map */
#define METRICS_DIRECTORY STATUS_DIRECTORY "metrics/"

void cli_status_add_store(json_t *status, const struct kv_ctl *ctl, const struct kv_watch *watches)
{
	json_t *subjects = json_array();
	json_t *store = json_pack("{s:I, s:I, s:I, s:I, s:I}", "revision",
				  (json_int_t)ctl->revision, "keys", (json_int_t)ctl->n_keys,
				  "max_keys", (json_int_t)ctl->max_keys, "commits",
				  (json_int_t)ctl->n_commits, "denials",
				  (json_int_t)ctl->n_denials);

	for (unsigned int i = 0; i < KV_SUBJECTS_MAX; i++) {
		uint64_t accepted = ctl->subject[i].n_accepted, reads = ctl->subject[i].n_reads;
		uint64_t refused = ctl->subject[i].n_refused;
		char text[CLI_SUBJECT_SIZE];
		json_t *subject;

		if (i >= KV_SUBJECT_CALF && !ctl->names[i][0])
			continue;
		subject = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "name",
				    cli_state_subject(i, ctl, text), "accepted",
				    (json_int_t)accepted, "reads", (json_int_t)reads, "refused",
				    (json_int_t)refused, "suppressed",
				    (json_int_t)ctl->subject[i].n_suppressed, "keys",
				    (json_int_t)ctl->subject[i].n_keys, "bytes",
				    (json_int_t)ctl->subject[i].n_bytes);
		if (watches) {
			json_object_set_new(subject, "watching",
					    json_boolean(watches[i].active != 0));
			json_object_set_new(subject, "lost",
					    json_integer((json_int_t)watches[i].n_lost));
		}
		json_array_append_new(subjects, subject);
	}
	json_object_set_new(store, "subjects", subjects);
	json_object_set_new(status, "store", store);
}

void cli_status_add_memory(json_t *status, const struct cli_memory *memory, size_t n_maps)
{
	json_t *maps = json_object();
	json_int_t total = 0;

	for (size_t i = 0; i < n_maps; i++) {
		total += (json_int_t)memory[i].bytes;
		json_object_set_new(maps, memory[i].name,
				    json_integer((json_int_t)memory[i].bytes));
	}
	json_object_set_new(status, "memory",
			    json_pack("{s:I, s:o}", "bytes", total, "maps", maps));
}

void cli_status_add_lease(json_t *status, const struct cli_key *keys, size_t n_keys,
			  int64_t wall_now_s)
{
	static const struct {
		const char *path, *name;
	} members[] = {
		{ "/ip", "address" },
		{ "/lease/state", "state" },
		{ "/lease/server", "server" },
		{ "/lease/expires", "expires" },
	};
	json_t *lease = json_object();
	int64_t expires_s;

	json_object_set_new(lease, "state", json_string("none"));
	for (size_t i = 0; i < n_keys; i++)
		for (size_t j = 0; j < sizeof(members) / sizeof(members[0]); j++) {
			if (strcmp(keys[i].key.path, members[j].path) != 0)
				continue;
			json_object_set_new(lease, members[j].name,
					    json_string(keys[i].value.text));
		}
	if (json_object_get(lease, "expires") &&
	    !clock_parse_utc_s(json_string_value(json_object_get(lease, "expires")), &expires_s) &&
	    expires_s <= wall_now_s)
		json_object_set_new(lease, "state", json_string("expired"));
	json_object_set_new(status, "lease", lease);
}

/* Parse "runs=2 errors=0 ...". */
static json_t *parse_metrics(const char *text)
{
	json_t *metrics = json_object();
	char name[64];
	unsigned long long number;
	int size;

	while (sscanf(text, " %63[a-z_]=%llu%n", name, &number, &size) == 2) {
		json_object_set_new(metrics, name, json_integer((json_int_t)number));
		text += size;
	}
	return metrics;
}

void cli_status_add_handlers(json_t *status, const struct cli_key *keys, size_t n_keys)
{
	json_t *handlers = json_object(), *metrics = json_object();

	for (size_t i = 0; i < n_keys; i++) {
		const char *path = keys[i].key.path, *text = keys[i].value.text;

		if (strcmp(path, FRAME_QUARANTINE_KEY) == 0 || strcmp(path, STATUS_INSTANCE) == 0)
			continue;
		if (strncmp(path, METRICS_DIRECTORY, strlen(METRICS_DIRECTORY)) == 0)
			json_object_set_new(metrics, path + strlen(METRICS_DIRECTORY),
					    parse_metrics(text));
		else if (strncmp(path, STATUS_DIRECTORY, strlen(STATUS_DIRECTORY)) == 0)
			json_object_set_new(handlers, path + strlen(STATUS_DIRECTORY),
					    json_string(text));
	}
	json_object_set_new(status, "handlers", handlers);
	json_object_set_new(status, "handler_metrics", metrics);
}

/* The packets of each calf, by its name; NULL if there are none. */
static json_t *packets_by_calf(const struct cli_counters *counters, unsigned int reason,
			       const struct frames_owners *owners)
{
	json_t *calves = NULL;

	for (uint32_t owner = 0; owner < FRAME_OWNERS_MAX; owner++) {
		json_int_t packets = (json_int_t)counters->of[owner][reason].packets;
		const char *name = frames_owner(owners, owner);

		if (!name || !packets)
			continue;
		calves = calves ? calves : json_object();
		json_object_set_new(calves, name, json_integer(packets));
	}
	return calves;
}

void cli_status_add_frames(json_t *status, const struct cli_counters *counters,
			   const struct frames_owners *owners, bool all)
{
	json_t *frames = json_object();

	for (unsigned int i = 0; i < _FRAME_REASON_N; i++) {
		uint64_t packets = 0, bytes = 0;

		for (uint32_t owner = 0; owner < FRAME_OWNERS_MAX; owner++) {
			packets += counters->of[owner][i].packets;
			bytes += counters->of[owner][i].bytes;
		}
		if (packets == 0 && !all)
			continue;
		json_object_set_new(frames, frames_text_reason(i),
				    json_pack("{s:s, s:I, s:I, s:o*}", "verdict",
					      frames_text_verdict(i), "packets",
					      (json_int_t)packets, "bytes", (json_int_t)bytes,
					      "calves", packets_by_calf(counters, i, owners)));
	}
	json_object_set_new(status, "frames", frames);
}

static void set_time(json_t *object, const char *name, uint64_t boot_ns)
{
	char text[CLOCK_SECONDS_SIZE];

	cli_state_time(boot_ns, text);
	json_object_set_new(object, name, json_string(text));
}

void cli_status_add_quarantine(json_t *status, const struct frame_quarantine *quarantine,
			       bool is_leased, uint64_t boot_now_ns)
{
	uint32_t opened_by = quarantine->opened_by		    ? quarantine->opened_by :
			     is_leased				    ? FRAME_QUARANTINE_LEASE :
			     boot_now_ns >= quarantine->deadline_ns ? FRAME_QUARANTINE_DEADLINE :
								      FRAME_QUARANTINE_CLOSED;
	const char *state = !quarantine->deadline_ns ? "off" : opened_by ? "open" : "closed";
	json_t *object = json_pack("{s:s}", "state", state);

	json_object_set_new(status, "quarantine", object);
	if (!quarantine->deadline_ns)
		return;
	set_time(object, "deadline", quarantine->deadline_ns);
	if (opened_by)
		json_object_set_new(object, "opened_by",
				    json_string(opened_by == FRAME_QUARANTINE_LEASE ? "lease" :
										      "deadline"));
	if (quarantine->opened_ns)
		set_time(object, "opened", quarantine->opened_ns);
}

/* Open a page that the supervisor holds. Returns a
 * descriptor or a negative errno. Opens no other file, whatever the state says. */
static int open_report(int pid, int number)
{
	char path[64], target[64] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, number);
	if (readlink(path, target, sizeof(target) - 1) < 0)
		return -errno;
	if (strncmp(target, REPORT_LINK, strlen(REPORT_LINK)) != 0)
		return -ENOENT;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

void cli_status_add_metrics(json_t *calf, int fd, bool all)
{
	const json_t *names = json_object_get(calf, STATE_CALF_METRICS), *name;
	json_t *counters = json_object();
	size_t i;

	json_array_foreach(names, i, name)
	{
		uint64_t value;

		if (!json_is_string(name) ||
		    pread(fd, &value, sizeof(value), (off_t)(i * sizeof(value))) != sizeof(value))
			continue;
		if (value != 0 || all)
			json_object_set_new(counters, json_string_value(name),
					    json_integer((json_int_t)(value & INT64_MAX)));
	}
	json_object_set_new(calf, "counters", counters);
}

bool cli_status_add_failure(json_t *restart, int fd)
{
	char text[REPORT_PAGE_ERROR_SIZE], clean[REPORT_PAGE_ERROR_SIZE];
	size_t length;

	if (!json_is_true(json_object_get(restart, STATE_RESTART_FAILED)))
		return false;
	if (fd < 0 || pread(fd, text, sizeof(text), offsetof(struct report_page, error)) !=
			      (ssize_t)sizeof(text))
		return true;
	length = strnlen(text, sizeof(text) - 1);
	if (!length)
		return true;
	sanitise(clean, sizeof(clean), text, length);
	json_object_set_new(restart, "error", json_string(clean));
	return true;
}

/* Open the page whose descriptor is a member of `object`, or -1. */
static int open_report_of(int pid, const json_t *object, const char *member)
{
	const json_t *number = json_object_get(object, member);

	return json_is_integer(number) ? open_report(pid, (int)json_integer_value(number)) : -1;
}

/* Add the calves' own counters to the state, and the last error of what failed.
 * Returns CLI_OK, or CLI_FAILED if something did. */
static int add_reports(const struct cli *cli, int pid, const json_t *state)
{
	int fd = open_report_of(pid, state, STATE_WATCHER_REPORT_FD);
	bool failed = cli_status_add_failure(json_object_get(state, STATE_WATCHER_RESTART), fd) ||
		      cli_state_has_no_launcher(state);
	json_t *calf;
	size_t i;

	if (fd >= 0)
		close(fd);
	json_array_foreach(json_object_get(state, STATE_CALVES), i, calf)
	{
		fd = open_report_of(pid, calf, STATE_CALF_METRICS_FD);
		failed |= cli_status_add_failure(json_object_get(calf, STATE_CALF_RESTART), fd);
		if (fd < 0)
			continue;
		cli_status_add_metrics(calf, fd, cli->all);
		close(fd);
	}
	return failed ? CLI_FAILED : CLI_OK;
}

static void add_memory(const struct cli *cli, json_t *status)
{
	struct cli_memory *memory;
	int n_maps = cli_store_memory(cli, &memory);

	if (n_maps < 0)
		return;
	cli_status_add_memory(status, memory, (size_t)n_maps);
	free(memory);
}

static void add_lease(const struct cli *cli, json_t *status)
{
	struct cli_key *keys = NULL;
	int n_keys = cli_store_walk(cli, "/", &keys);

	if (n_keys < 0)
		return;
	cli_status_add_lease(status, keys, (size_t)n_keys,
			     (int64_t)(clock_now_ns(CLOCK_REALTIME) / NS_PER_S));
	free(keys);
}

/* Add what the maps contain. If the store cannot be read, print why and continue
 * with the other maps. */
static int add_maps(const struct cli *cli, const json_t *state, json_t *status)
{
	static struct cli_counters counters;
	struct kv_watch watches[KV_SUBJECTS_MAX];
	struct frame_quarantine quarantine;
	struct frames_owners owners;
	struct cli_key *keys = NULL;
	bool is_leased = false;
	struct kv_ctl ctl;
	int r = CLI_OK, error, n_keys;

	error = cli_store_ctl(cli, &ctl);
	if (!error) {
		bool has_watches = cli_store_watches(cli, watches) == 0;

		cli_status_add_store(status, &ctl, has_watches ? watches : NULL);
		add_lease(cli, status);
		add_memory(cli, status);
		n_keys = cli_store_walk(cli, "/status", &keys);
		if (n_keys >= 0)
			cli_status_add_handlers(status, keys, (size_t)n_keys);
		for (int i = 0; i < n_keys; i++)
			is_leased |= strcmp(keys[i].key.path, FRAME_QUARANTINE_KEY) == 0;
		free(keys);
	} else {
		r = cli_explain_store(cli, error);
	}
	/* These maps exist only with the frame programs; it is no error if they do not. */
	if (cli_store_quarantine(cli, &quarantine) == 0)
		cli_status_add_quarantine(status, &quarantine, is_leased, loop_now_ns());
	frames_owners_init(&owners, state);
	if (cli_store_counters(cli, &counters) == 0)
		cli_status_add_frames(status, &counters, &owners, cli->all);
	return r;
}

void cli_status_add_uids(json_t *status, const struct uids *uids, const char *instance)
{
	const struct uids_entry *entry = uids_find(uids, instance);

	if (entry)
		json_object_set_new(status, "uids",
				    json_pack("{s:I, s:I}", "first", (json_int_t)entry->first,
					      "last",
					      (json_int_t)entry->first + INSTANCE_UIDS - 1));
}

/* Collect the status of the instance cli->instance. Returns an exit code, after printing
 * one line if that is CLI_FAILURE. */
static int collect(const struct cli *cli, const struct cli_instance *instance,
		   const struct uids *uids, json_t *status)
{
	int r = CLI_OK, pid = instance->pid, unread, failed;
	json_t *state = cli_state_load(cli, &unread);

	json_object_set_new(status, "instance", json_string(instance->name));
	json_object_set_new(status, "running", json_boolean(pid > 0));
	if (pid > 0)
		json_object_set_new(status, "pid", json_integer(pid));
	cli_status_add_uids(status, uids, instance->name);
	if (instance->is_pinned)
		r = add_maps(cli, state, status);
	else if (pid > 0)
		r = cli_explain_unpinned(cli, instance);
	else
		json_object_set_new(status, "saved_only", json_true());
	if (r == CLI_OK)
		r = unread;
	if (r == CLI_OK && pid <= 0)
		r = CLI_DEAD;
	/* The file that a killed supervisor left is stale. */
	if (state && pid > 0) {
		failed = add_reports(cli, pid, state);
		if (r == CLI_OK)
			r = failed;
		json_object_set(status, "state", state);
	}
	json_decref(state);
	return r;
}

/* Print the status of these instances, one after the other, or in an array if there are
 * several. Returns the highest of their exit codes. */
static int print_instances(struct cli *cli, const struct cli_instance *instances, int n)
{
	static struct uids uids;
	json_t *array = json_array();
	int worst = CLI_OK;

	cli_uids(cli, &uids);
	for (int i = 0; i < n; i++) {
		json_t *status = json_object();
		int r;

		(void)snprintf(cli->instance, sizeof(cli->instance), "%s", instances[i].name);
		r = collect(cli, &instances[i], &uids, status);
		worst = r > worst ? r : worst;
		if (!cli->json && i > 0)
			fputc('\n', cli->out);
		if (!cli->json)
			cli_status_print(cli, status);
		json_array_append_new(array, status);
	}
	if (cli->json &&
	    cli_print_json(cli, json_incref(n == 1 ? json_array_get(array, 0) : array)) != CLI_OK)
		worst = CLI_FAILURE;
	json_decref(array);
	return worst;
}

int cli_status(struct cli *cli)
{
	struct cli_instance *instances = NULL;
	int n = cli_chosen_instances(cli, &instances), r;

	if (n < 0)
		return -n;
	r = n == 0 ? cli_explain_no_instance(cli) : print_instances(cli, instances, n);
	free(instances);
	return r;
}
