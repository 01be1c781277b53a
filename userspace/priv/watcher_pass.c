// SPDX-License-Identifier: Apache-2.0
#include "userspace/priv/watcher_pass.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/log.h"

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

uint64_t pass_backoff_ns(unsigned int n_failures)
{
	unsigned int shift = n_failures > 7 ? 6 : n_failures - 1;
	uint64_t wait_ns = PASS_RETRY_MIN_NS << shift;

	return wait_ns < PASS_RETRY_MAX_NS ? wait_ns : PASS_RETRY_MAX_NS;
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

static void conclude(const struct handler *handler, struct pass_state *state,
		     const char *former_status, int former_error, uint64_t now_ns)
{
	state->is_affected = false;
	if (!state->error) {
		if (former_error)
			log_info("%s: well again", handler->name);
		state->n_failures = 0;
		state->retry_ns = UINT64_MAX;
		return;
	}
	if (strcmp(state->status, former_status) != 0)
		log_error("%s: %s", handler->name, state->status + sizeof("error: ") - 1);
	state->n_failures++;
	state->retry_ns = now_ns + pass_backoff_ns(state->n_failures);
}

/* One round over the marked handlers; true if another is asked for. */
static bool run_once(struct pass *pass, struct handler_context *context,
		     const struct wanted *wanted)
{
	bool repeat = false;
	uint32_t i;
	int r;

	for (i = 0; i < pass->n_handlers; i++) {
		struct pass_state *state = &pass->state[i];

		if (!state->is_affected)
			continue;
		state->error = 0;
		context->error[0] = '\0';
		context->note[0] = '\0';
		r = pass->handlers[i]->apply(context, wanted);
		put_ok(state, wanted->revision, context->note);
		take(state, context, r);
	}
	for (i = pass->n_handlers; i-- > 0;) {
		if (!pass->state[i].is_affected || !pass->handlers[i]->release)
			continue;
		context->error[0] = '\0';
		r = pass->handlers[i]->release(context, wanted);
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
