/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/watcher/reconcile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/backoff.h"
#include "userspace/common/clock.h"
#include "userspace/common/log.h"
#include "userspace/common/loop.h"

void reconcile_init(struct reconciler *reconciler, const struct handler *const *handlers,
		    uint32_t n_handlers)
{
	*reconciler = (struct reconciler){ .handlers = handlers, .n_handlers = n_handlers };
	for (uint32_t i = 0; i < n_handlers; i++)
		reconciler->state[i].retry_ns = UINT64_MAX;
}

void reconcile_load_status(struct reconciler *reconciler, const struct wanted *wanted)
{
	char path[KV_PATH_SIZE];

	for (uint32_t i = 0; i < reconciler->n_handlers; i++) {
		const struct kv_value *value;

		(void)snprintf(path, sizeof(path), "/status/%s", reconciler->handlers[i]->name);
		value = wanted_get(wanted, path);
		(void)snprintf(reconciler->state[i].written, RECONCILE_STATUS_SIZE, "%.*s",
			       RECONCILE_STATUS_SIZE - 1, value ? value->text : "");
	}
}

void reconcile_mark_all(struct reconciler *reconciler)
{
	for (uint32_t i = 0; i < reconciler->n_handlers; i++)
		reconciler->state[i].is_affected = true;
}

void reconcile_mark_path(struct reconciler *reconciler, const char *path)
{
	for (uint32_t i = 0; i < reconciler->n_handlers; i++)
		if (family_concerns(reconciler->handlers[i], path))
			reconciler->state[i].is_affected = true;
}

void reconcile_mark_due(struct reconciler *reconciler, uint64_t now_ns)
{
	for (uint32_t i = 0; i < reconciler->n_handlers; i++)
		if (reconciler->state[i].retry_ns <= now_ns)
			reconciler->state[i].is_affected = true;
}

bool reconcile_is_marked(const struct reconciler *reconciler)
{
	for (uint32_t i = 0; i < reconciler->n_handlers; i++)
		if (reconciler->state[i].is_affected)
			return true;
	return false;
}

uint64_t reconcile_next_retry(const struct reconciler *reconciler)
{
	uint64_t next = UINT64_MAX;

	for (uint32_t i = 0; i < reconciler->n_handlers; i++)
		if (reconciler->state[i].retry_ns < next)
			next = reconciler->state[i].retry_ns;
	return next;
}

/* Record the result of one call; the first error of a pass is kept. */
static void record_result(struct reconcile_state *state, struct handler_context *context, int r)
{
	if (r >= 0 || state->error)
		return;
	state->error = r;
	(void)snprintf(state->status, sizeof(state->status), "error: %s",
		       context->error[0] ? context->error : strerror(-r));
}

/* Set the status to "ok 17", followed by the handler's note. */
static void put_ok(struct reconcile_state *state, uint64_t revision, const char *note)
{
	(void)snprintf(state->status, sizeof(state->status), "ok %" PRIu64 "%s%s", revision,
		       note[0] ? "; " : "", note);
}

void reconcile_suspect(struct reconciler *reconciler, const struct handler *handler)
{
	for (uint32_t i = 0; i < reconciler->n_handlers; i++)
		if (reconciler->handlers[i] == handler)
			reconciler->state[i].needs_check = handler->check != NULL;
}

void reconcile_suspect_all(struct reconciler *reconciler)
{
	for (uint32_t i = 0; i < reconciler->n_handlers; i++)
		reconcile_suspect(reconciler, reconciler->handlers[i]);
}

bool reconcile_needs_check(const struct reconciler *reconciler)
{
	for (uint32_t i = 0; i < reconciler->n_handlers; i++)
		if (reconciler->state[i].needs_check)
			return true;
	return false;
}

static bool may_repair(const struct reconciler *reconciler, const struct handler *handler)
{
	return reconciler->drift == CONFIGURATION_DRIFT_REPAIR ||
	       (reconciler->drift == CONFIGURATION_DRIFT_DEFAULT && handler->repairs_drift);
}

/* Mark the handler, or set when it is due. */
static void plan_repair(const char *name, struct reconcile_state *state, uint64_t now_ns)
{
	uint64_t at_ns = now_ns;

	if (state->retry_ns != UINT64_MAX)
		return;
	if (now_ns - state->repair_ns > RECONCILE_REPAIR_QUIET_NS)
		state->n_repairs = 0;
	if (state->n_repairs > 0)
		at_ns = state->repair_ns +
			backoff_ns(state->n_repairs, BACKOFF_MIN_NS, BACKOFF_MAX_NS);
	state->n_repairs++;
	if (at_ns <= now_ns) {
		state->repair_ns = now_ns;
		state->is_affected = true;
		return;
	}
	state->repair_ns = state->retry_ns = at_ns;
	log_info("%s: changed again; repairing it in %" PRIu64 " ms", name,
		 (at_ns - now_ns) / NS_PER_MS);
}

/* Record the result of a check. */
static void record_check(const char *name, struct reconcile_state *state,
			 struct handler_context *context, int r)
{
	char previous[RECONCILE_STATUS_SIZE];

	memcpy(previous, state->status, sizeof(previous));
	if (r == HANDLER_DRIFT || r == HANDLER_TAKEN) {
		state->n_drifts += !state->has_drifted;
		state->has_metrics |= !state->has_drifted;
		state->has_drifted = true;
		(void)snprintf(state->status, sizeof(state->status), "drift: %s", context->error);
		if (strcmp(previous, state->status) != 0)
			log_warning("%s: %s", name, state->status);
	} else if (!r && state->has_drifted) {
		state->has_drifted = false;
		state->retry_ns = UINT64_MAX;
		memcpy(state->status, state->last_ok_status, sizeof(state->status));
		log_info("%s: drift is over", name);
	} else if (r < 0) {
		log_error("%s: cannot check: %s", name,
			  context->error[0] ? context->error : strerror(-r));
	}
}

void reconcile_check(struct reconciler *reconciler, struct handler_context *context,
		     const struct wanted *wanted)
{
	uint32_t i;
	int r;

	for (i = 0; i < reconciler->n_handlers; i++) {
		struct reconcile_state *state = &reconciler->state[i];

		if (!state->needs_check)
			continue;
		state->needs_check = false;
		/* What one that failed has configured is not known, and a server can make
		 * it fail for ever, by a route that the kernel refuses. */
		state->is_affected |= state->error != 0;
		/* A handler that is about to run reads the state anyway, and one
		 * that never ran has configured nothing. */
		if (state->is_affected || !state->last_ok_status[0])
			continue;
		context->error[0] = '\0';
		context->note[0] = '\0';
		r = reconciler->handlers[i]->check(context, wanted);
		state->is_affected = r == HANDLER_APPLY;
		record_check(reconciler->handlers[i]->name, state, context, r);
		if (r == HANDLER_DRIFT && may_repair(reconciler, reconciler->handlers[i]))
			plan_repair(reconciler->handlers[i]->name, state, context->now_ns);
	}
}

void reconcile_repair(struct reconciler *reconciler, struct handler_context *context,
		      const struct wanted *wanted)
{
	reconcile_suspect_all(reconciler);
	reconcile_check(reconciler, context, wanted);
	for (uint32_t i = 0; i < reconciler->n_handlers; i++) {
		struct reconcile_state *state = &reconciler->state[i];

		state->is_affected |= state->has_drifted || state->error;
		state->n_repairs = 0;
	}
}

static bool is_metrics_due(const struct reconcile_state *state, uint64_t now_ns)
{
	return state->has_metrics && state->metrics_ns <= now_ns;
}

static int add_metrics_of(const struct reconcile_state *state, const char *name,
			  struct commit *commit)
{
	char path[KV_PATH_SIZE], text[128]; /* four numbers of 20 digits fit */

	(void)snprintf(path, sizeof(path), RECONCILE_METRICS_DIRECTORY "/%s", name);
	(void)snprintf(text, sizeof(text),
		       "runs=%" PRIu64 " errors=%" PRIu64 " drifts=%" PRIu64 " us=%" PRIu64,
		       state->n_runs, state->n_errors, state->n_drifts, state->took_ns / 1000);
	return commit_write(commit, path, text, strlen(text));
}

static bool has_handler(const struct reconciler *reconciler, const char *name)
{
	for (uint32_t i = 0; i < reconciler->n_handlers; i++)
		if (!strcmp(reconciler->handlers[i]->name, name))
			return true;
	return false;
}

static int delete_stale_metrics(const struct reconciler *reconciler, const struct wanted *wanted,
				struct commit *commit)
{
	const char *directory = RECONCILE_METRICS_DIRECTORY "/";
	int r = 0;

	/* one value for all handlers: version 0.1.0 */
	if (wanted_get(wanted, RECONCILE_METRICS_DIRECTORY))
		r = commit_delete(commit, RECONCILE_METRICS_DIRECTORY);
	for (uint32_t i = wanted_first_below(wanted, directory);
	     !r && wanted_is_below(wanted, i, directory); i++) {
		const char *path = wanted->keys[i]->key.path;

		if (!has_handler(reconciler, path + strlen(directory)))
			r = commit_delete(commit, path);
	}
	return r;
}

int reconcile_add_metrics(const struct reconciler *reconciler, const struct wanted *wanted,
			  uint64_t now_ns, struct commit *commit)
{
	int r = delete_stale_metrics(reconciler, wanted, commit);

	for (uint32_t i = 0; i < reconciler->n_handlers && !r; i++)
		if (is_metrics_due(&reconciler->state[i], now_ns))
			r = add_metrics_of(&reconciler->state[i], reconciler->handlers[i]->name,
					   commit);
	return r;
}

void reconcile_metrics_written(struct reconciler *reconciler, uint64_t now_ns)
{
	for (uint32_t i = 0; i < reconciler->n_handlers; i++) {
		struct reconcile_state *state = &reconciler->state[i];

		if (!is_metrics_due(state, now_ns))
			continue;
		state->has_metrics = false;
		state->metrics_ns = now_ns + RECONCILE_METRICS_INTERVAL_NS;
	}
}

uint64_t reconcile_next_metrics(const struct reconciler *reconciler)
{
	uint64_t next_ns = UINT64_MAX;

	for (uint32_t i = 0; i < reconciler->n_handlers; i++)
		if (reconciler->state[i].has_metrics && reconciler->state[i].metrics_ns < next_ns)
			next_ns = reconciler->state[i].metrics_ns;
	return next_ns;
}

static void record_run(const struct handler *handler, struct reconcile_state *state,
		       const char *previous_status, int previous_error, uint64_t now_ns)
{
	state->is_affected = false;
	state->needs_check = false;
	state->n_runs++;
	state->has_metrics = true;
	if (state->has_drifted && !state->error)
		log_info("%s: drift is over", handler->name);
	state->has_drifted = false;
	if (!state->error) {
		memcpy(state->last_ok_status, state->status, sizeof(state->last_ok_status));
		if (previous_error)
			log_info("%s: recovered", handler->name);
		state->n_failures = 0;
		state->retry_ns = UINT64_MAX;
		return;
	}
	if (strcmp(state->status, previous_status) != 0)
		log_error("%s: %s", handler->name, state->status + sizeof("error: ") - 1);
	state->n_errors++;
	state->n_failures++;
	state->retry_ns = now_ns + backoff_ns(state->n_failures, BACKOFF_MIN_NS, BACKOFF_MAX_NS);
}

/* Mark all handlers, except those whose drift is only reported and whose settings
 * do not depend on the address. */
static void mark_repeated(struct reconciler *reconciler)
{
	for (uint32_t i = 0; i < reconciler->n_handlers; i++)
		if (!reconciler->state[i].has_drifted || reconciler->handlers[i]->repairs_drift ||
		    may_repair(reconciler, reconciler->handlers[i]))
			reconciler->state[i].is_affected = true;
}

/* Run the marked handlers once. Returns true if a release requests another round. */
static bool run_once(struct reconciler *reconciler, struct handler_context *context,
		     const struct wanted *wanted)
{
	bool repeat = false;
	uint64_t begin_ns;
	int r;

	for (uint32_t i = 0; i < reconciler->n_handlers; i++) {
		struct reconcile_state *state = &reconciler->state[i];

		if (!state->is_affected)
			continue;
		state->error = 0;
		context->error[0] = '\0';
		context->note[0] = '\0';
		begin_ns = loop_now_ns();
		r = reconciler->handlers[i]->apply(context, wanted);
		state->took_ns = loop_now_ns() - begin_ns;
		put_ok(state, wanted->revision, context->note);
		record_result(state, context, r);
	}
	for (uint32_t i = reconciler->n_handlers; i-- > 0;) {
		if (!reconciler->state[i].is_affected || !reconciler->handlers[i]->release)
			continue;
		context->error[0] = '\0';
		begin_ns = loop_now_ns();
		r = reconciler->handlers[i]->release(context, wanted);
		reconciler->state[i].took_ns += loop_now_ns() - begin_ns;
		repeat |= r == HANDLER_REPEAT;
		record_result(&reconciler->state[i], context, r);
	}
	return repeat;
}

void reconcile_run(struct reconciler *reconciler, struct handler_context *context,
		   const struct wanted *wanted)
{
	char previous[RECONCILE_HANDLERS_MAX][RECONCILE_STATUS_SIZE] = { { 0 } };
	int previous_errors[RECONCILE_HANDLERS_MAX] = { 0 };

	for (uint32_t i = 0; i < reconciler->n_handlers; i++) {
		memcpy(previous[i], reconciler->state[i].status, RECONCILE_STATUS_SIZE);
		previous_errors[i] = reconciler->state[i].error;
	}
	if (run_once(reconciler, context, wanted)) {
		mark_repeated(reconciler);
		(void)run_once(reconciler, context, wanted);
	}
	for (uint32_t i = 0; i < reconciler->n_handlers; i++)
		if (reconciler->state[i].is_affected)
			record_run(reconciler->handlers[i], &reconciler->state[i], previous[i],
				   previous_errors[i], context->now_ns);
}
