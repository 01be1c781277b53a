/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/supervisor/pair.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userspace/common/clock.h"
#include "userspace/common/gate.h"
#include "userspace/common/log.h"
#include "userspace/priv/container/bundle.h"
#include "userspace/priv/container/cgroup.h"
#include "userspace/priv/supervisor/child.h"
#include "userspace/priv/supervisor/report.h"
#include "userspace/priv/supervisor/subjects.h"

#define STARTER_END_NS (NS_PER_S / 4)	 /* more than it takes, unless it is stopped */
#define CALF_FOLLOWS_NS (50 * NS_PER_MS) /* from closing the connection by exiting to the exit */
#define GATEWAY_END_NS (NS_PER_S / 2)	 /* more than a gateway takes to read what is left */

_Static_assert(2 * KV_SUBJECTS_MAX <= INSTANCE_UIDS, "each subject has two uids");

uint32_t pair_gateway_uid(uint32_t uid_base, uint32_t number)
{
	return uid_base + 2 * number;
}

uint32_t pair_calf_uid(uint32_t uid_base, uint32_t number)
{
	return uid_base + 2 * number + 1;
}

static int make_keys(const struct pair *pair)
{
	const struct description *description = pair->description;
	struct key_table table = {
		.uid = pair_gateway_uid(pair->uid_base, pair->number),
		.verbose = pair->options->verbose,
		.log_bytes_per_second = description->log_bytes_per_second,
		.log_burst = description->log_burst,
		.n_keys = description->n_keys,
	};
	int fd;

	memcpy(table.name, description->name, sizeof(table.name));
	memcpy(table.instance, pair->options->instance, sizeof(table.instance));
	memcpy(table.keys, description->keys, sizeof(table.keys));
	fd = key_table_seal(&table);
	if (fd < 0)
		log_error("%s: cannot create the gateway's key table: %s", description->name,
			  strerror(-fd));
	return fd;
}

int pair_init(struct pair *pair, const struct options *options, uint32_t uid_base,
	      const struct description *description, uint32_t number, const char *directory,
	      const struct runtime *runtime, const struct pair_fds *fds)
{
	struct bundle_parameters parameters = {
		.description = description,
		.cgroup_parent = options->cgroup_parent,
		.instance = options->instance,
		.limits_cpu = cgroup_limits_cpu(options->cgroup_parent),
		.is_for_pen = runtime->is_pen,
		.uid = pair_calf_uid(uid_base, number),
	};
	int r;

	*pair = PAIR_NULL(*pair);
	pair->options = options;
	pair->description = description;
	pair->runtime = runtime;
	pair->uid_base = uid_base;
	pair->number = number;
	pair->fds = *fds;
	snprintf(pair->container, sizeof(pair->container), "calfpen-%s-%s", options->instance,
		 description->name);
	if (!parameters.limits_cpu)
		log_warning("%s: this kernel has no CPU quota for cgroups; the calf's CPU time is "
			    "not limited",
			    description->name);
	if (snprintf(pair->bundle, sizeof(pair->bundle), "%s/calf-%s", directory,
		     description->name) >= (int)sizeof(pair->bundle))
		return -ENAMETOOLONG;
	parameters.directory = pair->bundle;
	r = runtime_delete(runtime, pair->container);
	if (r)
		return r;
	pair->metrics_fd = report_create();
	if (pair->metrics_fd < 0) {
		r = pair->metrics_fd;
		log_error("%s: cannot create the metrics page: %s", description->name,
			  strerror(-r));
		return r;
	}
	pair->keys_fd = make_keys(pair);
	r = pair->keys_fd < 0 ? pair->keys_fd : bundle_write(&parameters);
	if (r)
		pair_deinit(pair);
	return r;
}

static int make_channels(struct pair_channels *channels)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, channels->control) ||
	    pipe2(channels->log_stdout, O_NONBLOCK | O_CLOEXEC) ||
	    pipe2(channels->log_stderr, O_NONBLOCK | O_CLOEXEC) ||
	    pipe2(channels->go, O_NONBLOCK | O_CLOEXEC))
		return -errno;
	return 0;
}

/* The runtime may have made the calf's ends block: Go does so with files that it
 * passes on. A calf must not wait for its gateway. */
static void keep_nonblocking(const struct pair_channels *channels)
{
	const int ends[] = { channels->log_stdout[1], channels->log_stderr[1] };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		(void)fcntl(ends[i], F_SETFL, O_NONBLOCK);
}

static void close_channels(struct pair_channels *channels)
{
	int *ends[] = { channels->control, channels->log_stdout, channels->log_stderr,
			channels->go };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		for (int j = 0; j < 2; j++) {
			if (ends[i][j] >= 0)
				close(ends[i][j]);
			ends[i][j] = -1;
		}
}

static pid_t start_gateway(const struct pair *pair)
{
	const struct pair_channels *channels = &pair->channels;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const int fds[] = {
		pair->fds.gate,
		channels->control[0],
		channels->log_stdout[0],
		channels->log_stderr[0],
		pair->fds.ring >= 0 ? pair->fds.ring : null,
		pair->keys_fd,
		pair->fds.syslog >= 0 ? pair->fds.syslog : null,
		pair->fds.syslog_ask >= 0 ? pair->fds.syslog_ask : null,
	};
	char name[sizeof(pair->container)];
	/* The container's name makes the gateway recognizable in ps. */
	char *const argv[] = { (char[]){ "calfpen-gateway" }, name, NULL };
	pid_t pid;

	memcpy(name, pair->container, sizeof(name));
	pid = child_start(pair->fds.gateway_program, argv, fds, sizeof(fds) / sizeof(fds[0]));

	if (null >= 0)
		close(null);
	return pid;
}

int pair_create(struct pair *pair, int (*confine)(void))
{
	struct runtime_starter_fds own;
	struct runtime_fds fds;
	pid_t pid;
	int r = make_channels(&pair->channels);

	if (!r)
		r = report_clear(pair->metrics_fd);
	if (r) {
		log_error("%s: cannot create the channels: %s", pair->description->name,
			  strerror(-r));
		close_channels(&pair->channels);
		return r;
	}
	fds = (struct runtime_fds){
		.log_stdout = pair->channels.log_stdout[1],
		.log_stderr = pair->channels.log_stderr[1],
		.frames = pair->fds.frames,
		.control = pair->channels.control[1],
		.metrics = pair->metrics_fd,
	};
	own = (struct runtime_starter_fds){ .go = pair->channels.go[0],
					    .log = pair->fds.syslog,
					    .log_ask = pair->fds.syslog_ask };
	pid = runtime_create(pair->runtime, pair->container, pair->bundle, &fds, &own, confine);
	if (pid < 0) {
		close_channels(&pair->channels);
		return pid;
	}
	pair->starter_pid = pid;
	pair->is_let_go = false;
	return 0;
}

/* The pipe has room, and it has a reader: we keep that end open. */
static void tell_starter(const struct pair *pair, char octet)
{
	(void)!write(pair->channels.go[1], &octet, 1);
}

int pair_start(struct pair *pair)
{
	int r = pair->starter_pid ? 0 : pair_create(pair, NULL);
	pid_t pid;

	if (r)
		return r;
	pid = start_gateway(pair);
	if (pid < 0) {
		pair_stop(pair);
		return pid;
	}
	pair->gateway_pid = pid;
	pair->is_let_go = true;
	tell_starter(pair, RUNTIME_GO);
	return 0;
}

int pair_started(struct pair *pair, int status)
{
	int r = runtime_started(pair->runtime, pair->container, pair->starter_pid, status,
				&pair->calf_pid);

	pair->starter_pid = 0;
	keep_nonblocking(&pair->channels);
	close_channels(&pair->channels);
	if (r)
		pair_stop(pair);
	return r;
}

bool pair_is_starting(const struct pair *pair, pid_t pid)
{
	return pair->starter_pid > 0 && runtime_pid(pair->runtime, pair->container) == pid;
}

bool pair_take_calf(struct pair *pair, int *statusp)
{
	const struct await_limit limit = await_within(&pair->runtime->limit, CALF_FOLLOWS_NS);

	return pair->calf_pid > 0 && child_wait(&pair->calf_pid, statusp, &limit);
}

static void ask_starter_to_end(const struct pair *pair)
{
	if (pair->is_let_go)
		kill(pair->starter_pid, SIGTERM);
	else
		tell_starter(pair, 0);
}

/* The container may exist afterwards. */
static void end_starter(struct pair *pair, const struct await_limit *limit)
{
	runtime_cancel(pair->starter_pid, limit);
	pair->starter_pid = 0;
	child_end(&pair->gateway_pid, pair_gateway_uid(pair->uid_base, pair->number));
}

void pair_stop(struct pair *pair)
{
	struct await_limit limit;

	if (pair->starter_pid > 0) {
		ask_starter_to_end(pair);
		limit = await_within(&pair->runtime->limit, STARTER_END_NS);
		end_starter(pair, &limit);
		(void)runtime_kill(pair->runtime, pair->container); /* logged */
	}
	close_channels(&pair->channels);
	child_end(&pair->calf_pid, pair_calf_uid(pair->uid_base, pair->number));
	/* The calf's last messages explain its exit: the gateway logs them, then exits. */
	limit = await_within(&pair->runtime->limit, GATEWAY_END_NS);
	pair_end_gateway(pair, &limit);
	/* End the watches of a gateway that was killed and could not do it itself. */
	if (pair->fds.ring >= 0)
		gate_watch(pair->fds.gate, GATE_WATCH_END, NULL, NULL);
}

void pair_ask_to_end(struct pair *pair, int supervisor_gate_fd)
{
	const struct key_rule *key;
	char path[KV_PATH_SIZE];

	if (pair->starter_pid > 0)
		ask_starter_to_end(pair);
	if (pair->calf_pid <= 0 || pair->gateway_pid <= 0)
		return;
	description_request_path(pair->description, SUBJECTS_STOP, path);
	key = description_find_key(pair->description, path);
	pair->is_asked_to_end = key && (key->access & KV_ACCESS_WATCH) &&
				!gate_write(supervisor_gate_fd, path, "1", 1, NULL);
}

void pair_end_calf(struct pair *pair, const struct await_limit *limit)
{
	if (pair->starter_pid > 0)
		end_starter(pair, limit);
	if (pair->is_asked_to_end && !child_wait(&pair->calf_pid, NULL, limit))
		log_warning("%s: the calf does not exit; killing it", pair->description->name);
	child_end(&pair->calf_pid, pair_calf_uid(pair->uid_base, pair->number));
}

void pair_end_gateway(struct pair *pair, const struct await_limit *limit)
{
	if (!child_wait(&pair->gateway_pid, NULL, limit))
		child_end(&pair->gateway_pid, pair_gateway_uid(pair->uid_base, pair->number));
}

void pair_deinit(struct pair *pair)
{
	if (pair->options) {
		pair_stop(pair);
		runtime_delete(pair->runtime, pair->container);
	}
	if (pair->keys_fd >= 0)
		close(pair->keys_fd);
	if (pair->metrics_fd >= 0) {
		close(pair->metrics_fd);
		bundle_remove(pair->bundle);
	}
	*pair = PAIR_NULL(*pair);
}
