/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the role that reads a calf's bytes. It holds the gate program of that calf's
 * subject and nothing else of value: an attacker can make it do only what the calf
 * may do anyway. It needs no file system: the calf's keys are passed in a sealed
 * memfd. It reads the first byte from the calf after it has dropped its rights.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "userspace/common/clock.h"
#include "userspace/common/gate.h"
#include "userspace/common/log.h"
#include "userspace/common/loop.h"
#include "userspace/common/ring.h"
#include "userspace/common/syslog.h"
#include "userspace/priv/confine/confine.h"
#include "userspace/priv/gateway/connection.h"
#include "userspace/priv/gateway/log.h"
#include "userspace/priv/gateway/request.h"
#include "userspace/priv/key_table.h"
#include "userspace/priv/roles.h"

#define LOG_READ_SIZE 4096
#define TICK_NS NS_PER_S
#define RETRY_NS 50000000ull
#define LOG_READS_AT_END 32 /* enough for two full pipes */
/* For what waits when the gateway ends; the supervisor waits longer. */
#define SYSLOG_END_NS (150 * NS_PER_MS)

struct gateway {
	struct loop loop;
	const struct key_table *table;
	struct gateway_responder responder;
	struct gateway_connection connection;
	struct gateway_log log;
	struct gateway_log_line lines[2]; /* of GATEWAY_FD_STDOUT and _STDERR */
	struct loop_timer log_timer, tick_timer, retry_timer;
	bool has_ring;
	struct ring ring;
	int supervisor_fd; /* pidfd */
	struct syslog syslog;
	int exit_code; /* enum role_exit */
};

static int store_read(void *data, const char *path, struct kv_value *valuep)
{
	(void)data;
	return gate_read(GATEWAY_FD_GATE, path, valuep);
}

static int store_batch(void *data, const struct batch *batch, struct batch_results *results)
{
	(void)data;
	return gate_batch(GATEWAY_FD_GATE, batch, results);
}

static int store_commit(void *data, const struct commit *commit, uint64_t *revisionp,
			uint32_t *i_refusedp)
{
	(void)data;
	return gate_commit(GATEWAY_FD_GATE, commit, revisionp, i_refusedp);
}

static int store_list(void *data, const char *directory, struct gate_page *page)
{
	(void)data;
	return gate_list(GATEWAY_FD_GATE, directory, page);
}

static int store_watch(void *data, enum gate_watch operation, uint64_t *revisionp,
		       uint64_t *n_lostp)
{
	(void)data;
	return gate_watch(GATEWAY_FD_GATE, operation, revisionp, n_lostp);
}

/* The result is ignored: notes may be lost. */
static void store_note_denial(void *data, enum kv_verb verb, const char *path, int verdict)
{
	(void)data;
	(void)gate_note_denial(GATEWAY_FD_GATE, verb, path, verdict);
}

struct taker {
	gateway_record_fn take;
	void *data;
};

static int on_record(void *data, const void *record, size_t size)
{
	const struct taker *taker = data;

	return taker->take(taker->data, record, size) ? 1 : 0;
}

static bool store_consume(void *data, gateway_record_fn take, void *take_data)
{
	struct gateway *gateway = data;
	struct taker taker = { take, take_data };

	/* Losses of a damaged ring show as a gap in its sequence numbers. */
	return !gateway->has_ring || ring_consume(&gateway->ring, on_record, &taker) != 1;
}

static const struct gateway_store kernel_store = {
	.read = store_read,
	.batch = store_batch,
	.commit = store_commit,
	.list = store_list,
	.watch = store_watch,
	.note_denial = store_note_denial,
	.consume = store_consume,
};

/* Returns true if the pipe has ended. */
static bool read_log(struct gateway *gateway, int fd)
{
	struct gateway_log_line *line = &gateway->lines[fd - GATEWAY_FD_STDOUT];
	uint64_t now_ns = gateway->loop.now_ns();
	char bytes[LOG_READ_SIZE];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (n > 0) {
		gateway_log_feed(&gateway->log, line, bytes, (size_t)n, now_ns);
		return false;
	}
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	gateway_log_end(&gateway->log, line, now_ns);
	return true;
}

static int on_log(struct loop *loop, int fd, short revents, void *data)
{
	struct gateway *gateway = data;

	(void)revents;
	if (read_log(gateway, fd))
		loop_remove_fd(loop, fd);
	loop_timer_set(&gateway->log_timer, gateway_log_deadline(&gateway->log));
	return 0;
}

static int on_log_timer(struct loop *loop, uint64_t now_ns, void *data)
{
	struct gateway *gateway = data;

	(void)loop;
	gateway_log_tick(&gateway->log, now_ns);
	loop_timer_set(&gateway->log_timer, gateway_log_deadline(&gateway->log));
	return 0;
}

static void set_timer(struct gateway *gateway, struct loop_timer *timer, bool is_needed,
		      uint64_t after_ns)
{
	if (!is_needed)
		loop_timer_set(timer, LOOP_NEVER);
	else if (timer->deadline_ns == LOOP_NEVER)
		loop_timer_set(timer, gateway->loop.now_ns() + after_ns);
}

/* Set the events and timers to wait for. */
static void resume_reading(struct gateway *gateway)
{
	const struct gateway_connection *connection = &gateway->connection;

	loop_set_events(&gateway->loop, GATEWAY_FD_CONTROL, gateway_connection_events(connection));
	if (gateway->has_ring)
		loop_set_events(&gateway->loop, GATEWAY_FD_RING,
				gateway_connection_ring_events(connection));
	set_timer(gateway, &gateway->tick_timer, gateway_connection_needs_tick(connection),
		  TICK_NS);
	set_timer(gateway, &gateway->retry_timer, gateway_connection_needs_retry(connection),
		  RETRY_NS);
}

/* Handle the result `r` of a step of the connection. */
static int end_step(struct gateway *gateway, int r)
{
	if (r == GATEWAY_GOES_ON) {
		resume_reading(gateway);
		return 0;
	}
	gateway->loop.stop = true;
	if (r == GATEWAY_CLOSED) {
		gateway->exit_code = ROLE_EXIT_EOF;
	} else if (r == GATEWAY_FAILED) {
		log_error("gateway: control socket failed: %s", strerrorname_np(errno));
		gateway->exit_code = ROLE_EXIT_FAILURE;
	} else if (r == GATEWAY_STALLED) {
		log_error("gateway: the calf has not read its responses for %d s; disconnecting it",
			  GATEWAY_STALLED_TICKS);
		gateway->exit_code = ROLE_EXIT_MALFORMED;
	} else {
		log_error("gateway: malformed message after %" PRIu64
			  " requests: %s; disconnecting the calf",
			  gateway->connection.n_served, strerrorname_np(-r));
		gateway->exit_code = ROLE_EXIT_MALFORMED;
	}
	return 0;
}

static int on_control(struct loop *loop, int fd, short revents, void *data)
{
	struct gateway *gateway = data;

	(void)loop;
	(void)fd;
	(void)revents;
	return end_step(gateway, gateway_connection_step(&gateway->connection));
}

static int on_ring(struct loop *loop, int fd, short revents, void *data)
{
	struct gateway *gateway = data;

	(void)loop;
	(void)fd;
	(void)revents;
	return end_step(gateway, gateway_connection_push(&gateway->connection));
}

static int on_tick(struct loop *loop, uint64_t now_ns, void *data)
{
	struct gateway *gateway = data;

	(void)loop;
	(void)now_ns;
	return end_step(gateway, gateway_connection_tick(&gateway->connection));
}

static int on_retry(struct loop *loop, uint64_t now_ns, void *data)
{
	struct gateway *gateway = data;

	(void)loop;
	(void)now_ns;
	return end_step(gateway, gateway_connection_retry(&gateway->connection));
}

/*
 * The supervisor exited. PR_SET_PDEATHSIG does not work here: the kernel checks
 * whether the dying parent may send the signal, and a supervisor without CAP_KILL may
 * not send one to another uid. So the gateway polls the supervisor's pidfd.
 */
static int on_supervisor_end(struct loop *loop, int fd, short revents, void *data)
{
	(void)fd;
	(void)revents;
	(void)data;
	loop->stop = true;
	return 0;
}

/* Read what is left in the log pipes: it may explain why the calf exited. */
static void read_last_words(struct gateway *gateway)
{
	struct pollfd pipes[] = {
		{ .fd = GATEWAY_FD_STDOUT, .events = POLLIN },
		{ .fd = GATEWAY_FD_STDERR, .events = POLLIN },
	};
	static const struct timespec no_wait;

	for (int i = 0; i < LOG_READS_AT_END && ppoll(pipes, 2, &no_wait, NULL) > 0; i++)
		for (int j = 0; j < 2; j++)
			if (pipes[j].revents && read_log(gateway, pipes[j].fd))
				pipes[j].fd = -1;
	for (int j = 0; j < 2; j++)
		gateway_log_end(&gateway->log, &gateway->lines[j], gateway->loop.now_ns());
	gateway_log_finish(&gateway->log);
}

static int watch_descriptors(struct gateway *gateway)
{
	int r = loop_add_fd(&gateway->loop, GATEWAY_FD_CONTROL, POLLIN, on_control, gateway);

	if (!r && gateway->has_ring)
		r = loop_add_fd(&gateway->loop, GATEWAY_FD_RING, 0, on_ring, gateway);
	if (!r)
		r = loop_add_fd(&gateway->loop, GATEWAY_FD_STDOUT, POLLIN, on_log, gateway);
	if (!r)
		r = loop_add_fd(&gateway->loop, GATEWAY_FD_STDERR, POLLIN, on_log, gateway);
	if (!r)
		r = loop_add_fd(&gateway->loop, gateway->supervisor_fd, POLLIN, on_supervisor_end,
				gateway);
	if (!r)
		r = loop_add_timer(&gateway->loop, &gateway->log_timer, on_log_timer, gateway);
	if (!r)
		r = loop_add_timer(&gateway->loop, &gateway->tick_timer, on_tick, gateway);
	if (!r)
		r = loop_add_timer(&gateway->loop, &gateway->retry_timer, on_retry, gateway);
	return r;
}

/* Everything below runs confined. */
static int serve(struct gateway *gateway)
{
	int r;

	loop_init(&gateway->loop);
	gateway_log_init(&gateway->log, gateway->table->name, gateway->table->log_bytes_per_second,
			 gateway->table->log_burst);
	gateway_responder_init(&gateway->responder, gateway->table, &kernel_store, gateway);
	gateway_connection_init(&gateway->connection, &gateway->responder, GATEWAY_FD_CONTROL);
	r = watch_descriptors(gateway);
	if (!r)
		r = syslog_watch(&gateway->syslog, &gateway->loop);
	if (!r)
		r = loop_run(&gateway->loop);
	if (gateway->responder.watches.n > 0)
		(void)gate_watch(GATEWAY_FD_GATE, GATE_WATCH_END, NULL, NULL);
	if (r < 0) {
		log_error("gateway: event loop: %s", strerrorname_np(-r));
		return ROLE_EXIT_FAILURE;
	}
	read_last_words(gateway);
	return gateway->exit_code;
}

static int open_keys(struct gateway *gateway)
{
	int r = key_table_map(GATEWAY_FD_KEYS, &gateway->table);

	if (r == -EPROTO)
		log_error("gateway: version does not match calfpen-priv; reinstall both");
	else if (r < 0)
		log_error("gateway: cannot map the calf's keys: %s", strerrorname_np(-r));
	close(GATEWAY_FD_KEYS);
	return r;
}

/* Map the ring while that is still allowed. Without a ring the calf may not watch
 * anything. */
static int open_ring(struct gateway *gateway)
{
	struct stat status;
	int r;

	if (fstat(GATEWAY_FD_RING, &status) < 0 || S_ISCHR(status.st_mode))
		return 0;
	r = ring_open(&gateway->ring, GATEWAY_FD_RING);
	if (r < 0)
		log_error("gateway: cannot map the event ring: %s", strerrorname_np(-r));
	gateway->has_ring = !r;
	return r;
}

/* Returns an exit code. */
static int run(struct gateway *gateway)
{
	if (open_ring(gateway) < 0)
		return ROLE_EXIT_FAILURE;
	gateway->supervisor_fd = pidfd_open(getppid(), 0);
	if (gateway->supervisor_fd < 0) {
		log_error("gateway: cannot open the supervisor's pidfd: %s",
			  strerrorname_np(errno));
		return ROLE_EXIT_FAILURE;
	}
	if (confine_enter(ROLE_GATEWAY, gateway->table->uid, gateway->table->uid, false) < 0)
		return ROLE_EXIT_CONFINE;
	return serve(gateway);
}

int gateway_main(void)
{
	static struct gateway gateway;
	int code;

	/* A closed log must not end the gateway. */
	signal(SIGPIPE, SIG_IGN);
	if (open_keys(&gateway) < 0)
		return ROLE_EXIT_FAILURE;
	log_init(gateway.table->name, STDERR_FILENO,
		 gateway.table->verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	if (syslog_inherit(&gateway.syslog, GATEWAY_FD_SYSLOG, GATEWAY_FD_SYSLOG_ASK,
			   gateway.table->instance) < 0)
		return ROLE_EXIT_FAILURE;
	code = run(&gateway);
	syslog_close(&gateway.syslog, SYSLOG_END_NS);
	return code;
}
