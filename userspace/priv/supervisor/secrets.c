/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: saving secrets
 *
 * Persistent secrets are in a file of their own, which the supervisor writes, because
 * besides their writers only its gate may read them. The watcher sees in the change ring
 * that one was changed, but not its text, and says so by an eventfd counter whose value is
 * ignored. A process of its own writes the file, since a disk can take any time. Only one
 * runs at a time, and at most one is started per second; all changes meanwhile cause one
 * more. Each start and each stop saves, too: what is in the file but in no description any
 * more is gone then, and so is what a watcher that was killed did not tell.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/common/backoff.h"
#include "userspace/common/clock.h"
#include "userspace/common/directory.h"
#include "userspace/common/gate.h"
#include "userspace/common/log.h"
#include "userspace/priv/persist/persist.h"
#include "userspace/priv/supervisor/child.h"
#include "userspace/priv/supervisor/supervisor-private.h"

#define DELAY_NS (100 * NS_PER_MS) /* changes that belong together are saved together */
#define SPACING_NS NS_PER_S
#define END_MS 1700 /* since the shutdown began */

/* Fill `wanted` with the persistent keys, of which the secrets will be saved. */
static int collect(const struct supervisor *s, struct wanted *wanted)
{
	struct kv_key key, *before = NULL;
	struct kv_value value;
	int r = 0;

	wanted->revision = store_revision(&s->store);
	while (!r && !bpf_map_get_next_key(s->store.kv_fd, before, &key)) {
		before = &key;
		if (!persist_find_key(s->descriptions, s->n_descriptions, key.path))
			continue;
		r = gate_read(s->store.gate_fds[KV_SUBJECT_SUPERVISOR], key.path, &value);
		if (!r)
			r = wanted_set(wanted, &key, &value);
		else if (r == -ENOENT) /* deleted meanwhile */
			r = 0;
	}
	return r;
}

int supervisor_save_secrets_now(const void *data)
{
	const struct supervisor *s = data;
	const char *directory = s->options->state;
	struct wanted wanted = WANTED_NULL(wanted);
	int r = directory_make(directory, 0700);

	if (!r)
		r = wanted_init(&wanted, KV_KEYS_MAX + KV_KEYS_SLACK);
	if (!r)
		r = collect(s, &wanted);
	if (!r)
		r = persist_save_secrets(directory, &wanted, s->descriptions, s->n_descriptions,
					 clock_now_ns(CLOCK_REALTIME) -
						 clock_now_ns(CLOCK_BOOTTIME));
	wanted_deinit(&wanted);
	return -r;
}

static void failed(struct supervisor *s, int error, uint64_t now_ns)
{
	struct supervisor_secrets *secrets = &s->secrets;

	if (!secrets->n_failures++)
		log_error("cannot save secrets in %s: %s; retrying", s->options->state,
			  error ? strerror(error) : "killed");
	secrets->is_asked = true;
	secrets->earliest_ns =
		now_ns + backoff_ns(secrets->n_failures, BACKOFF_MIN_NS, BACKOFF_MAX_NS);
}

static void start(struct supervisor *s, uint64_t now_ns)
{
	struct supervisor_secrets *secrets = &s->secrets;
	pid_t pid = launcher_request(&s->launcher, LAUNCHER_START, LAUNCHER_SECRETS);

	secrets->is_asked = false;
	secrets->earliest_ns = now_ns + SPACING_NS;
	if (pid > 0)
		secrets->pid = pid;
	else
		failed(s, -pid, now_ns);
}

/* Start to save when it is time, if there is something to save and no process does it. */
static void schedule(struct supervisor *s, uint64_t now_ns)
{
	struct supervisor_secrets *secrets = &s->secrets;
	uint64_t due_ns = now_ns + DELAY_NS;

	if (secrets->earliest_ns > due_ns)
		due_ns = secrets->earliest_ns;
	loop_timer_set(&secrets->timer,
		       secrets->is_asked && secrets->pid <= 0 ? due_ns : LOOP_NEVER);
}

/* Most instances have none: no process is started for them. */
static bool has_secrets(const struct supervisor *s)
{
	return s->options->state[0] &&
	       persist_has_secrets(s->options->state, s->descriptions, s->n_descriptions);
}

static int on_timer(struct loop *loop, uint64_t now_ns, void *data)
{
	struct supervisor *s = data;

	(void)loop;
	start(s, now_ns);
	schedule(s, now_ns);
	return 0;
}

static int on_change(struct loop *loop, int fd, short revents, void *data)
{
	struct supervisor *s = data;
	eventfd_t n;

	(void)revents;
	if (eventfd_read(fd, &n) == 0 && !s->secrets.is_asked && has_secrets(s)) {
		s->secrets.is_asked = true;
		schedule(s, loop->now_ns());
	}
	return 0;
}

int supervisor_watch_secrets(struct supervisor *s)
{
	struct supervisor_secrets *secrets = &s->secrets;
	int r;

	secrets->ask_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (secrets->ask_fd < 0)
		return -errno;
	r = loop_add_timer(&s->loop, &secrets->timer, on_timer, s);
	if (r)
		return r;
	secrets->is_asked = has_secrets(s);
	schedule(s, s->loop.now_ns());
	return loop_add_fd(&s->loop, secrets->ask_fd, POLLIN, on_change, s);
}

void supervisor_secrets_ended(struct supervisor *s, int status)
{
	struct supervisor_secrets *secrets = &s->secrets;
	uint64_t now_ns = loop_now_ns();

	secrets->pid = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		failed(s, WIFEXITED(status) ? WEXITSTATUS(status) : 0, now_ns);
	} else {
		if (secrets->n_failures)
			log_info("saving secrets works again");
		secrets->n_failures = 0;
	}
	schedule(s, now_ns);
}

/* Returns false if it does not end in time. */
static bool await_end(struct supervisor *s, const struct await_limit *limit)
{
	int status = 0;

	if (s->secrets.pid <= 0)
		return true;
	if (!child_wait(&s->secrets.pid, &status, limit)) {
		child_end(&s->secrets.pid);
		return false;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		failed(s, WIFEXITED(status) ? WEXITSTATUS(status) : 0, loop_now_ns());
	return true;
}

void supervisor_save_secrets(struct supervisor *s)
{
	const struct await_limit limit = supervisor_stop_limit(s, END_MS);
	bool has_ended = await_end(s, &limit);

	if (has_ended && s->secrets.ask_fd >= 0 && has_secrets(s)) {
		start(s, loop_now_ns());
		has_ended = await_end(s, &limit);
	}
	if (!has_ended)
		log_error("cannot save secrets in %s: it takes too long", s->options->state);
}
