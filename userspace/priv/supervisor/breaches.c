/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: gateways that broke the grammar
 *
 * The gate writes a record only from what it has checked, so a record that the watcher
 * cannot read is a fault of the gate that somebody uses. Most likely a gateway was taken
 * over, because only it can send a request that its calf cannot. So the gateway ends,
 * and the pair is restarted with the usual delays.
 *
 * The watcher writes the number of the subject into a pipe, one octet for each record.
 * That is all that the supervisor reads of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "userspace/common/log.h"
#include "userspace/priv/supervisor/supervisor-private.h"

static void end_gateway(struct supervised_pair *pair)
{
	if (pair->pair.gateway_pid <= 0)
		return;
	log_error("%s: a record of its changes or refusals is malformed; ending the gateway",
		  pair->pair.description->name);
	/* on_signal() restarts the pair. */
	pair_kill_gateway(&pair->pair);
}

static int on_breach(struct loop *loop, int fd, short revents, void *data)
{
	struct supervisor *s = data;
	uint8_t subjects[KV_SUBJECTS_MAX];
	/* once: a watcher that writes all the time must not keep us here */
	ssize_t n = read(fd, subjects, sizeof(subjects));
	uint64_t accused = 0;

	(void)loop;
	(void)revents;
	for (ssize_t i = 0; i < n; i++)
		if (subjects[i] < KV_SUBJECTS_MAX)
			accused |= 1ull << subjects[i];
	for (uint32_t i = 0; i < s->n_pairs; i++)
		if (accused >> s->pairs[i].pair.number & 1)
			end_gateway(&s->pairs[i]);
	return 0;
}

int supervisor_watch_breaches(struct supervisor *s)
{
	if (pipe2(s->breaches, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	return loop_add_fd(&s->loop, s->breaches[0], POLLIN, on_breach, s);
}
