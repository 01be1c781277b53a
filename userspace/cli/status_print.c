/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "userspace/cli/status.h"
#include "userspace/common/sanitise.h"

#define LABEL_WIDTH 10

/* Return a string member, made printable, or `otherwise`. The result is valid
 * for three further calls. */
static const char *text_of(const json_t *object, const char *member, const char *otherwise)
{
	static char texts[4][512];
	static unsigned int i_text;
	const char *text = json_string_value(json_object_get(object, member));
	char *to = texts[i_text++ % 4];

	if (!text)
		return otherwise;
	sanitise(to, sizeof(texts[0]), text, strlen(text));
	return to;
}

static json_int_t number_of(const json_t *object, const char *member)
{
	return json_integer_value(json_object_get(object, member));
}

static void print_label(const struct cli *cli, const char *label)
{
	fprintf(cli->out, "%-*s", LABEL_WIDTH, label);
}

/* Print "WHAT N" if the member exists. */
static void print_pid(const struct cli *cli, const json_t *object, const char *member,
		      const char *what)
{
	if (json_is_integer(json_object_get(object, member)))
		fprintf(cli->out, "%s %" JSON_INTEGER_FORMAT, what, number_of(object, member));
}

/* Return whether more than one calf has frame rules. */
static bool has_several_taps(const json_t *state)
{
	struct frames_owners owners;

	frames_owners_init(&owners, state);
	return owners.n > 1;
}

/* Print the known parts of "STATE, ADDRESS from SERVER until TIME", or of "expired, ...
 * at TIME". */
static void print_lease(const struct cli *cli, json_t *lease)
{
	const char *address = text_of(lease, "address", "");
	const char *state = text_of(lease, "state", "?");
	bool is_expired = strcmp(state, "expired") == 0;

	print_label(cli, "lease");
	fputs(state, cli->out);
	if (*address) {
		const char *server = text_of(lease, "server", "");
		const char *expires = text_of(lease, "expires", "");
		const char *until = is_expired ? " at " : " until ";

		fprintf(cli->out, ", %s%s%s%s%s", address, *server ? " from " : "", server,
			*expires ? until : "", expires);
	}
	fputc('\n', cli->out);
}

static void print_failure(const struct cli *cli, json_t *restart, const char *name)
{
	const char *error = text_of(restart, "error", "");
	char next[CLOCK_SECONDS_SIZE];

	if (!json_is_true(json_object_get(restart, STATE_RESTART_FAILED)))
		return;
	print_label(cli, "FAILED");
	fprintf(cli->out, "%s: %s, %" JSON_INTEGER_FORMAT " times in a row", name,
		text_of(restart, STATE_RESTART_REASON, "?"),
		number_of(restart, STATE_RESTART_FAILURES));
	if (number_of(restart, STATE_RESTART_NEXT)) {
		cli_state_time((uint64_t)number_of(restart, STATE_RESTART_NEXT), next);
		fprintf(cli->out, "; next start at %s", next);
	}
	if (*error)
		fprintf(cli->out, "; last error: %s", error);
	fputc('\n', cli->out);
}

static void print_failures(const struct cli *cli, json_t *state)
{
	json_t *calf;
	size_t i;

	if (cli_state_has_no_launcher(state)) {
		print_label(cli, "FAILED");
		fputs("launcher: it is gone, so nothing can be restarted; restart the instance\n",
		      cli->out);
	}
	print_failure(cli, json_object_get(state, STATE_WATCHER_RESTART), "watcher");
	json_array_foreach(json_object_get(state, STATE_CALVES), i, calf)
	{
		print_failure(cli, json_object_get(calf, STATE_CALF_RESTART),
			      text_of(calf, STATE_CALF_NAME, "?"));
	}
}

static void print_calves(const struct cli *cli, const json_t *state, bool has_several)
{
	const json_t *calves = json_object_get(state, STATE_CALVES);
	json_t *calf;
	size_t i;

	json_array_foreach(calves, i, calf)
	{
		print_label(cli, "calf");
		fputs(text_of(calf, STATE_CALF_NAME, "?"), cli->out);
		print_pid(cli, calf, STATE_CALF_PID, ", pid");
		print_pid(cli, calf, STATE_CALF_GATEWAY_PID, ", gateway pid");
		print_pid(cli, calf, STATE_CALF_RESTARTS, ", restarts");
		if (has_several && *text_of(calf, STATE_CALF_TAP, ""))
			fprintf(cli->out, ", tap %s", text_of(calf, STATE_CALF_TAP, ""));
		fputc('\n', cli->out);
	}
}

static void print_metrics(const struct cli *cli, const json_t *calves)
{
	json_t *calf, *value;
	const char *name;
	size_t i;

	json_array_foreach(calves, i, calf)
	{
		json_object_foreach(json_object_get(calf, "counters"), name, value)
		{
			print_label(cli, "metric");
			fprintf(cli->out, "%s: %s %" JSON_INTEGER_FORMAT "\n",
				text_of(calf, STATE_CALF_NAME, "?"), name,
				json_integer_value(value));
		}
	}
}

/* Print the features that the kernel lacks; those not tested are not listed. */
static void print_missing(const struct cli *cli, json_t *kernel)
{
	bool any = false;
	const char *name;
	json_t *value;

	json_object_foreach(kernel, name, value)
	{
		if (strcmp(text_of(kernel, name, ""), STATE_KERNEL_MISSING) != 0)
			continue;
		if (!any)
			print_label(cli, "kernel");
		fprintf(cli->out, "%s%s", any ? ", " : "lacks ", name);
		any = true;
	}
	if (any)
		fputc('\n', cli->out);
}

static void print_quarantine(const struct cli *cli, json_t *quarantine)
{
	const char *state = text_of(quarantine, "state", "?");

	fprintf(cli->out, "quarantine: %s", state);
	if (strcmp(state, "closed") == 0)
		fprintf(cli->out, " until %s", text_of(quarantine, "deadline", "?"));
	if (json_object_get(quarantine, "opened_by"))
		fprintf(cli->out, ", by the %s", text_of(quarantine, "opened_by", "?"));
	if (json_object_get(quarantine, "opened"))
		fprintf(cli->out, " at %s", text_of(quarantine, "opened", "?"));
}

/* `has_several`: then print_calves() says which tap is whose. */
static void print_uplink(const struct cli *cli, json_t *state, json_t *quarantine, bool has_several)
{
	bool is_known = json_object_get(state, STATE_UPLINK);

	if (is_known || quarantine)
		print_label(cli, "uplink");
	if (is_known)
		fprintf(cli->out, "%s%s%s", text_of(state, STATE_UPLINK, "?"),
			has_several ? "" : ", tap ",
			has_several ? "" : text_of(state, STATE_TAP, "?"));
	if (is_known && quarantine)
		fputs(", ", cli->out);
	if (quarantine)
		print_quarantine(cli, quarantine);
	if (is_known || quarantine)
		fputc('\n', cli->out);
	if (json_object_get(state, STATE_MODE)) {
		const char *reason = text_of(state, STATE_MODE_REASON, "");
		const char *hook = text_of(state, STATE_HOOK, "?");

		print_label(cli, "mode");
		if (strcmp(hook, "none") == 0)
			fputs("nothing is attached to the uplink\n", cli->out);
		else
			fprintf(cli->out, "%s by %s%s%s%s\n", text_of(state, STATE_MODE, "?"), hook,
				*reason ? " (" : "", reason, *reason ? ")" : "");
	}
}

static void print_processes(const struct cli *cli, json_t *state, bool has_several)
{
	if (json_object_get(state, STATE_RUNTIME)) {
		print_label(cli, "runtime");
		fprintf(cli->out, "%s\n", text_of(state, STATE_RUNTIME, "?"));
	}
	if (json_object_get(state, STATE_WATCHER_PID)) {
		print_label(cli, "watcher");
		print_pid(cli, state, STATE_WATCHER_PID, "pid");
		print_pid(cli, state, STATE_WATCHER_RESTARTS, ", restarts");
		fputc('\n', cli->out);
	}
	print_calves(cli, state, has_several);
	print_missing(cli, json_object_get(state, STATE_KERNEL));
}

static void print_uids(const struct cli *cli, const json_t *uids)
{
	print_label(cli, "uids");
	fprintf(cli->out, "%" JSON_INTEGER_FORMAT " to %" JSON_INTEGER_FORMAT "\n",
		number_of(uids, "first"), number_of(uids, "last"));
}

static void print_store(const struct cli *cli, const json_t *store)
{
	const json_t *subject;
	size_t i;

	print_label(cli, "store");
	fprintf(cli->out,
		"revision %" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT
		" of %" JSON_INTEGER_FORMAT " keys, %" JSON_INTEGER_FORMAT
		" commits, %" JSON_INTEGER_FORMAT " denials recorded\n",
		number_of(store, "revision"), number_of(store, "keys"),
		number_of(store, "max_keys"), number_of(store, "commits"),
		number_of(store, "denials"));
	json_array_foreach(json_object_get(store, "subjects"), i, subject)
	{
		print_label(cli, "subject");
		fprintf(cli->out,
			"%s: %" JSON_INTEGER_FORMAT " accepted, %" JSON_INTEGER_FORMAT
			" reads, %" JSON_INTEGER_FORMAT " refused, has %" JSON_INTEGER_FORMAT
			" keys of %" JSON_INTEGER_FORMAT " bytes",
			text_of(subject, "name", "?"), number_of(subject, "accepted"),
			number_of(subject, "reads"), number_of(subject, "refused"),
			number_of(subject, "keys"), number_of(subject, "bytes"));
		if (json_is_true(json_object_get(subject, "watching")))
			fputs(", watches", cli->out);
		if (number_of(subject, "lost") > 0)
			fprintf(cli->out, ", lost %" JSON_INTEGER_FORMAT " events",
				number_of(subject, "lost"));
		fputc('\n', cli->out);
	}
}

/* Print the total, and the largest map. */
static void print_memory(const struct cli *cli, json_t *memory)
{
	json_t *maps = json_object_get(memory, "maps"), *bytes;
	const char *name, *largest = NULL;
	json_int_t most = -1;

	json_object_foreach(maps, name, bytes)
	{
		if (json_integer_value(bytes) <= most)
			continue;
		most = json_integer_value(bytes);
		largest = name;
	}
	print_label(cli, "memory");
	fprintf(cli->out, "%" JSON_INTEGER_FORMAT " KiB in %zu maps",
		number_of(memory, "bytes") / 1024, json_object_size(maps));
	if (largest)
		fprintf(cli->out, ", largest: %s %" JSON_INTEGER_FORMAT " KiB", largest,
			most / 1024);
	fputc('\n', cli->out);
}

static void print_handlers(const struct cli *cli, json_t *status)
{
	json_t *handlers = json_object_get(status, "handlers"), *value;
	json_t *metrics = json_object_get(status, "handler_metrics");
	const char *name;

	json_object_foreach(handlers, name, value)
	{
		const json_t *counts = json_object_get(metrics, name);

		print_label(cli, "handler");
		fprintf(cli->out, "%s: %s", name, text_of(handlers, name, "?"));
		if (counts)
			fprintf(cli->out,
				" (runs: %" JSON_INTEGER_FORMAT
				", the last took %" JSON_INTEGER_FORMAT " us)",
				number_of(counts, "runs"), number_of(counts, "us"));
		fputc('\n', cli->out);
	}
}

/* The counters; of several calves, also what each has of them. */
static void print_frames(const struct cli *cli, json_t *frames, bool has_several)
{
	const char *reason, *name;
	json_t *value, *packets;

	json_object_foreach(frames, reason, value)
	{
		json_t *calves = json_object_get(value, "calves");
		const char *before = " (";

		print_label(cli, "frames");
		fprintf(cli->out,
			"%-20s  %-9s  %" JSON_INTEGER_FORMAT " packets, %" JSON_INTEGER_FORMAT
			" bytes",
			reason, text_of(value, "verdict", "?"), number_of(value, "packets"),
			number_of(value, "bytes"));
		json_object_foreach(has_several ? calves : NULL, name, packets)
		{
			fprintf(cli->out, "%s%s %" JSON_INTEGER_FORMAT, before, name,
				json_integer_value(packets));
			before = ", ";
		}
		fputs(has_several && calves ? ")\n" : "\n", cli->out);
	}
}

void cli_status_print(const struct cli *cli, json_t *status)
{
	json_t *state = json_object_get(status, "state");
	bool has_several = has_several_taps(state);

	print_label(cli, "instance");
	fputs(text_of(status, "instance", "?"), cli->out);
	if (json_is_true(json_object_get(status, "running")))
		print_pid(cli, status, "pid", ", running, pid");
	else
		fputs(json_is_true(json_object_get(status, "saved_only")) ?
			      ", not running, only its saved data is left" :
			      ", not running",
		      cli->out);
	fputc('\n', cli->out);
	if (json_object_get(status, "lease"))
		print_lease(cli, json_object_get(status, "lease"));
	print_failures(cli, state);
	print_uplink(cli, state, json_object_get(status, "quarantine"), has_several);
	print_processes(cli, state, has_several);
	if (json_object_get(status, "uids"))
		print_uids(cli, json_object_get(status, "uids"));
	if (json_object_get(status, "store"))
		print_store(cli, json_object_get(status, "store"));
	if (json_object_get(status, "memory"))
		print_memory(cli, json_object_get(status, "memory"));
	print_handlers(cli, status);
	print_frames(cli, json_object_get(status, "frames"), has_several);
	print_metrics(cli, json_object_get(state, STATE_CALVES));
}
