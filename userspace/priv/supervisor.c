/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the supervisor. Start-up is supervisor_start(), top to bottom: ask
 * what can be refused first (supervisor_check.c), change the host later, drop
 * rights, then start children. After that it waits for children to end and
 * starts them again; it never ends because a child misbehaved, and it never
 * reads a byte that came from the network or from a calf.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/common/log.h"
#include "userspace/priv/child.h"
#include "userspace/priv/confine.h"
#include "userspace/priv/persist.h"
#include "userspace/priv/persist_revision.h"
#include "userspace/priv/roles.h"
#include "userspace/priv/subjects.h"
#include "userspace/priv/supervisor-private.h"
#include "userspace/priv/takeover.h"

#define WATCHER_RETRY_NS 200000000ull
#define WATCHER_END_MS 2000

/* --- children --- */

/* A role gets our own command line, and which it is. */
pid_t supervisor_execute_role(const struct supervisor *s, const char *role, const int *fds,
			      uint32_t n_fds)
{
	char name[16];
	const struct options *options = s->options;
	char **argv = calloc((size_t)options->argc + 5, sizeof(*argv));
	char index[16];
	pid_t pid;

	if (!argv)
		return -ENOMEM;
	snprintf(index, sizeof(index), "%d", s->uplink.ifindex);
	snprintf(name, sizeof(name), "%s", role);
	memcpy(argv, options->argv, (size_t)options->argc * sizeof(*argv));
	argv[options->argc] = (char[]){ "--role" };
	argv[options->argc + 1] = name;
	argv[options->argc + 2] = (char[]){ "--uplink-index" };
	argv[options->argc + 3] = index;
	pid = child_start(s->self_program, argv, fds, n_fds);
	free(argv);
	return pid;
}

static void start_watcher(struct supervisor *s)
{
	const int fds[] = { s->store.gate_fds[KV_SUBJECT_WATCHER],
			    s->store.kv_fd,
			    s->store.ctl_fd,
			    s->store.events_fd,
			    s->store.denials_fd,
			    s->chrony.ask_fd,
			    s->chrony.results[0] };
	pid_t pid = supervisor_execute_role(s, "watcher", fds, sizeof(fds) / sizeof(fds[0]));

	if (pid > 0)
		s->watcher_pid = pid;
	else
		loop_timer_set(&s->watcher_restart, loop_now_ns() + WATCHER_RETRY_NS);
}

static int restart_watcher(struct loop *loop, uint64_t now_ns, void *data)
{
	struct supervisor *s = data;

	(void)loop;
	(void)now_ns;
	s->n_watcher_restarts++;
	start_watcher(s);
	supervisor_write_state(s);
	return 0;
}

static void start_pair(struct supervised_pair *pair)
{
	uint64_t now = loop_now_ns();

	if (pair_start(&pair->pair, now))
		loop_timer_set(&pair->restart, pair_restart_at(&pair->pair, now));
}

static int restart_pair(struct loop *loop, uint64_t now_ns, void *data)
{
	struct supervised_pair *pair = data;

	(void)loop;
	(void)now_ns;
	start_pair(pair);
	supervisor_write_state(pair->supervisor);
	return 0;
}

static const char *describe_end(int status, char text[static 48])
{
	if (WIFSIGNALED(status))
		snprintf(text, 48, "was ended by signal %d", WTERMSIG(status));
	else
		snprintf(text, 48, "ended with code %d", WEXITSTATUS(status));
	return text;
}

/* A pair lives and dies together. */
static void pair_ended(struct supervised_pair *pair, pid_t pid, int status)
{
	const char *name = pair->pair.description->name;
	bool gateway = pid == pair->pair.gateway_pid;
	int code = gateway && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	char how[48];

	if (code == ROLE_EXIT_MALFORMED)
		audit_malformed(&pair->supervisor->audit, name, "control message");
	/* A gateway may be seen to end first of the two, but it followed its calf. */
	if (code == ROLE_EXIT_EOF && pair_take_calf(&pair->pair, &status)) {
		pair->pair.gateway_pid = 0;
		gateway = false;
	}
	log_warning("%s: its %s %s; both are started again", name, gateway ? "gateway" : "calf",
		    describe_end(status, how));
	if (gateway)
		pair->pair.gateway_pid = 0;
	else
		pair->pair.calf_pid = 0;
	pair_stop(&pair->pair);
	loop_timer_set(&pair->restart, pair_restart_at(&pair->pair, loop_now_ns()));
}

static void child_ended(struct supervisor *s, pid_t pid, int status)
{
	char how[48];

	if (pid == s->watcher_pid) {
		log_warning("the watcher %s; it is started again", describe_end(status, how));
		s->watcher_pid = 0;
		loop_timer_set(&s->watcher_restart, loop_now_ns() + WATCHER_RETRY_NS);
	}
	if (pid == s->chrony.pid)
		supervisor_chrony_ended(s, status);
	for (uint32_t i = 0; i < s->n_pairs; i++)
		if (pid == s->pairs[i].pair.calf_pid || pid == s->pairs[i].pair.gateway_pid)
			pair_ended(&s->pairs[i], pid, status);
}

/* The log was rotated: both who write it open it anew. */
static void reopen_audit(struct supervisor *s)
{
	audit_reopen(&s->audit);
	if (s->watcher_pid > 0)
		kill(s->watcher_pid, SIGHUP);
}

static int signal_arrived(struct loop *loop, int fd, short revents, void *data)
{
	struct supervisor *s = data;
	struct signalfd_siginfo info;
	bool changed = false;
	int status;
	pid_t pid;

	(void)revents;
	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		if (info.ssi_signo == SIGHUP) {
			reopen_audit(s);
			continue;
		}
		log_info("ending on signal %u", info.ssi_signo);
		loop->stop = true;
		return 0;
	}
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		child_ended(s, pid, status);
		changed = true;
	}
	if (changed)
		supervisor_write_state(s);
	return 0;
}

/* --- start --- */

/* The first keys; with --takeover what is on the uplink is asked for first. */
int supervisor_write_keys(const struct supervisor *s)
{
	struct value_ipv4_net address;
	int found = 0;

	if (s->options->takeover)
		found = takeover_find(s->netlink, s->uplink.ifindex, &address);
	if (found < 0) {
		log_error("%s: cannot read its addresses: %s", s->uplink.name, strerror(-found));
		return found;
	}
	return subjects_write_keys(&s->store, s->uplink.mac, &s->configuration,
				   found ? &address : NULL);
}

static int start_store(struct supervisor *s)
{
	const char *state = s->options->state;
	int error = pins_init(&s->pins, s->options->instance);
	uint64_t revision = 0;
	pid_t reserving = 0;

	if (!error)
		error = store_init(&s->store, &s->pins,
				   subjects_count_keys(s->descriptions, s->n_descriptions),
				   KV_SUBJECT_CALF + s->n_descriptions);
	if (!error) {
		revision = s->store.adopted ? store_revision(&s->store) :
					      persist_revision_last(state);
		reserving = persist_revision_begin(state, revision);
		error = subjects_add(&s->store, s->descriptions, s->n_descriptions);
		persist_revision_end(state, reserving);
	}
	/* A new store goes on where the host's last life ended. What cannot be
	 * brought back is logged, and no reason not to start. */
	if (!error && !s->store.adopted)
		persist_restore(state, s->store.gate_fds[KV_SUBJECT_SUPERVISOR], revision,
				s->descriptions, s->n_descriptions);
	if (!error)
		error = supervisor_write_keys(s);
	if (!error && s->store.adopted)
		error = subjects_forget_lease(&s->store);
	return error;
}

/* As the supervisor will be itself, once it has made everything. */
static int confine(void)
{
	return confine_enter(ROLE_SUPERVISOR, 0, 0, true);
}

/* To make a container takes as long as to load all programs: both at once. */
static int create_pairs(struct supervisor *s)
{
	int error = runtime_make_cgroup_parent(s->options->cgroup_parent);

	for (uint32_t i = 0; !error && i < s->n_descriptions; i++) {
		struct supervised_pair *pair = &s->pairs[i];
		const struct pair_fds fds = {
			.gate = -1,
			.ring = -1,
			.frames = s->tap.fd,
			.gateway_program = s->gateway_program,
		};

		error = pair_init(&pair->pair, s->options, &s->descriptions[i], i,
				  s->instance.directory, &s->runtime, &fds);
		if (error)
			return error;
		pair->supervisor = s;
		s->n_pairs++;
		error = loop_add_timer(&s->loop, &pair->restart, restart_pair, pair);
		if (!error)
			error = pair_create(&pair->pair, confine);
	}
	return error ? error : loop_add_timer(&s->loop, &s->watcher_restart, restart_watcher, s);
}

static void connect_pairs(struct supervisor *s)
{
	for (uint32_t i = 0; i < s->n_pairs; i++) {
		s->pairs[i].pair.fds.gate = s->store.gate_fds[KV_SUBJECT_CALF + i];
		s->pairs[i].pair.fds.ring = s->store.ring_fds[KV_SUBJECT_CALF + i];
	}
}

static int take_signals(struct supervisor *s)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &signals, NULL))
		return -errno;
	s->signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
	if (s->signal_fd < 0)
		return -errno;
	/* A detached calf has no parent but us. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		return -errno;
	return loop_add_fd(&s->loop, s->signal_fd, POLLIN, signal_arrived, s);
}

static int supervisor_start(struct supervisor *s)
{
	char state[sizeof(s->instance.directory) + 8];
	int error;

	if (geteuid()) {
		log_error("must run as root");
		return -EPERM;
	}
	error = supervisor_load_files(s);
	if (!error)
		error = supervisor_check_host(s);
	if (!error)
		error = instance_init(&s->instance, s->options->instance);
	snprintf(state, sizeof(state), "%s/runc", s->instance.directory);
	if (!error)
		error = runtime_find(s->options->runtime, state, &s->runtime);
	if (!error)
		error = supervisor_check_rivals(s);
	if (!error)
		error = supervisor_check_quarantine(s);
	if (!error)
		error = audit_open(&s->audit, s->options->audit);
	if (!error && s->configuration.syslog)
		error = audit_to_syslog(&s->audit, s->options->instance);
	if (!error)
		instance_end_leftovers(&s->instance, pair_gateway_uid(s->options, 0),
				       pair_calf_uid(s->options, OPTIONS_CALVES_MAX - 1));
	if (!error)
		error = take_signals(s);

	/* From here on the host is changed. */
	if (!error)
		error = supervisor_start_uplink(s);
	if (!error)
		error = supervisor_make_tap(s);
	if (!error)
		error = create_pairs(s);
	if (!error)
		error = start_store(s);
	if (!error)
		error = supervisor_start_frames(s);
	if (!error)
		error = supervisor_watch_uplink(s);
	if (!error)
		error = supervisor_start_chrony(s);
	if (!error)
		error = confine();
	if (error)
		return error;

	connect_pairs(s);
	start_watcher(s);
	for (uint32_t i = 0; i < s->n_pairs; i++)
		start_pair(&s->pairs[i]);
	supervisor_write_state(s);
	if (supervisor_is_closed(s))
		log_info("quarantine: %s lets in nothing but ARP until there is a lease, "
			 "for at most %u s",
			 s->uplink.name, s->configuration.quarantine_s);
	log_info("instance %s runs on %s, mode %s by %s: %s", s->options->instance, s->uplink.name,
		 frames_mode_name(s->frames.mode), frames_hook_name(s->frames.hook),
		 s->frames.mode_reason);
	return 0;
}

/* The watcher is asked first: it saves what is to survive a reboot. */
static void stop_watcher(struct supervisor *s)
{
	if (s->watcher_pid <= 0)
		return;
	kill(s->watcher_pid, SIGTERM);
	if (child_wait(&s->watcher_pid, NULL, WATCHER_END_MS))
		return;
	log_warning("the watcher does not end; it is killed");
	child_end(&s->watcher_pid, 0);
}

/* Nobody is given a revision from here on: a boot later can go on without a
 * gap. */
static void save_revision(const struct supervisor *s)
{
	const char *state = s->options->state;
	uint64_t revision = store_revision(&s->store);
	int error = revision && state[0] ? persist_revision_save(state, revision) : 0;

	if (error)
		log_warning("%s: the store's revision is not saved: %s", state, strerror(-error));
}

/*
 * The end of a life: children end, programs are detached. The store, the
 * address and the routes stay for the next life or until the lease is over.
 */
static void supervisor_stop(struct supervisor *s, bool never_ran)
{
	bool had_pins = s->pins.directory[0];

	for (uint32_t i = 0; i < s->n_pairs; i++)
		pair_let_end(&s->pairs[i].pair, s->store.gate_fds[KV_SUBJECT_SUPERVISOR]);
	for (uint32_t i = 0; i < s->n_pairs; i++)
		pair_deinit(&s->pairs[i].pair);
	stop_watcher(s);
	supervisor_stop_chrony(s);
	save_revision(s);
	supervisor_stop_frames(s);
	if (never_ran && had_pins && !s->store.adopted) {
		pins_deinit(&s->pins);
		if ((s->uplink.flags & IFF_UP) == 0)
			netlink_link_set_up(s->netlink, s->uplink.ifindex, false);
	}
	store_deinit(&s->store);
	netlink_free(s->netlink);
	netlink_free(s->links);
	audit_close(&s->audit);
	instance_deinit(&s->instance);
	free(s->descriptions);
}

int supervisor_main(const struct options *options)
{
	struct supervisor *s = calloc(1, sizeof(*s));
	int error;

	if (!s)
		return ROLE_EXIT_FAILURE;
	s->options = options;
	s->instance = INSTANCE_NULL(s->instance);
	s->audit = AUDIT_NULL(s->audit);
	s->store = STORE_NULL(s->store);
	s->frames = FRAMES_NULL(s->frames);
	s->tap = TAP_NULL(s->tap);
	s->signal_fd = s->chrony.ask_fd = -1;
	s->self_program = s->gateway_program = -1;
	s->started_ns = loop_now_ns();
	loop_init(&s->loop);
	error = supervisor_start(s);
	if (!error) {
		error = loop_run(&s->loop);
		supervisor_stop(s, false);
	} else {
		supervisor_stop(s, true);
	}
	free(s);
	return error ? ROLE_EXIT_FAILURE : ROLE_EXIT_OK;
}
