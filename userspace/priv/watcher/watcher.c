/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the watcher applies the store to the host. It lists the store at start
 * (a key that is absent is unconfigured), then follows the change ring; after a
 * gap in it, it lists the store again. It applies all records in the ring, makes
 * one pass over the handlers they concern, then writes the records to the audit
 * log, and only then releases them from the ring (ring.c). It saves the keys that
 * must survive a reboot to a file. It learns by netlink events what other programs
 * change on the uplink. It reads no byte from the network.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maps/pins.h"
#include "userspace/common/backoff.h"
#include "userspace/common/log.h"
#include "userspace/priv/confine/confine.h"
#include "userspace/priv/handlers/all.h"
#include "userspace/priv/handlers/shared.h"
#include "userspace/priv/netlink/netlink.h"
#include "userspace/priv/roles.h"
#include "userspace/priv/watcher/chrony.h"
#include "userspace/priv/watcher/list.h"
#include "userspace/priv/watcher/watcher-private.h"

/* Rounds over lists and events, at most, until nothing is left to do. */
#define RECONCILE_ROUNDS 8
/* For what waits for slow readers when the watcher exits; the supervisor waits longer. */
#define FLUSH_NS (200 * NS_PER_MS)

_Static_assert(HANDLERS_ALL_N <= RECONCILE_HANDLERS_MAX, "a reconciler has room for each handler");

/* state */

static void list(struct watcher *watcher)
{
	uint64_t now_ns = watcher->loop.now_ns();
	int r;

	if (now_ns < watcher->list_ns)
		return;
	r = watcher_list(&watcher->wanted, WATCHER_FD_GATE, WATCHER_FD_KV, WATCHER_FD_CTL);
	if (r) {
		if (!watcher->n_list_failures++)
			log_error("cannot list the store: %s; retrying", strerror(-r));
		watcher->list_ns = now_ns + backoff_ns(watcher->n_list_failures, BACKOFF_MIN_NS,
						       BACKOFF_MAX_NS);
		return;
	}
	log_debug("listed %" PRIu32 " keys as of revision %" PRIu64, watcher->wanted.n_keys,
		  watcher->wanted.revision);
	watcher->n_list_failures = 0;
	watcher->list_ns = 0;
	watcher->must_list = false;
	watcher_status_load(watcher);
	reconcile_mark_all(&watcher->reconciler);
	watcher_persist_mark_all(&watcher->persist, &watcher->wanted);
}

static void on_refusal(void *data, const char *path, const char *reason, bool is_used)
{
	struct watcher *watcher = data;

	watcher_ring_audit(watcher); /* the change precedes its refusal in the log */
	watcher_audit_refusal(&watcher->audit, &watcher->wanted, path, reason, is_used);
}

/* The handlers of what the instances of a host share. */
static void mark_shared(struct watcher *watcher)
{
	reconcile_mark_path(&watcher->reconciler, "/nameserver/");
	reconcile_mark_path(&watcher->reconciler, "/hostname");
	reconcile_mark_path(&watcher->reconciler, "/ntp/");
	reconcile_mark_path(&watcher->reconciler, "/captive-portal");
}

/* If a lease is over that the shared files were composed from, of this instance or
 * another one, compose them again: the process that would do it may be dead. */
static void mark_ended(struct watcher *watcher, uint64_t now_ns)
{
	uint64_t *next_ns = &watcher->handlers.shared.next_end_ns;

	if (!*next_ns || now_ns < *next_ns)
		return;
	*next_ns = 0;
	mark_shared(watcher);
}

static void run_handlers(struct watcher *watcher)
{
	watcher->context.now_ns = watcher->loop.now_ns();
	if (shared_renew(&watcher->context, &watcher->wanted))
		mark_shared(watcher);
	reconcile_run(&watcher->reconciler, &watcher->context, &watcher->wanted);
}

static void repair(struct watcher *watcher)
{
	if (!watcher->must_repair)
		return;
	watcher->must_repair = false;
	watcher->context.now_ns = watcher->loop.now_ns();
	reconcile_repair(&watcher->reconciler, &watcher->context, &watcher->wanted);
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* A refusal that the audit log did not take is found again by its handler. */
static void repeat_refusals(struct watcher *watcher)
{
	struct watcher_audit *audit = &watcher->audit;

	if (!audit->must_repeat || audit->retry_ns > watcher->loop.now_ns())
		return;
	audit->must_repeat = false;
	reconcile_mark_all(&watcher->reconciler);
}

/* The supervisor saves secrets, because their text is not for this process. */
static void tell_secrets(struct watcher *watcher)
{
	if (watcher_persist_take_told(&watcher->persist) && eventfd_write(WATCHER_FD_SECRETS, 1))
		log_debug("cannot tell the supervisor that a secret has changed: %m");
}

/* Repeat until the store, our copy of it and the host agree, or until there is
 * something to wait for. */
static void reconcile(struct watcher *watcher)
{
	uint64_t next_ns, save_ns = UINT64_MAX, check_ns = UINT64_MAX, macs_ns = UINT64_MAX;
	uint64_t carrier_ns = UINT64_MAX, audit_ns, poll_ns;

	repeat_refusals(watcher);
	for (unsigned int i = 0; i < RECONCILE_ROUNDS; i++) {
		watcher_ring_look(watcher);
		/* An ACK is recorded before the calf can commit its lease. */
		watcher_witness_read(watcher);
		watcher_host_drain(&watcher->host);
		carrier_ns = watcher_host_carrier(&watcher->host, watcher->loop.now_ns());
		if (watcher->must_list) {
			list(watcher);
			if (watcher->must_list)
				break;
			continue;
		}
		repair(watcher);
		check_ns =
			watcher_host_check(&watcher->host, &watcher->wanted, watcher->loop.now_ns);
		if (!reconcile_is_marked(&watcher->reconciler))
			break;
		run_handlers(watcher);
	}
	/* also after a change that concerns no handler */
	if (!watcher->must_list)
		watcher_filter_tell(watcher);
	watcher_ring_audit(watcher);
	audit_ns = watcher_audit_retry(&watcher->audit, watcher->loop.now_ns());
	if (!watcher->must_list) {
		save_ns = watcher_persist_run(&watcher->persist, &watcher->wanted,
					      watcher->audit.wall_offset_ns, watcher->loop.now_ns);
		tell_secrets(watcher);
		watcher_status_write(watcher);
		macs_ns = link_macs_write(&watcher->host.macs, watcher->context.netlink,
					  &watcher->wanted, &watcher->commit,
					  watcher->loop.now_ns());
	}
	poll_ns = watcher_ring_poll(watcher);
	next_ns = earliest(reconcile_next_retry(&watcher->reconciler), save_ns);
	next_ns = earliest(next_ns, check_ns);
	next_ns = earliest(next_ns, macs_ns);
	next_ns = earliest(next_ns, carrier_ns);
	next_ns = earliest(next_ns, audit_ns);
	next_ns = earliest(next_ns, poll_ns);
	if (watcher->handlers.shared.next_end_ns)
		next_ns = earliest(next_ns, watcher->handlers.shared.next_end_ns);
	/* After a failure all of /status waits until status_ns, also metrics that are due. */
	next_ns = earliest(next_ns, watcher->status_ns ?
					    watcher->status_ns :
					    reconcile_next_metrics(&watcher->reconciler));
	if (watcher->must_list)
		next_ns = earliest(watcher->list_ns, poll_ns);
	next_ns = earliest(next_ns, link_key_write(&watcher->host.key, watcher->loop.now_ns()));
	loop_timer_set(&watcher->timer, next_ns);
}

static int on_readable(struct loop *loop, int fd, short revents, void *data)
{
	(void)loop;
	(void)fd;
	(void)revents;
	reconcile(data);
	return 0;
}

static int on_chrony(struct loop *loop, int fd, short revents, void *data)
{
	struct watcher *watcher = data;

	if (watcher_chrony_take(&watcher->context)) {
		reconcile_mark_path(&watcher->reconciler, "/ntp/");
		reconcile(watcher);
	}
	if (revents & (POLLHUP | POLLERR)) /* the supervisor exited */
		loop_remove_fd(loop, fd);
	return 0;
}

static int on_timer(struct loop *loop, uint64_t now_ns, void *data)
{
	struct watcher *watcher = data;

	(void)loop;
	reconcile_mark_due(&watcher->reconciler, now_ns);
	mark_ended(watcher, now_ns);
	reconcile(watcher);
	return 0;
}

static int on_signal(struct loop *loop, int fd, short revents, void *data)
{
	struct watcher *watcher = data;
	struct signalfd_siginfo info;

	(void)revents;
	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) {
			loop->stop = true;
		} else if (info.ssi_signo != SIGUSR1 && !audit_reopen(&watcher->audit.log)) {
			if (watcher->audit.log.path)
				log_info("reopened the audit log");
			reconcile(watcher); /* for the status */
		}
	}
	return 0;
}

/* Shut down: save what is not saved yet, apply what is left in the ring (a calf may
 * have released its lease), and restore the operator's files if the lease is over.
 * Save first, because a handler may have to wait for the lock of another instance,
 * and the supervisor waits for us only a second. */
static void finish(struct watcher *watcher)
{
	watcher_ring_look(watcher);
	if (watcher->must_list)
		list(watcher);
	watcher_ring_look(watcher);
	watcher_ring_audit(watcher);
	if (watcher->must_list)
		return; /* the wanted state is not known */
	watcher_status_set_running(watcher, false);
	watcher_status_write(watcher);
	watcher_ring_look(watcher);
	watcher_ring_audit(watcher);
	watcher_persist_finish(&watcher->persist, &watcher->wanted, watcher->audit.wall_offset_ns,
			       watcher->loop.now_ns);
	watcher->context.is_running = false;
	watcher_witness_read(watcher);
	mark_shared(watcher);
	run_handlers(watcher);
}

/* start: everything that needs more rights than the watcher keeps */

static int open_signals(struct watcher *watcher)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigaddset(&set, SIGUSR2);
	if (sigprocmask(SIG_SETMASK, &set, NULL) < 0)
		return -errno;
	watcher->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return watcher->signal_fd < 0 ? -errno : 0;
}

static int open_rings(struct watcher *watcher)
{
	int r = ring_open(&watcher->events, WATCHER_FD_EVENTS);

	if (!r)
		r = ring_open(&watcher->denials, WATCHER_FD_DENIALS);
	if (!r)
		r = loop_add_fd(&watcher->loop, WATCHER_FD_EVENTS, POLLIN, on_readable, watcher);
	if (!r)
		r = loop_add_fd(&watcher->loop, WATCHER_FD_DENIALS, POLLIN, on_readable, watcher);
	return r;
}

static int open_host(struct watcher *watcher)
{
	int r = watcher_host_init(&watcher->host, watcher->options->uplink,
				  watcher->loaded.configuration, &watcher->context,
				  &watcher->reconciler);

	if (!r)
		r = loop_add_fd(&watcher->loop, watcher->host.files.fd, POLLIN, on_readable,
				watcher);
	if (r)
		return r;
	watcher_host_find(&watcher->host, (int)watcher->options->uplink_ifindex);
	return loop_add_fd(&watcher->loop, netlink_fd(watcher->host.events), POLLIN, on_readable,
			   watcher);
}

static int watcher_init(struct watcher *watcher)
{
	int r = watcher_open(watcher);

	if (r)
		return r; /* logged */
	loop_init(&watcher->loop);
	watcher->context.state = &watcher->handlers;
	watcher->context.options = &watcher->loaded.configuration->handlers;
	watcher->context.subjects = watcher->audit.subjects;
	watcher->context.instance = watcher->options->instance;
	watcher->context.on_refusal = on_refusal;
	watcher->context.on_refusal_data = watcher;
	watcher->context.run_root = RUN_ROOT;
	watcher->context.chrony_directory = WATCHER_CHRONY_DIRECTORY;
	watcher->context.is_running = true;
	watcher->context.takeover = watcher->options->takeover;
	watcher_chrony_init(&watcher->context);
	watcher_witness_init(watcher);
	reconcile_init(&watcher->reconciler, handlers_all, HANDLERS_ALL_N);
	watcher->reconciler.drift = watcher->loaded.configuration->drift;
	watcher_persist_init(&watcher->persist, watcher->options->state,
			     watcher->loaded.descriptions, watcher->loaded.n_descriptions);
	watcher_status_set_running(watcher, true);
	watcher->must_list = true;
	r = netlink_new(&watcher->context.netlink);
	if (!r)
		r = open_host(watcher);
	if (!r)
		r = wanted_init(&watcher->wanted, KV_KEYS_MAX + KV_KEYS_SLACK);
	if (!r)
		r = open_rings(watcher);
	if (!r)
		r = open_signals(watcher);
	if (!r)
		r = loop_add_fd(&watcher->loop, watcher->signal_fd, POLLIN, on_signal, watcher);
	if (!r)
		r = loop_add_fd(&watcher->loop, WATCHER_FD_CHRONY_RESULTS, POLLIN, on_chrony,
				watcher);
	if (!r)
		r = loop_add_timer(&watcher->loop, &watcher->timer, on_timer, watcher);
	if (!r)
		r = syslog_watch(&watcher->syslog, &watcher->loop);
	if (!r)
		audit_watch(&watcher->audit.log, &watcher->loop);
	if (r)
		log_error("cannot start: %s", strerror(-r));
	return r;
}

static void watcher_deinit(struct watcher *watcher)
{
	ring_close(&watcher->events);
	ring_close(&watcher->denials);
	if (watcher->signal_fd >= 0)
		(void)close(watcher->signal_fd);
	wanted_deinit(&watcher->wanted);
	watcher_host_deinit(&watcher->host);
	watcher->context.netlink = netlink_free(watcher->context.netlink);
	audit_close(&watcher->audit.log, FLUSH_NS);
	syslog_close(&watcher->syslog, FLUSH_NS);
}

int watcher_main(const struct options *options)
{
	static struct watcher watcher;
	int code = ROLE_EXIT_FAILURE, r;

	watcher.options = options;
	watcher_audit_init(&watcher.audit);
	watcher.syslog = SYSLOG_NULL(watcher.syslog);
	watcher.signal_fd = -1;
	(void)umask(022); /* everybody may read the directories that it makes */
	log_init("watcher", STDERR_FILENO, options->verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	if (watcher_init(&watcher))
		goto cleanup;
	if (confine_enter(ROLE_WATCHER, 0, 0, false)) {
		code = ROLE_EXIT_CONFINE;
		goto cleanup;
	}
	/* First handle the records that a previous run left in the ring: they may be
	 * what made it exit. */
	watcher_ring_look(&watcher);
	watcher_ring_audit(&watcher);
	(void)audit_retry(&watcher.audit.log); /* what waits since a previous run */
	reconcile(&watcher);
	r = loop_run(&watcher.loop);
	if (r)
		log_error("event loop: %s", strerror(-r));
	else
		code = ROLE_EXIT_OK;
	finish(&watcher);
cleanup:
	watcher_deinit(&watcher);
	return code;
}
