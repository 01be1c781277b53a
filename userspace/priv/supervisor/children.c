/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the supervisor's children
 *
 * The watcher, and for each calf a pair of a gateway and a container. A child
 * that exits is restarted, a pair always as a whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/common/clock.h"
#include "userspace/common/gate.h"
#include "userspace/common/log.h"
#include "userspace/priv/confine/confine.h"
#include "userspace/priv/container/cgroup.h"
#include "userspace/priv/roles.h"
#include "userspace/priv/supervisor/child.h"
#include "userspace/priv/supervisor/report.h"
#include "userspace/priv/supervisor/supervisor-private.h"

/*
 * After so many ms from the signal the shutdown no longer waits for each of these.
 * What hangs is killed, so that the supervisor exits within 2 s whatever hangs.
 */
#define CALF_END_MS 600	    /* more than a calf takes to write its last keys */
#define GATEWAY_END_MS 800  /* more than a gateway takes to read what is left */
#define RUNTIME_END_MS 1200 /* a runtime takes 0.1 s to delete a container */
#define WATCHER_END_MS 1500

#define WATCHER_NAME "watcher"

static void watcher_failed(struct supervisor *s, const char *reason)
{
	if (s->launcher.is_gone) {
		loop_timer_set(&s->watcher_timer, LOOP_NEVER);
		restart_given_up(&s->watcher_restart, WATCHER_NAME, reason);
		return;
	}
	loop_timer_set(&s->watcher_timer,
		       restart_failed(&s->watcher_restart, WATCHER_NAME, reason, loop_now_ns()));
}

static void start_watcher(struct supervisor *s)
{
	uint64_t now = loop_now_ns();
	pid_t pid;

	report_set_logged(s->watcher_report_fd, s->watcher_restart.n_failures > 0);
	pid = launcher_request(&s->launcher, LAUNCHER_START, LAUNCHER_WATCHER);
	if (pid > 0) {
		s->watcher_pid = pid;
		restart_started(&s->watcher_restart, now);
		loop_timer_set(&s->watcher_timer, now + RESTART_STABLE_NS);
	} else {
		watcher_failed(s, "cannot be started");
	}
}

static int on_watcher_timer(struct loop *loop, uint64_t now_ns, void *data)
{
	struct supervisor *s = data;

	(void)loop;
	(void)now_ns;
	if (s->watcher_pid > 0)
		restart_settle(&s->watcher_restart, WATCHER_NAME);
	else
		start_watcher(s);
	supervisor_write_state(s);
	return 0;
}

static void pair_failed(struct supervised_pair *pair, const char *reason)
{
	const char *name = pair->pair.description->name;

	if (pair->supervisor->launcher.is_gone) {
		loop_timer_set(&pair->timer, LOOP_NEVER);
		restart_given_up(&pair->restart, name, reason);
		return;
	}
	loop_timer_set(&pair->timer, restart_failed(&pair->restart, name, reason, loop_now_ns()));
}

/* The pairs start side by side: on_started() is called when this one has. */
static void start_pair(struct supervised_pair *pair)
{
	pair->calf_end.is_set = pair->gateway_end.is_set = false;
	restart_begins(&pair->restart);
	report_set_logged(pair->pair.launch.fds.metrics, pair->restart.n_failures > 0);
	if (pair_start(&pair->pair)) {
		pair_failed(pair, "cannot be started");
		return;
	}
	loop_timer_set(&pair->timer, loop_now_ns() + RUNTIME_START_NS);
}

static int on_pair_timer(struct loop *loop, uint64_t now_ns, void *data)
{
	struct supervised_pair *pair = data;

	(void)loop;
	(void)now_ns;
	if (pair->pair.starter_pid > 0) {
		pair_stop(&pair->pair);
		pair_failed(pair, "does not start");
	} else if (pair->pair.calf_pid > 0) {
		restart_settle(&pair->restart, pair->pair.description->name);
	} else {
		start_pair(pair);
	}
	supervisor_write_state(pair->supervisor);
	return 0;
}

static const char *describe_end(int status, char text[static 48])
{
	if (WIFSIGNALED(status))
		snprintf(text, 48, "was killed by signal %d", WTERMSIG(status));
	else
		snprintf(text, 48, "exited with code %d", WEXITSTATUS(status));
	return text;
}

/* The watcher writes it as the calf's record (watcher/audit.c). */
static void note_malformed(const struct supervisor *s, const char *name)
{
	char path[KV_PATH_SIZE];
	int r;

	snprintf(path, sizeof(path), "/%s", name);
	r = gate_note_denial(s->store.gate_fds[KV_SUBJECT_SUPERVISOR], KV_VERB_NONE, path,
			     -EBADMSG);
	if (r)
		log_error("%s: cannot record that it sent a malformed message: %s", name,
			  strerror(-r));
}

/* Restart the whole pair when one of its two processes exits. */
static void pair_ended(struct supervised_pair *pair, bool gateway, int status)
{
	const char *name = pair->pair.description->name;
	int code = gateway && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	char how[48], reason[80];

	if (code == ROLE_EXIT_MALFORMED)
		note_malformed(pair->supervisor, name);
	/* A gateway exits after its calf, but its exit may be seen first. */
	if (code == ROLE_EXIT_EOF && pair_take_calf(&pair->pair, &status)) {
		pair->pair.gateway_pid = 0;
		gateway = false;
	}
	if (gateway)
		pair->pair.gateway_pid = 0;
	else
		pair->pair.calf_pid = 0;
	pair_stop(&pair->pair);
	snprintf(reason, sizeof(reason), "the %s %s", gateway ? "gateway" : "calf",
		 describe_end(status, how));
	pair_failed(pair, reason);
}

static bool is_end_of_file(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == ROLE_EXIT_EOF;
}

/* The process that started the calf has exited. */
static void on_started(struct supervised_pair *pair, int status)
{
	bool has_no_calf = pair->calf_end.is_set;

	if (pair_started(&pair->pair, status)) {
		pair_failed(pair, "cannot be started");
		return;
	}
	restart_started(&pair->restart, loop_now_ns());
	loop_timer_set(&pair->timer, pair->restart.started_ns + RESTART_STABLE_NS);
	if (has_no_calf)
		pair->pair.calf_pid = 0;
	/* Its gateway exits because of a calf that has exited, and is not what failed. */
	if (pair->gateway_end.is_set && !(has_no_calf && is_end_of_file(pair->gateway_end.status)))
		pair_ended(pair, true, pair->gateway_end.status);
	else if (has_no_calf)
		pair_ended(pair, false, pair->calf_end.status);
}

static void child_of_pair_ended(struct supervised_pair *pair, pid_t pid, int status)
{
	const struct early_end end = { .is_set = true, .status = status };

	if (pid == pair->pair.starter_pid) {
		on_started(pair, status);
	} else if (pair_is_starting(&pair->pair, pid)) {
		pair->calf_end = end;
	} else if (pid == pair->pair.gateway_pid && pair->pair.starter_pid > 0) {
		pair->pair.gateway_pid = 0;
		pair->gateway_end = end;
	} else if (pid == pair->pair.gateway_pid || pid == pair->pair.calf_pid) {
		pair_ended(pair, pid == pair->pair.gateway_pid, status);
	}
}

void supervisor_child_ended(struct supervisor *s, pid_t pid, int status)
{
	char how[48];

	if (pid == s->launcher.pid)
		launcher_ended(&s->launcher, status);
	if (pid == s->watcher_pid) {
		s->watcher_pid = 0;
		watcher_failed(s, describe_end(status, how));
	}
	if (pid == s->chrony.pid)
		supervisor_chrony_ended(s, status);
	if (pid == s->secrets.pid)
		supervisor_secrets_ended(s, status);
	for (uint32_t i = 0; i < s->n_pairs; i++)
		child_of_pair_ended(&s->pairs[i], pid, status);
}

int supervisor_confine(void)
{
	return confine_enter(ROLE_SUPERVISOR, 0, 0, false);
}

/* The processes that create containers while there is no launcher. */
static int confine_starter(void)
{
	return confine_enter(ROLE_STARTER, 0, 0, false);
}

static int confine_foreign_starter(void)
{
	return confine_enter(ROLE_STARTER, 0, 0, true);
}

/* Creating a container takes as long as loading all programs: do both at once. */
int supervisor_create_pairs(struct supervisor *s)
{
	int r = 0;

	s->cgroup_fd = cgroup_parent_hold(s->options->cgroup_parent, &s->runtime.limit);
	if (s->cgroup_fd < 0)
		return s->cgroup_fd;
	for (uint32_t i = 0; !r && i < s->n_descriptions; i++) {
		const struct tap *tap = supervisor_tap_of(s, &s->descriptions[i]);
		struct supervised_pair *pair = &s->pairs[i];
		const struct launcher_pair_fds fds = {
			.gate = -1,
			.ring = -1,
			.frames = tap ? tap->fd : -1,
			.gateway_program = s->gateway_program,
			.syslog = s->syslog.outlet.fd,
			.syslog_ask = s->syslog.ask_fd,
		};

		r = pair_init(&pair->pair, s->options, s->uid_base, &s->descriptions[i],
			      s->numbers[i], s->instance.directory, &s->runtime, &fds);
		if (r)
			return r;
		pair->supervisor = s;
		s->n_pairs++;
		r = loop_add_timer(&s->loop, &pair->timer, on_pair_timer, pair);
		if (!r)
			r = pair_create(&pair->pair, !s->runtime.is_pen ? confine_foreign_starter :
									  confine_starter);
	}
	if (r)
		return r;
	s->watcher_report_fd = report_create();
	if (s->watcher_report_fd < 0)
		return s->watcher_report_fd;
	return loop_add_timer(&s->loop, &s->watcher_timer, on_watcher_timer, s);
}

void supervisor_start_children(struct supervisor *s)
{
	start_watcher(s);
	for (uint32_t i = 0; i < s->n_pairs; i++)
		start_pair(&s->pairs[i]);
}

struct await_limit supervisor_stop_limit(const struct supervisor *s, unsigned int ms)
{
	return (struct await_limit){ .stop_fd = -1, .until_ns = s->stop_ns + ms * NS_PER_MS };
}

/* The calves write their last keys, the gateways their last log lines, and starts that are
 * not complete end, all at the same time. */
static void end_pairs(struct supervisor *s)
{
	const struct await_limit calf = supervisor_stop_limit(s, CALF_END_MS);
	const struct await_limit gateway = supervisor_stop_limit(s, GATEWAY_END_MS);

	for (uint32_t i = 0; i < s->n_pairs; i++)
		pair_ask_to_end(&s->pairs[i].pair, s->store.gate_fds[KV_SUBJECT_SUPERVISOR]);
	for (uint32_t i = 0; i < s->n_pairs; i++)
		pair_end_calf(&s->pairs[i].pair, &calf);
	for (uint32_t i = 0; i < s->n_pairs; i++)
		pair_end_gateway(&s->pairs[i].pair, &gateway);
}

static void end_watcher(struct supervisor *s)
{
	const struct await_limit limit = supervisor_stop_limit(s, WATCHER_END_MS);

	if (child_wait(&s->watcher_pid, NULL, &limit))
		return;
	log_warning("the watcher does not exit; killing it");
	child_end(&s->watcher_pid);
}

/* The watcher saves what must survive a reboot while the runtime deletes the
 * containers. */
void supervisor_stop_children(struct supervisor *s)
{
	s->launcher.is_stopping = true;
	end_pairs(s);
	if (s->watcher_pid > 0)
		kill(s->watcher_pid, SIGTERM);
	s->runtime.limit = supervisor_stop_limit(s, RUNTIME_END_MS);
	for (uint32_t i = 0; i < s->n_pairs; i++)
		pair_deinit(&s->pairs[i].pair);
	cgroup_parent_release(s->options->cgroup_parent, s->cgroup_fd);
	s->cgroup_fd = -1;
	end_watcher(s);
}
