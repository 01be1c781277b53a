/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/launcher/pair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userspace/common/log.h"
#include "userspace/priv/launcher/program.h"

static int make_channels(struct launcher_channels *channels)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, channels->control) ||
	    pipe2(channels->log_stdout, O_NONBLOCK | O_CLOEXEC) ||
	    pipe2(channels->log_stderr, O_NONBLOCK | O_CLOEXEC) ||
	    pipe2(channels->go, O_NONBLOCK | O_CLOEXEC))
		return -errno;
	return 0;
}

void launcher_pair_close(struct launcher_pair *pair)
{
	int *ends[] = { pair->channels.control, pair->channels.log_stdout,
			pair->channels.log_stderr, pair->channels.go };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		for (int j = 0; j < 2; j++) {
			if (ends[i][j] >= 0)
				close(ends[i][j]);
			ends[i][j] = -1;
		}
}

pid_t launcher_pair_create(struct launcher_pair *pair, bool is_sibling, int (*confine)(void))
{
	struct runtime_starter_fds own;
	struct runtime_fds fds;
	pid_t pid;
	int r;

	launcher_pair_close(pair);
	r = make_channels(&pair->channels);
	if (r) {
		log_error("%s: cannot create the channels: %s", pair->name, strerror(-r));
		launcher_pair_close(pair);
		return r;
	}
	fds = (struct runtime_fds){
		.log_stdout = pair->channels.log_stdout[1],
		.log_stderr = pair->channels.log_stderr[1],
		.frames = pair->fds.frames,
		.control = pair->channels.control[1],
		.metrics = pair->fds.metrics,
	};
	own = (struct runtime_starter_fds){ .go = pair->channels.go[0],
					    .log = pair->fds.syslog,
					    .log_ask = pair->fds.syslog_ask,
					    .is_sibling = is_sibling };
	pid = runtime_create(pair->runtime, pair->container, pair->bundle, &fds, &own, confine);
	if (pid < 0)
		launcher_pair_close(pair);
	return pid;
}

static pid_t start_gateway(const struct launcher_pair *pair, bool is_sibling, int *pidfdp)
{
	const struct launcher_channels *channels = &pair->channels;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char name[64];
	/* The container's name makes the gateway recognizable in ps. */
	char *const argv[] = { (char[]){ "calfpen-gateway" }, name, NULL };
	const struct launcher_program program = {
		.fd = pair->fds.gateway_program,
		.argv = argv,
		.fds = { pair->fds.gate, channels->control[0], channels->log_stdout[0],
			 channels->log_stderr[0], pair->fds.ring >= 0 ? pair->fds.ring : null,
			 pair->fds.keys, pair->fds.syslog >= 0 ? pair->fds.syslog : null,
			 pair->fds.syslog_ask >= 0 ? pair->fds.syslog_ask : null },
		.n_fds = 8,
	};
	pid_t pid;

	(void)snprintf(name, sizeof(name), "%s", pair->container);
	pid = launcher_execute(&program, is_sibling, pidfdp);
	if (null >= 0)
		close(null);
	return pid;
}

pid_t launcher_pair_start(struct launcher_pair *pair, bool is_sibling, int *pidfdp)
{
	const char go = RUNTIME_GO;
	pid_t pid;

	if (pair->channels.go[1] < 0)
		return -ENOTCONN;
	pid = start_gateway(pair, is_sibling, pidfdp);
	/* The pipe has room, and a reader: we keep that end open. */
	if (pid > 0)
		(void)!write(pair->channels.go[1], &go, 1);
	launcher_pair_close(pair);
	return pid;
}
