/* SPDX-License-Identifier: Apache-2.0 */
/* What the supervisor holds, for supervisor*.c. */
#ifndef CALFPEN_PRIV_SUPERVISOR_SUPERVISOR_PRIVATE_H
#define CALFPEN_PRIV_SUPERVISOR_SUPERVISOR_PRIVATE_H

#include "userspace/common/loop.h"
#include "userspace/priv/audit/audit.h"
#include "userspace/priv/description/configuration.h"
#include "userspace/priv/frames/frames.h"
#include "userspace/priv/frames/tap.h"
#include "userspace/priv/netlink/netlink.h"
#include "userspace/priv/store/store.h"
#include "userspace/priv/supervisor/instance.h"
#include "userspace/priv/supervisor/pair.h"
#include "userspace/priv/supervisor/probe.h"

struct supervised_pair {
	struct pair pair;
	struct loop_timer restart;
	struct supervisor *supervisor;
};

struct supervisor_chrony {
	int ask_fd;	/* eventfd: the watcher asks for a reload of chronyd's sources */
	int results[2]; /* pipe to the watcher: an enum chrony_result for each */
	bool is_asked;
	pid_t pid;	      /* of the role, 0: none */
	uint32_t uid;	      /* that it takes */
	uint64_t earliest_ns; /* of the next one */
	struct loop_timer timer;
};

struct supervisor {
	const struct options *options;
	struct description *descriptions;
	uint32_t n_descriptions;
	struct configuration configuration;
	struct instance instance;
	struct audit audit;
	struct netlink *netlink, *links; /* to ask; told of changes */
	struct netlink_link uplink;	 /* ifindex 0: it is gone */
	bool is_uplink_bare;		 /* what belongs on it could not be made */
	uint64_t uplink_ns;		 /* another is not taken before */
	unsigned int n_uplink_failures;
	struct loop_timer uplink_timer;
	struct probe_kernel kernel;
	struct runtime runtime;
	struct pins pins;
	struct store store;
	struct frames frames;
	struct frame_quarantine quarantine; /* as frames_init() is told */
	struct tap tap;
	struct supervised_pair pairs[OPTIONS_CALVES_MAX];
	uint32_t n_pairs;
	int self_program, gateway_program; /* child_open_program() */
	pid_t watcher_pid;
	uint32_t n_watcher_restarts;
	struct loop_timer watcher_restart;
	struct supervisor_chrony chrony;
	struct loop loop;
	int signal_fd;
	uint64_t started_ns;
};

/*
 * Start-up's first half, check.c: nothing on the host is changed. 0, or a
 * negative errno after one line on stderr.
 */

/* The descriptions and the configuration. */
int supervisor_load_files(struct supervisor *s);

/* Our programs, the kernel, netlink and the uplink. */
int supervisor_check_host(struct supervisor *s);

/* What a calf with frame rules writes are Ethernet frames, and their source is
 * the MAC of s->uplink: -EINVAL if it has none. */
int supervisor_check_uplink(const struct supervisor *s);

/* Two DHCP clients on one link fight over the address: -EADDRINUSE, unless
 * --takeover. */
int supervisor_check_rivals(const struct supervisor *s);

/* A quarantine cuts off who uses the addresses of the uplink: -EADDRINUSE,
 * unless --quarantine-force. With an address of a former life of ours there is
 * a lease already, and it begins open. */
int supervisor_check_quarantine(struct supervisor *s);

/* The parts of start-up that another device as uplink asks for again. 0, or a
 * negative errno after one line on stderr. */

/* start_store.c */

/* Adopt, restore or create the store, with the rights of every subject. */
int supervisor_start_store(struct supervisor *s);
/* Write the first keys: /mac, /config/..., /address; with --takeover the
 * address that the uplink has already, which is requested first. */
int supervisor_write_keys(const struct supervisor *s);
/* Save the store's last revision. Nothing may change the store from here on, so
 * that a later boot continues without a gap. */
void supervisor_save_revision(const struct supervisor *s);

/* start_frames.c */

/* Was it started with a quarantine that nothing has opened before? */
bool supervisor_is_closed(const struct supervisor *s);
/* Set the uplink up; in quarantine supervisor_start_frames() does. */
int supervisor_start_uplink(struct supervisor *s);
/* The tap, down; until its programs are attached nothing sets it up. None
 * where no calf has frame rules. */
int supervisor_make_tap(struct supervisor *s);
/* The tap unless it is there, and the programs on it and on the uplink. */
int supervisor_start_frames(struct supervisor *s);
/* Detach and close all of that; the tap is gone with the last who holds it. */
void supervisor_stop_frames(struct supervisor *s);

/*
 * uplink.c: from now on see whether the uplink is another device.
 * Opens a descriptor, so before confine_enter(). 0, or a negative errno.
 */
int supervisor_watch_uplink(struct supervisor *s);

/* role.c */

/* Execute this program with --role `role` and these descriptors from 3 on.
 * Returns the pid, or a negative errno, logged. */
pid_t supervisor_execute_role(const struct supervisor *s, const char *role, const int *fds,
			      uint32_t n_fds);

/* children.c */

/* Drop the privileges that the supervisor does not need once everything has
 * been created. Returns 0, or a negative errno. */
int supervisor_confine(void);
/* Begin to create the containers of all calves, in processes confined like the
 * supervisor, while it goes on. Returns 0, or a negative errno, logged. */
int supervisor_create_pairs(struct supervisor *s);
/* Start the watcher and all pairs; what does not start is retried. */
void supervisor_start_children(struct supervisor *s);
/* Handle a child that exited with this wait status: log it, restart it. */
void supervisor_child_ended(struct supervisor *s, pid_t pid, int status);
/* Stop all pairs, then the watcher, which saves what must survive a reboot. */
void supervisor_stop_children(struct supervisor *s);

/* chrony.c */

/* Have chronyd reload its sources whenever the watcher asks for it. 0, or a
 * negative errno. */
int supervisor_start_chrony(struct supervisor *s);
/* The role ended with this wait status. */
void supervisor_chrony_ended(struct supervisor *s, int status);
/* After the watcher's end: what it has asked for last is still done. */
void supervisor_stop_chrony(struct supervisor *s);

/* Write state.json for `calfpen status`: processes, mode, kernel features. */
void supervisor_write_state(const struct supervisor *s);

#endif
