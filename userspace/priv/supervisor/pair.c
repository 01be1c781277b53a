/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/supervisor/pair.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
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
	      const struct runtime *runtime, const struct launcher_pair_fds *fds)
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
	pair->launch.fds = *fds;
	pair->launch.fds.keys = pair->launch.fds.metrics = -1;
	pair->launch.runtime = runtime;
	pair->launch.name = description->name;
	pair->launch.container = pair->container;
	pair->launch.bundle = pair->bundle;
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
	pair->launch.fds.metrics = report_create();
	if (pair->launch.fds.metrics < 0) {
		r = pair->launch.fds.metrics;
		log_error("%s: cannot create the metrics page: %s", description->name,
			  strerror(-r));
		return r;
	}
	pair->launch.fds.keys = make_keys(pair);
	r = pair->launch.fds.keys < 0 ? pair->launch.fds.keys : bundle_write(&parameters);
	if (r)
		pair_deinit(pair);
	return r;
}

static int clear_metrics(const struct pair *pair)
{
	int r = report_clear(pair->launch.fds.metrics);

	if (r)
		log_error("%s: cannot clear the metrics page: %s", pair->description->name,
			  strerror(-r));
	return r;
}

static int request(const struct pair *pair, enum launcher_verb verb)
{
	return launcher_request(pair->launcher, verb, pair->entry);
}

static bool has_launcher(const struct pair *pair)
{
	return pair->launcher && pair->launcher->fd >= 0;
}

static int take_starter(struct pair *pair, pid_t pid)
{
	if (pid < 0)
		return pid;
	pair->starter_pid = pid;
	pair->is_let_go = false;
	return 0;
}

int pair_create(struct pair *pair, int (*confine)(void))
{
	int r = clear_metrics(pair);

	return r ? r : take_starter(pair, launcher_pair_create(&pair->launch, false, confine));
}

void pair_hand_over(struct pair *pair, struct launcher *launcher, uint32_t entry)
{
	pair->launcher = launcher;
	pair->entry = entry;
	launcher_pair_close(&pair->launch);
}

static int create_by_launcher(struct pair *pair)
{
	int r = clear_metrics(pair);

	return r ? r : take_starter(pair, request(pair, LAUNCHER_CREATE));
}

int pair_start(struct pair *pair)
{
	int r = pair->starter_pid ? 0 : create_by_launcher(pair);
	pid_t pid;

	if (r)
		return r;
	pid = request(pair, LAUNCHER_START);
	if (pid < 0) {
		pair_stop(pair);
		return pid;
	}
	pair->gateway_pid = pid;
	pair->is_let_go = true;
	return 0;
}

int pair_started(struct pair *pair, int status)
{
	int r = runtime_started(pair->runtime, pair->container, pair->starter_pid, status,
				&pair->calf_pid);

	pair->starter_pid = 0;
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

/* One that waits exits at the end of its pipe. That of a launcher that is gone is closed. */
static void ask_starter_to_end(struct pair *pair)
{
	if (pair->is_let_go)
		kill(pair->starter_pid, SIGTERM);
	else if (has_launcher(pair))
		(void)request(pair, LAUNCHER_STOP);
	else
		launcher_pair_close(&pair->launch);
}

void pair_kill_gateway(const struct pair *pair)
{
	/* It has its own uid, unless it has not confined itself yet. */
	if (pair->gateway_pid > 0 && kill(pair->gateway_pid, SIGKILL) && has_launcher(pair))
		(void)request(pair, LAUNCHER_STOP);
}

static void end_gateway(struct pair *pair)
{
	pair_kill_gateway(pair);
	child_await_killed(&pair->gateway_pid);
}

/* The container may exist afterwards. */
static void end_starter(struct pair *pair, const struct await_limit *limit)
{
	runtime_cancel(pair->starter_pid, limit);
	pair->starter_pid = 0;
	end_gateway(pair);
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
	child_end(&pair->calf_pid);
	/* The calf's last messages explain its exit: the gateway logs them, then exits. */
	limit = await_within(&pair->runtime->limit, GATEWAY_END_NS);
	pair_end_gateway(pair, &limit);
	/* End the watches of a gateway that was killed and could not do it itself. */
	if (pair->launch.fds.ring >= 0)
		gate_watch(pair->launch.fds.gate, GATE_WATCH_END, NULL, NULL);
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
	child_end(&pair->calf_pid);
}

void pair_end_gateway(struct pair *pair, const struct await_limit *limit)
{
	if (!child_wait(&pair->gateway_pid, NULL, limit))
		end_gateway(pair);
}

static void delete_container(const struct pair *pair)
{
	pid_t pid = has_launcher(pair) ? request(pair, LAUNCHER_DELETE) : -EPIPE;

	if (pid > 0)
		runtime_cancel(pid, &pair->runtime->limit);
	/* All that it did not do. It says itself why. */
	(void)runtime_remove(pair->runtime, pair->container);
}

void pair_deinit(struct pair *pair)
{
	if (pair->options) {
		pair_stop(pair);
		launcher_pair_close(&pair->launch);
		delete_container(pair);
	}
	if (pair->launch.fds.keys >= 0)
		close(pair->launch.fds.keys);
	if (pair->launch.fds.metrics >= 0) {
		close(pair->launch.fds.metrics);
		bundle_remove(pair->bundle);
	}
	*pair = PAIR_NULL(*pair);
}
