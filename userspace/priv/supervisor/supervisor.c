/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the supervisor
 *
 * supervisor_start() is the start-up, from top to bottom: first check everything
 * that may be refused (check.c), then change the host, drop privileges and start
 * the children (children.c). After that the supervisor restarts children that
 * exit. It never exits because a child misbehaved, and never reads a byte that
 * came from the network or from a calf.
 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "maps/pins.h"
#include "userspace/common/log.h"
#include "userspace/priv/roles.h"
#include "userspace/priv/supervisor/caller.h"
#include "userspace/priv/supervisor/supervisor-private.h"
#include "userspace/priv/supervisor/uids.h"

static int on_signal(struct loop *loop, int fd, short revents, void *data)
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
		if (info.ssi_signo == SIGHUP || info.ssi_signo == SIGUSR2) {
			supervisor_reopen_audit(s);
			continue;
		}
		log_info("shutting down on signal %u", info.ssi_signo);
		loop->stop = true;
		return 0;
	}
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		supervisor_child_ended(s, pid, status);
		changed = true;
	}
	if (changed)
		supervisor_write_state(s);
	return 0;
}

static int take_signals(struct supervisor *s)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGUSR2);
	if (sigprocmask(SIG_BLOCK, &signals, NULL))
		return -errno;
	s->signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
	sigdelset(&signals, SIGCHLD);
	sigdelset(&signals, SIGHUP);
	sigdelset(&signals, SIGUSR2);
	s->stop_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
	if (s->signal_fd < 0 || s->stop_fd < 0)
		return -errno;
	/* A detached calf has no other parent. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		return -errno;
	return loop_add_fd(&s->loop, s->signal_fd, POLLIN, on_signal, s);
}

/* Which there are if there is more than the one that an instance usually has. */
static void log_calves(const struct supervisor *s)
{
	char names[OPTIONS_CALVES_MAX * sizeof(s->descriptions->name)] = "";
	char *at = names;

	for (uint32_t i = 0; i < s->n_descriptions; i++) {
		*at++ = ' ';
		at = stpcpy(at, s->descriptions[i].name);
	}
	if (s->n_descriptions > 1)
		log_info("instance %s has the calves%s", s->options->instance, names);
}

static int supervisor_start(struct supervisor *s)
{
	static const struct uids_roots uids_roots = { .run = RUN_ROOT, .pins = PINS_ROOT };
	char state[sizeof(s->instance.directory) + 8];
	bool must_wait;
	int r, r_options;

	if (geteuid()) {
		log_error("must run as root");
		return -EPERM;
	}
	/* A signal to stop must end every wait (stop_fd), and leave no process behind. */
	r = take_signals(s);
	if (!r && s->options->syslog)
		r = supervisor_start_syslog(s);
	if (!r)
		r = supervisor_load_files(s);
	if (!r && s->configuration.syslog && !s->options->syslog)
		r = supervisor_start_syslog(s);
	if (!r)
		r = runtime_find(s->options->runtime, &s->runtime);
	if (!r)
		r = supervisor_check_host(s);
	r_options = supervisor_check_options(s);
	if (!r)
		r = r_options;
	if (!r)
		r = supervisor_find_uplink(s);
	must_wait = r == UPLINK_AWAITED;
	if (!r || must_wait)
		r = instance_init(&s->instance, s->options->instance);
	snprintf(state, sizeof(state), "%s/oci", s->instance.directory);
	if (!r && must_wait)
		r = supervisor_wait_uplink(s);
	if (!r)
		r = instance_lock_uplink(&s->instance, s->uplink.name, s->uplink.ifindex);
	if (!r)
		r = runtime_prepare(&s->runtime, state, s->stop_fd);
	if (!r)
		r = supervisor_check_other_clients(s);
	if (!r)
		r = supervisor_check_quarantine(s);
	if (!r)
		r = supervisor_open_audit(s);
	if (!r)
		instance_end_leftovers(&s->instance, s->stop_fd);
	/* Also calves that are not of this start: they hold taps. */
	if (!r)
		r = runtime_delete_all(&s->runtime);
	if (!r)
		r = uids_take(&uids_roots, s->options->instance, s->options->wanted_uid_base,
			      s->stop_fd, &s->uid_base);
	if (!r)
		r = supervisor_open_store(s);
	/* Those that a killed run has left. */
	if (!r)
		r = supervisor_close_taps(s);

	s->is_host_changed = !r; /* from here on */
	if (!r && s->configuration.starts_fast)
		fast_start_begin(&s->fast_start, FAST_START_SWITCH, RUN_ROOT "/fast_start.lock");
	if (!r)
		r = supervisor_start_uplink(s);
	if (!r)
		r = supervisor_make_taps(s);
	if (!r)
		r = supervisor_create_pairs(s);
	/* The gates are loaded by threads, beside the frame programs. */
	if (!r)
		r = supervisor_begin_store(s);
	if (!r)
		r = supervisor_load_frames(s);
	if (!r)
		r = supervisor_start_store(s);
	if (!r)
		r = watches_init(&s->watches, s->instance.directory,
				 s->store.gate_fds[KV_SUBJECT_OPERATOR], &s->loop);
	if (!r)
		r = host_name_init(&s->host_name, s->store.gate_fds[KV_SUBJECT_SUPERVISOR],
				   s->configuration.tells_host_name, &s->loop);
	if (!r)
		r = supervisor_start_frames(s);
	if (!r)
		r = supervisor_watch_uplink(s);
	if (!r)
		r = supervisor_start_chrony(s);
	if (!r)
		r = supervisor_watch_breaches(s);
	if (!r)
		r = supervisor_watch_secrets(s);
	if (!r)
		r = supervisor_watch_quarantine(s);
	if (!r)
		r = supervisor_watch_transactions(s);
	fast_start_end(&s->fast_start);
	/* What the programs were loaded from was most of the heap. Later this would take a system
	 * call that the supervisor is not allowed. */
	(void)malloc_trim(0);
	if (!r)
		r = supervisor_start_launcher(s);
	if (!r)
		r = supervisor_confine();
	if (r)
		return r;

	supervisor_start_children(s);
	supervisor_write_state(s);
	log_info("instance %s running on %s, mode %s by %s: %s", s->options->instance,
		 s->uplink.name, frames_mode_name(s->frames.mode), frames_hook_name(s->frames.hook),
		 s->frames.mode_reason);
	log_calves(s);
	return 0;
}

/*
 * Shut down: stop the children and detach the BPF programs. The store, the
 * address and the routes are kept for the next run, or until the lease expires.
 */
static void supervisor_stop(struct supervisor *s, bool never_ran)
{
	bool is_new_store = s->store.kv_fd >= 0 && !s->store.adopted;

	s->stop_ns = loop_now_ns();
	/* what a start that failed has begun */
	store_end_loading(&s->store);
	supervisor_end_reserving(s);
	supervisor_stop_children(s);
	supervisor_stop_chrony(s);
	supervisor_save_secrets(s);
	launcher_stop(&s->launcher); /* it holds the taps */
	supervisor_save_revision(s);
	supervisor_end_quarantine(s);
	/* What a killed run has attached stays if this start was refused. */
	if (s->is_host_changed)
		(void)supervisor_stop_frames(s);
	/* A tap's programs go only after the tap. */
	if (never_ran && is_new_store && !frames_have_taps(&s->pins)) {
		pins_deinit(&s->pins);
		if ((s->uplink.flags & IFF_UP) == 0)
			netlink_link_set_up(s->netlink, s->uplink.ifindex, false);
	}
	watches_deinit(&s->watches);
	host_name_deinit(&s->host_name);
	store_deinit(&s->store);
	if (s->witness_fd >= 0)
		(void)close(s->witness_fd);
	frames_host_deinit(&s->frames_host);
	netlink_free(s->netlink);
	netlink_free(s->links);
	supervisor_close_logs(s);
	instance_deinit(&s->instance);
	configuration_deinit(&s->configuration);
	free(s->descriptions);
}

int supervisor_main(const struct options *options)
{
	struct supervisor *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return ROLE_EXIT_FAILURE;
	/* The threads that load programs would each keep a heap. */
	(void)mallopt(M_ARENA_MAX, 1);
	s->options = options;
	s->instance = INSTANCE_NULL(s->instance);
	s->syslog = SYSLOG_NULL(s->syslog);
	s->fast_start = FAST_START_NULL(s->fast_start);
	s->launcher = LAUNCHER_NULL(s->launcher);
	s->store = STORE_NULL(s->store);
	s->frames = FRAMES_NULL(s->frames);
	for (uint32_t calf = 0; calf < FRAME_CALVES_MAX; calf++)
		s->taps[calf] = TAP_NULL(s->taps[calf]);
	s->watches = WATCHES_NULL(s->watches);
	s->host_name = HOST_NAME_NULL(s->host_name);
	s->signal_fd = s->stop_fd = s->cgroup_fd = s->chrony.ask_fd = s->audit_fd = -1;
	s->secrets.ask_fd = -1;
	s->witness_fd = -1;
	s->self_program = s->gateway_program = s->loaded_fd = s->watcher_report_fd = -1;
	s->started_ns = loop_now_ns();
	loop_init(&s->loop);
	r = caller_leave(options);
	if (!r)
		r = supervisor_start(s);
	if (!r) {
		r = loop_run(&s->loop);
		supervisor_stop(s, false);
	} else {
		supervisor_stop(s, true);
	}
	if (r == -ECANCELED) {
		log_info("stopped by a signal during the start");
		r = 0;
	}
	free(s);
	return r ? ROLE_EXIT_FAILURE : ROLE_EXIT_OK;
}
