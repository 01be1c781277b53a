// SPDX-License-Identifier: Apache-2.0
#include "userspace/priv/watcher/pass.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/backoff.h"
#include "userspace/common/log.h"
#include "userspace/common/loop.h"

void pass_init(struct pass *pass, const struct handler *const *handlers, uint32_t n_handlers)
{
	uint32_t i;

	*pass = (struct pass){ .handlers = handlers, .n_handlers = n_handlers };
	for (i = 0; i < n_handlers; i++)
		pass->state[i].retry_ns = UINT64_MAX;
}

void pass_load_status(struct pass *pass, const struct wanted *wanted)
{
	char path[KV_PATH_SIZE];
	uint32_t i;

	for (i = 0; i < pass->n_handlers; i++) {
		const struct kv_value *value;

		(void)snprintf(path, sizeof(path), "/status/%s", pass->handlers[i]->name);
		value = wanted_get(wanted, path);
		(void)snprintf(pass->state[i].written, PASS_STATUS_SIZE, "%.*s",
			       PASS_STATUS_SIZE - 1, value ? value->text : "");
	}
}

void pass_mark_all(struct pass *pass)
{
	uint32_t i;

	for (i = 0; i < pass->n_handlers; i++)
		pass->state[i].is_affected = true;
}

void pass_mark_path(struct pass *pass, const char *path)
{
	uint32_t i;

	for (i = 0; i < pass->n_handlers; i++)
		if (pass->handlers[i]->concerns(path))
			pass->state[i].is_affected = true;
}

void pass_mark_due(struct pass *pass, uint64_t now_ns)
{
	uint32_t i;

	for (i = 0; i < pass->n_handlers; i++)
		if (pass->state[i].retry_ns <= now_ns)
			pass->state[i].is_affected = true;
}

bool pass_is_marked(const struct pass *pass)
{
	uint32_t i;

	for (i = 0; i < pass->n_handlers; i++)
		if (pass->state[i].is_affected)
			return true;
	return false;
}

uint64_t pass_next_retry(const struct pass *pass)
{
	uint64_t next = UINT64_MAX;
	uint32_t i;

	for (i = 0; i < pass->n_handlers; i++)
		if (pass->state[i].retry_ns < next)
			next = pass->state[i].retry_ns;
	return next;
}

/* Put the outcome of one call into `status`, if it is worse than before. */
static void take(struct pass_state *state, struct handler_context *context, int r)
{
	if (r >= 0 || state->error)
		return;
	state->error = r;
	(void)snprintf(state->status, sizeof(state->status), "error: %s",
		       context->error[0] ? context->error : strerror(-r));
}

/* "ok 17", and what the handler noted. */
static void put_ok(struct pass_state *state, uint64_t revision, const char *note)
{
	(void)snprintf(state->status, sizeof(state->status), "ok %" PRIu64 "%s%s", revision,
		       note[0] ? "; " : "", note);
}

void pass_doubt(struct pass *pass, const struct handler *handler)
{
	uint32_t i;

	for (i = 0; i < pass->n_handlers; i++)
		if (pass->handlers[i] == handler)
			pass->state[i].is_doubtful = handler->check != NULL;
}

void pass_doubt_all(struct pass *pass)
{
	uint32_t i;

	for (i = 0; i < pass->n_handlers; i++)
		pass_doubt(pass, pass->handlers[i]);
}

bool pass_is_doubtful(const struct pass *pass)
{
	uint32_t i;

	for (i = 0; i < pass->n_handlers; i++)
		if (pass->state[i].is_doubtful)
			return true;
	return false;
}

/* What a check found. */
static void judge(const char *name, struct pass_state *state, struct handler_context *context,
		  int r)
{
	char former[PASS_STATUS_SIZE];

	memcpy(former, state->status, sizeof(former));
	if (r == HANDLER_DRIFT) {
		state->n_drifts += !state->has_drifted;
		state->has_metrics |= !state->has_drifted;
		state->has_drifted = true;
		(void)snprintf(state->status, sizeof(state->status), "drift: %s", context->error);
		if (strcmp(former, state->status) != 0)
			log_warning("%s: %s", name, state->status);
	} else if (r == 0 && state->has_drifted) {
		state->has_drifted = false;
		memcpy(state->status, state->well, sizeof(state->status));
		log_info("%s: as it was set again", name);
	} else if (r < 0) {
		log_error("%s: cannot be checked: %s", name,
			  context->error[0] ? context->error : strerror(-r));
	}
}

void pass_check(struct pass *pass, struct handler_context *context, const struct wanted *wanted)
{
	uint32_t i;
	int r;

	for (i = 0; i < pass->n_handlers; i++) {
		struct pass_state *state = &pass->state[i];

		if (!state->is_doubtful)
			continue;
		state->is_doubtful = false;
		/* What runs next looks anyway, and what never ran made nothing. */
		if (state->is_affected || state->error || !state->well[0])
			continue;
		context->error[0] = '\0';
		context->note[0] = '\0';
		r = pass->handlers[i]->check(context, wanted);
		state->is_affected = r == HANDLER_APPLY;
		judge(pass->handlers[i]->name, state, context, r);
	}
}

static bool is_metrics_due(const struct pass_state *state, uint64_t now_ns)
{
	return state->has_metrics && state->metrics_ns <= now_ns;
}

static int add_metrics_of(const struct pass_state *state, const char *name, struct commit *commit)
{
	char path[KV_PATH_SIZE], text[128]; /* four numbers of 20 digits fit */

	(void)snprintf(path, sizeof(path), PASS_METRICS_DIRECTORY "/%s", name);
	(void)snprintf(text, sizeof(text),
		       "runs=%" PRIu64 " errors=%" PRIu64 " drifts=%" PRIu64 " us=%" PRIu64,
		       state->n_runs, state->n_errors, state->n_drifts, state->took_ns / 1000);
	return commit_write(commit, path, text, strlen(text));
}

static bool has_handler(const struct pass *pass, const char *name)
{
	uint32_t i;

	for (i = 0; i < pass->n_handlers; i++)
		if (!strcmp(pass->handlers[i]->name, name))
			return true;
	return false;
}

static int delete_stale_metrics(const struct pass *pass, const struct wanted *wanted,
				struct commit *commit)
{
	const char *directory = PASS_METRICS_DIRECTORY "/";
	uint32_t i;
	int r = 0;

	/* one value for all handlers: version 0.1.0 */
	if (wanted_get(wanted, PASS_METRICS_DIRECTORY))
		r = commit_delete(commit, PASS_METRICS_DIRECTORY);
	for (i = wanted_first_below(wanted, directory); !r && wanted_is_below(wanted, i, directory);
	     i++) {
		const char *path = wanted->keys[i]->key.path;

		if (!has_handler(pass, path + strlen(directory)))
			r = commit_delete(commit, path);
	}
	return r;
}

int pass_add_metrics(const struct pass *pass, const struct wanted *wanted, uint64_t now_ns,
		     struct commit *commit)
{
	int r = delete_stale_metrics(pass, wanted, commit);
	uint32_t i;

	for (i = 0; i < pass->n_handlers && !r; i++)
		if (is_metrics_due(&pass->state[i], now_ns))
			r = add_metrics_of(&pass->state[i], pass->handlers[i]->name, commit);
	return r;
}

void pass_metrics_written(struct pass *pass, uint64_t now_ns)
{
	uint32_t i;

	for (i = 0; i < pass->n_handlers; i++) {
		struct pass_state *state = &pass->state[i];

		if (!is_metrics_due(state, now_ns))
			continue;
		state->has_metrics = false;
		state->metrics_ns = now_ns + PASS_METRICS_INTERVAL_NS;
	}
}

uint64_t pass_next_metrics(const struct pass *pass)
{
	uint64_t next_ns = UINT64_MAX;
	uint32_t i;

	for (i = 0; i < pass->n_handlers; i++)
		if (pass->state[i].has_metrics && pass->state[i].metrics_ns < next_ns)
			next_ns = pass->state[i].metrics_ns;
	return next_ns;
}

static void conclude(const struct handler *handler, struct pass_state *state,
		     const char *former_status, int former_error, uint64_t now_ns)
{
	state->is_affected = false;
	state->is_doubtful = false;
	state->n_runs++;
	state->has_metrics = true;
	state->has_drifted = false;
	if (!state->error) {
		memcpy(state->well, state->status, sizeof(state->well));
		if (former_error)
			log_info("%s: well again", handler->name);
		state->n_failures = 0;
		state->retry_ns = UINT64_MAX;
		return;
	}
	if (strcmp(state->status, former_status) != 0)
		log_error("%s: %s", handler->name, state->status + sizeof("error: ") - 1);
	state->n_errors++;
	state->n_failures++;
	state->retry_ns = now_ns + backoff_ns(state->n_failures, BACKOFF_MIN_NS, BACKOFF_MAX_NS);
}

/* One round over the marked handlers; true if another is asked for. */
static bool run_once(struct pass *pass, struct handler_context *context,
		     const struct wanted *wanted)
{
	bool repeat = false;
	uint64_t begin_ns;
	uint32_t i;
	int r;

	for (i = 0; i < pass->n_handlers; i++) {
		struct pass_state *state = &pass->state[i];

		if (!state->is_affected)
			continue;
		state->error = 0;
		context->error[0] = '\0';
		context->note[0] = '\0';
		begin_ns = loop_now_ns();
		r = pass->handlers[i]->apply(context, wanted);
		state->took_ns = loop_now_ns() - begin_ns;
		put_ok(state, wanted->revision, context->note);
		take(state, context, r);
	}
	for (i = pass->n_handlers; i-- > 0;) {
		if (!pass->state[i].is_affected || !pass->handlers[i]->release)
			continue;
		context->error[0] = '\0';
		begin_ns = loop_now_ns();
		r = pass->handlers[i]->release(context, wanted);
		pass->state[i].took_ns += loop_now_ns() - begin_ns;
		repeat |= r == HANDLER_REPEAT;
		take(&pass->state[i], context, r);
	}
	return repeat;
}

void pass_run(struct pass *pass, struct handler_context *context, const struct wanted *wanted)
{
	char former[PASS_HANDLERS_MAX][PASS_STATUS_SIZE] = { { 0 } };
	int former_errors[PASS_HANDLERS_MAX] = { 0 };
	uint32_t i;

	for (i = 0; i < pass->n_handlers; i++) {
		memcpy(former[i], pass->state[i].status, PASS_STATUS_SIZE);
		former_errors[i] = pass->state[i].error;
	}
	if (run_once(pass, context, wanted)) {
		pass_mark_all(pass);
		(void)run_once(pass, context, wanted);
	}
	for (i = 0; i < pass->n_handlers; i++)
		if (pass->state[i].is_affected)
			conclude(pass->handlers[i], &pass->state[i], former[i], former_errors[i],
				 context->now_ns);
}
