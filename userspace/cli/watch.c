/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: calfpen watch
 *
 * Any number of processes watch an instance; they read the operator's ring
 * together (watch_ring.h). Nothing is lost silently: after a gap in the ring, or
 * after a supervisor has recreated its maps, the watch prints `resync` and the
 * complete state again. A loss shows in the sequence numbers, or, if no record
 * follows it, in the gate's count. The gate is asked for that at most once a second,
 * and when so much was read at once that the ring may have been full: all watches
 * share the operator's rate with everything else that the operator does.
 */
#include "userspace/cli/watch.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "userspace/cli/state.h"
#include "userspace/cli/watch_ring.h"
#include "userspace/common/clock.h"
#include "userspace/common/gate.h"

#define IDLE_MS 1000
#define MAX_MISSING 10 /* a restart may take this many times IDLE_MS */
#define MAX_REPLACED 2 /* wait once more: the supervisor pins before it is ready */

struct watch {
	struct cli *cli;
	const char *prefix;
	int gate;
	uint32_t gate_id, ring_id; /* kernel ids of the open gate and ring */
	struct watch_ring ring;
	uint64_t n_lost; /* the gate's counter when the state was listed */
	uint64_t ask_ns; /* CLOCK_MONOTONIC; when to ask for it again */
	int n_missing;	 /* how many times in a row nothing was pinned */
	int n_replaced;	 /* how many times in a row other objects were pinned */
	int code;	 /* exit code */
	struct watch_view view;
	struct watch_output output;
};

/* End the watch with this exit code. */
static int fail(struct watch *watch, int code)
{
	watch->code = code;
	return WATCH_STOPPED;
}

static int on_record(void *data, const void *record, size_t size)
{
	struct watch *watch = data;

	return watch_view_record(&watch->view, &watch->output, record, size);
}

static uint32_t program_id(int fd)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) < 0 ? 0 : info.id;
}

static uint32_t map_id(int fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) < 0 ? 0 : info.id;
}

static void close_gate(struct watch *watch)
{
	watch_ring_close(&watch->ring);
	if (watch->gate >= 0)
		close(watch->gate);
	watch->gate = -1;
}

static int lock_ring(struct watch *watch)
{
	const struct cli *cli = watch->cli;
	char path[PATH_MAX];
	int r;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s/" INSTANCE_WATCH_LOCK, cli->run_root,
			     cli->instance) >= sizeof(path))
		return fail(watch, cli_fail(cli, "%s: path too long", cli->run_root));
	r = watch_ring_lock(&watch->ring, path);
	if (r == -EMFILE)
		return fail(watch, cli_fail(cli, "too many processes watch files or instances; end "
						 "some, or raise fs.inotify.max_user_instances"));
	if (r == -EBUSY)
		return fail(watch, cli_fail(cli, "%s: locked by another process", path));
	return r < 0 ? fail(watch, cli_fail(cli, "%s: %s", path, strerror(-r))) : 0;
}

/* Open the gate and the ring that are pinned now. */
static int open_gate(struct watch *watch)
{
	int fd, r = lock_ring(watch);

	if (r < 0)
		return r;
	watch->gate = cli_open_gate(watch->cli);
	if (watch->gate < 0)
		return fail(watch, -watch->gate);
	fd = cli_store_open_ring(watch->cli);
	if (fd == -ENOENT)
		return fail(watch,
			    cli_explain_gate(watch->cli, "", "watch", watch->prefix, -EACCES));
	if (fd < 0)
		return fail(watch, cli_explain_store(watch->cli, fd));
	watch->n_replaced = 0;
	watch->gate_id = program_id(watch->gate);
	watch->ring_id = map_id(fd);
	r = watch_ring_open(&watch->ring, fd);
	if (r < 0)
		return fail(watch,
			    cli_fail(watch->cli, "cannot map the event ring: %s", strerror(-r)));
	return 0;
}

/* Check whether the gate or the ring was replaced. Returns 1 if so, 0 if not, or
 * negative if the watch ends. */
static int is_replaced(struct watch *watch)
{
	int ring = cli_store_open_ring(watch->cli), gate = cli_store_open_gate(watch->cli);
	uint32_t ring_id = ring >= 0 ? map_id(ring) : 0;
	uint32_t gate_id = gate >= 0 ? program_id(gate) : 0;

	if (ring >= 0)
		close(ring);
	if (gate >= 0)
		close(gate);
	if (ring_id != 0 && gate_id != 0) {
		watch->n_missing = 0;
		if (ring_id == watch->ring_id && gate_id == watch->gate_id)
			watch->n_replaced = 0;
		else
			watch->n_replaced++;
		return watch->n_replaced == MAX_REPLACED;
	}
	if (++watch->n_missing < MAX_MISSING)
		return 0;
	return fail(watch, cli_fail(watch->cli, "instance %s is gone", watch->cli->instance));
}

static int request_watch(struct watch *watch, enum gate_watch operation, uint64_t *revisionp,
			 uint64_t *n_lostp)
{
	int n_tries = 0, r;

	do {
		r = gate_watch(watch->gate, operation, revisionp, n_lostp);
	} while (cli_is_worth_waiting(r, &n_tries));
	if (r < 0)
		return fail(watch, cli_explain_gate(watch->cli, "", "watch", watch->prefix, r));
	return 0;
}

/* Read the types of the calves that run now. Without them nothing is marked. */
static void load_types(struct watch *watch)
{
	int unread;
	json_t *state = cli_state_load(watch->cli, &unread);

	cli_types_deinit(&watch->view.types);
	cli_types_init(&watch->view.types, state);
	json_decref(state);
}

/* Start over: skip what is in the ring, list the keys, and get the revision that
 * the ring covers by then. */
static int list_state(struct watch *watch)
{
	uint64_t begun, synced, n_lost;
	struct cli_key *keys;
	int n_keys, r;

	load_types(watch);
	do {
		r = watch_wait(&watch->output, -1, -1, 0);
		if (r < 0)
			return r;
		watch_ring_skip(&watch->ring);
		r = request_watch(watch, GATE_WATCH_BEGIN, &begun, &watch->n_lost);
		if (r < 0)
			return r;
		n_keys = cli_list(watch->gate, watch->view.directory, &keys);
		if (n_keys < 0)
			return fail(watch, cli_explain_gate(watch->cli, "", "list", watch->prefix,
							    n_keys));
		watch_view_begin(&watch->view, keys, (size_t)n_keys, begun, 0);
		r = request_watch(watch, GATE_WATCH_ASK, &synced, &n_lost);
		if (r < 0)
			return r;
		watch->view.synced = synced;
	} while (n_lost != watch->n_lost);
	watch->ask_ns = clock_now_ns(CLOCK_MONOTONIC) + IDLE_MS * NS_PER_MS;
	return 0;
}

/* Ask the gate whether the ring was full, if it is time to. Returns 0, 1 if records
 * were lost, or negative. */
static int check_losses(struct watch *watch)
{
	uint64_t now_ns = clock_now_ns(CLOCK_MONOTONIC), n_lost;
	int r;

	if (!watch->ring.is_suspect && now_ns < watch->ask_ns)
		return 0;
	r = request_watch(watch, GATE_WATCH_ASK, NULL, &n_lost);
	if (r < 0)
		return r;
	watch->ring.is_suspect = false;
	watch->ask_ns = now_ns + IDLE_MS * NS_PER_MS;
	return n_lost != watch->n_lost;
}

/* Process the records in the ring. Returns 0, 1 if a record is missing, or
 * negative. */
static int drain(struct watch *watch)
{
	int r = watch_ring_read(&watch->ring, on_record, watch);

	if (r)
		return r;
	if (watch->view.is_lost)
		return 1;
	r = check_losses(watch);
	if (r)
		return r;
	r = watch_view_announce(&watch->view, &watch->output);
	return r < 0 ? r : watch_flush(&watch->output);
}

/* Print the state and the changes after it. Returns 0 if the state must be listed
 * again, or negative. */
static int follow(struct watch *watch)
{
	int r = list_state(watch);

	while (!r) {
		r = drain(watch);
		if (r)
			return r < 0 ? r : 0;
		r = watch_wait(&watch->output, watch->ring.fd, watch->ring.bell, IDLE_MS);
		if (r == 1)
			r = is_replaced(watch);
	}
	if (r < 0)
		return r;
	close_gate(watch);
	return open_gate(watch);
}

static int run(struct watch *watch)
{
	int r = open_gate(watch);

	/* Go on if it is dead: the next start of the instance continues with this store. */
	if (!r)
		(void)cli_note_dead(watch->cli, CLI_OK);
	while (!r) {
		r = follow(watch);
		if (!r && watch->view.is_announced) {
			watch->view.from = 0; /* from now on the complete state */
			r = watch_put_resync(&watch->output);
		}
	}
	if (r == WATCH_STOPPED || r == -EPIPE)
		return watch->code;
	return cli_fail(watch->cli, "cannot write: %s", strerror(-r));
}

/* Run with the terminating signals as a descriptor, and SIGPIPE ignored. */
static int run_with_signals(struct watch *watch)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old_action;
	struct signalfd_siginfo taken;
	sigset_t signals, old_signals;
	int r;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, &old_signals);
	sigaction(SIGPIPE, &ignore, &old_action);
	watch->output.signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (watch->output.signal_fd < 0) {
		r = cli_fail(watch->cli, "cannot wait for signals: %m");
	} else {
		r = run(watch);
		/* discard the signals, or unblocking them would kill us */
		while (read(watch->output.signal_fd, &taken, sizeof(taken)) > 0)
			;
		close(watch->output.signal_fd);
	}
	sigaction(SIGPIPE, &old_action, NULL);
	sigprocmask(SIG_SETMASK, &old_signals, NULL);
	return r;
}

int cli_watch(struct cli *cli, const char *prefix)
{
	char directory[KV_PATH_SIZE];
	struct watch *watch;
	int r;

	if (!cli_directory(prefix, directory))
		return cli_invalid_path(cli, "", prefix);
	r = cli_choose_instance(cli);
	if (r != CLI_OK)
		return r;
	watch = calloc(1, sizeof(*watch));
	if (!watch)
		return cli_fail(cli, "%m");
	watch->cli = cli;
	watch->prefix = prefix;
	watch->gate = -1;
	watch->ring = WATCH_RING_NULL(watch->ring);
	watch->view.directory = directory;
	watch->view.from = cli->from;
	watch->output.file = cli->out;
	watch->output.fd = fileno(cli->out);
	watch->output.json = cli->json;
	fflush(cli->out);
	r = run_with_signals(watch);
	close_gate(watch);
	watch_view_deinit(&watch->view);
	free(watch);
	return r;
}
