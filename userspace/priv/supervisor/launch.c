/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: what the launcher may start
 *
 * The table of the launcher, filled when everything in it exists.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/common/log.h"
#include "userspace/priv/supervisor/supervisor-private.h"

static int fd_or_null(int fd, int null)
{
	return fd >= 0 ? fd : null;
}

static void describe_watcher(const struct supervisor *s, int null, struct launcher_entry *entry)
{
	const int fds[] = { s->store.gate_fds[KV_SUBJECT_WATCHER],
			    s->store.kv_fd,
			    s->store.ctl_fd,
			    s->store.events_fd,
			    s->store.denials_fd,
			    s->chrony.ask_fd,
			    s->chrony.results[0],
			    s->loaded_fd,
			    s->watcher_report_fd,
			    fd_or_null(s->options->audit_fd ? s->audit_fd : -1, null),
			    fd_or_null(s->syslog.outlet.fd, null),
			    fd_or_null(s->syslog.ask_fd, null),
			    s->breaches[1],
			    fd_or_null(s->witness_fd, null),
			    fd_or_null(frames_host_program(&s->frames_host), null),
			    s->secrets.ask_fd };

	_Static_assert(sizeof(fds) <= sizeof(entry->program.fds), "all of them");
	entry->kind = LAUNCHER_PROGRAM;
	entry->program.fd = s->self_program;
	memcpy(entry->program.fds, fds, sizeof(fds));
	entry->program.n_fds = sizeof(fds) / sizeof(fds[0]);
}

static void describe_chrony(const struct supervisor *s, struct launcher_entry *entry)
{
	entry->kind = LAUNCHER_PROGRAM;
	entry->program.fd = s->self_program;
	entry->directory = s->configuration.handlers.chronyd_directory;
}

static void describe_secrets(const struct supervisor *s, struct launcher_entry *entry)
{
	entry->kind = LAUNCHER_FUNCTION;
	entry->function = supervisor_save_secrets_now;
	entry->data = s;
	entry->fds[0] = s->store.kv_fd;
	entry->fds[1] = s->store.ctl_fd;
	entry->fds[2] = s->store.gate_fds[KV_SUBJECT_SUPERVISOR];
}

static void describe_pair(struct supervisor *s, uint32_t i, struct launcher_entry *entry)
{
	struct pair *pair = &s->pairs[i].pair;

	pair->launch.fds.gate = s->store.gate_fds[pair->number];
	pair->launch.fds.ring = s->store.ring_fds[pair->number];
	entry->kind = LAUNCHER_PAIR;
	entry->pair = &pair->launch;
	entry->uid = pair_gateway_uid(pair->uid_base, pair->number);
}

int supervisor_start_launcher(struct supervisor *s)
{
	struct launcher_table *table = &s->launcher_table;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), r = null < 0 ? -errno : 0;
	char **watcher = supervisor_role_argv(s, "watcher", s->uplink_index);
	char **chrony = supervisor_role_argv(s, "chrony", s->uplink_index);

	if (!r && (!watcher || !chrony))
		r = -ENOMEM;
	(void)snprintf(s->uplink_index, sizeof(s->uplink_index), "%d", s->uplink.ifindex);
	*table = (struct launcher_table){ .n = LAUNCHER_PAIRS + s->n_pairs,
					  .uplink = s->uplink_index,
					  .is_foreign = !s->runtime.is_pen,
					  .kept_fds = &s->runtime.limit.stop_fd,
					  .n_kept = 1 };
	for (uint32_t i = 0; i < LAUNCHER_ENTRIES_MAX; i++)
		table->entries[i].pidfd = -1;
	describe_watcher(s, null, &table->entries[LAUNCHER_WATCHER]);
	table->entries[LAUNCHER_WATCHER].program.argv = watcher;
	describe_chrony(s, &table->entries[LAUNCHER_CHRONY]);
	table->entries[LAUNCHER_CHRONY].program.argv = chrony;
	describe_secrets(s, &table->entries[LAUNCHER_SECRETS]);
	for (uint32_t i = 0; i < s->n_pairs; i++)
		describe_pair(s, i, &table->entries[LAUNCHER_PAIRS + i]);
	if (!r)
		r = launcher_start(&s->launcher, table);
	for (uint32_t i = 0; !r && i < s->n_pairs; i++)
		pair_hand_over(&s->pairs[i].pair, &s->launcher, LAUNCHER_PAIRS + i);
	free(watcher);
	free(chrony);
	if (null >= 0)
		close(null);
	return r;
}

void supervisor_unplug_launcher(struct supervisor *s)
{
	for (uint32_t i = 0; i < s->n_pairs; i++)
		if (supervisor_tap_of(s, s->pairs[i].pair.description))
			(void)launcher_request_tap(&s->launcher, LAUNCHER_PAIRS + i, -1);
}

void supervisor_plug_launcher(struct supervisor *s)
{
	for (uint32_t i = 0; i < s->n_pairs; i++) {
		const struct tap *tap = supervisor_tap_of(s, s->pairs[i].pair.description);

		if (tap && launcher_request_tap(&s->launcher, LAUNCHER_PAIRS + i, tap->fd) &&
		    !s->launcher.is_gone)
			log_error("%s: the launcher refuses the tap",
				  s->pairs[i].pair.description->name);
	}
	(void)launcher_request(&s->launcher, LAUNCHER_UPLINK, (uint32_t)s->uplink.ifindex);
}
