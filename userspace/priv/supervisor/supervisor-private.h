/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's state and the parts of it that share that state. Only the
 * files of this directory use it; main.c starts the role by supervisor_main()
 * (roles.h).
 */
#ifndef CALFPEN_PRIV_SUPERVISOR_SUPERVISOR_PRIVATE_H
#define CALFPEN_PRIV_SUPERVISOR_SUPERVISOR_PRIVATE_H

#include "userspace/common/loop.h"
#include "userspace/common/syslog.h"
#include "userspace/priv/check/check.h"
#include "userspace/priv/description/loaded.h"
#include "userspace/priv/frames/frames.h"
#include "userspace/priv/frames/tap.h"
#include "userspace/priv/launcher/launcher.h"
#include "userspace/priv/netlink/netlink.h"
#include "userspace/priv/store/store.h"
#include "userspace/priv/supervisor/fast_start.h"
#include "userspace/priv/supervisor/host_name.h"
#include "userspace/priv/supervisor/instance.h"
#include "userspace/priv/supervisor/pair.h"
#include "userspace/priv/supervisor/probe.h"
#include "userspace/priv/supervisor/restart.h"
#include "userspace/priv/supervisor/watches.h"

#define SUPERVISOR_INDEX_SIZE LAUNCHER_UPLINK_SIZE

/* The numbers of the launcher's table; a pair has LAUNCHER_PAIRS + i. */
enum { LAUNCHER_WATCHER, LAUNCHER_CHRONY, LAUNCHER_SECRETS, LAUNCHER_PAIRS };

_Static_assert(LAUNCHER_PAIRS + OPTIONS_CALVES_MAX <= LAUNCHER_ENTRIES_MAX, "room for all");

/* The exit of a child that was seen before the start of its pair was complete. */
struct early_end {
	bool is_set;
	int status; /* waitpid(2) */
};

struct supervised_pair {
	struct pair pair;
	struct restart restart;
	/* the next start, the time when the start must be complete, or when the pair is stable */
	struct loop_timer timer;
	struct early_end calf_end, gateway_end;
	struct supervisor *supervisor;
};

struct supervisor_chrony {
	int ask_fd;	/* eventfd: the watcher requests a reload of chronyd's sources */
	int results[2]; /* pipe to the watcher: an enum chrony_result for each reload */
	bool is_asked;
	pid_t pid;	      /* of the role, 0: none */
	uint64_t earliest_ns; /* earliest start of the next role */
	struct loop_timer timer;
};

struct supervisor_secrets {
	int ask_fd; /* eventfd: the watcher has seen that a persistent secret changed */
	bool is_asked;
	pid_t pid;		 /* of the process that saves them, 0: none */
	uint64_t earliest_ns;	 /* earliest start of the next one */
	unsigned int n_failures; /* in a row */
	struct loop_timer timer;
};

struct supervisor {
	const struct options *options;
	struct description *descriptions;
	uint32_t n_descriptions;
	uint32_t numbers[OPTIONS_CALVES_MAX]; /* subjects of the calves, by description */
	bool is_host_changed;		      /* all checks have passed */
	struct configuration configuration;
	struct check_question questions[OPTIONS_CALVES_MAX]; /* to the calves */
	int loaded_fd;					     /* both, for the watcher */
	struct instance instance;
	uint32_t uid_base; /* uids_take() */
	int audit_fd;	   /* what --audit names: a descriptor, or a pipe; -1: none of these */
	struct syslog syslog;
	struct loop_timer syslog_timer;	 /* earliest time of the next connect() for others */
	struct netlink *netlink, *links; /* for requests; for link events */
	/* of the former client's lease, for the first calf; length 0: unknown */
	struct value_ipv4_net former_address;
	struct netlink_link uplink; /* ifindex 0: the device is gone */
	bool is_uplink_bare;	    /* setting up tap and programs failed */
	bool is_mac_awaited;	    /* logged that the uplink has none */
	bool is_ipv6_logged;	    /* logged that it could not be disabled on a tap */
	uint64_t uplink_ns;	    /* earliest time of the next change of device */
	unsigned int n_uplink_failures;
	struct loop_timer uplink_timer;
	struct fast_start fast_start;
	struct probe_kernel kernel;
	struct runtime runtime;
	struct pins pins;
	struct store store;
	uint64_t first_revision; /* from which the store continues */
	struct frames frames;
	struct frames_host frames_host; /* for the life of the instance */
	pid_t reserving;		/* persist_revision_begin(); 0: nothing to wait for */
	int witness_fd; /* frames_witness_open(), for the life of the instance; -1: no frames */
	struct launcher launcher;
	struct frame_quarantine quarantine; /* as passed to frames_init() */
	struct loop_timer quarantine_timer;
	struct loop_timer transactions_timer;
	struct {
		uint64_t n_refused;	  /* by the loaded programs, as of the last look */
		uint64_t quiet_ns;	  /* when the next line may be logged */
	} transactions[FRAME_CALVES_MAX]; /* by number */
	/* by number (maps/frame.h, "several calves"); NULL: no such calf */
	const struct description *framed[FRAME_CALVES_MAX];
	struct tap taps[FRAME_CALVES_MAX];
	struct supervised_pair pairs[OPTIONS_CALVES_MAX];
	uint32_t n_pairs;
	int cgroup_fd;			   /* cgroup_parent_hold() */
	int self_program, gateway_program; /* child_open_program() */
	pid_t watcher_pid;
	int watcher_report_fd;
	struct restart watcher_restart;
	struct loop_timer watcher_timer; /* the next start, or the time when it is stable */
	struct supervisor_chrony chrony;
	struct supervisor_secrets secrets;
	struct launcher_table launcher_table;
	char uplink_index[SUPERVISOR_INDEX_SIZE]; /* in the argv of the launcher's roles */
	int breaches[2]; /* pipe from the watcher: whose records are malformed */
	struct watches watches;
	struct host_name host_name;
	struct loop loop;
	int signal_fd;
	int stop_fd; /* readable if the signal to stop is pending; ends all waits */
	uint64_t started_ns;
	uint64_t stop_ns; /* when the shutdown began */
};

/*
 * check.c: the first half of start-up, which changes nothing on the host. Each
 * returns 0, or a negative errno after one line on stderr.
 */

/* Load the descriptions and the configuration, and begin to ask the calves about it. */
int supervisor_load_files(struct supervisor *s);

/* Wait for the answers of the calves. Returns -EINVAL if one refuses an option. */
int supervisor_check_options(struct supervisor *s);

/* Open our programs, probe the kernel and connect to netlink. */
int supervisor_check_host(struct supervisor *s);

/* Look for another DHCP client on the uplink, which would fight with the calf
 * over the address. Returns -EADDRINUSE if there is one, unless --takeover. */
int supervisor_check_other_clients(const struct supervisor *s);

/* Check whether a quarantine would cut off users of the uplink's addresses.
 * Returns -EADDRINUSE if so, unless --quarantine-force. If the uplink has an
 * address that calfpen set in a previous run, there is a lease already and the
 * quarantine begins open. */
int supervisor_check_quarantine(struct supervisor *s);

/* The parts of start-up that are repeated when another device becomes the
 * uplink. Those that can fail return 0, or a negative errno after one line on
 * stderr. */

/* start_store.c */

/* Adopt or create the store, find the number of every calf, and delete keys that none of
 * them writes. A store that cannot be adopted, or that has no number for a calf, or in which
 * such keys are left, is refused before the host is touched. */
int supervisor_open_store(struct supervisor *s);
/* Begin to load the gate of every subject, in threads; there must be no fork until
 * supervisor_start_store(). Returns 0, or a negative errno, logged. */
int supervisor_begin_store(struct supervisor *s);
/* Wait for the gates, restore a new store, and write the first keys. */
int supervisor_start_store(struct supervisor *s);
/* Wait until the first revisions are reserved on the disk. Allowed if nothing is. */
void supervisor_end_reserving(struct supervisor *s);
/* Write the first keys: /mac, /config/CALF/... and, with --takeover, /address: the
 * address of the former client's lease, or one that the uplink already has, which the
 * calf requests first. */
int supervisor_write_keys(const struct supervisor *s);
/* Save the store's last revision. Nothing may change the store after this call,
 * so that the next boot continues without a gap. */
void supervisor_save_revision(const struct supervisor *s);

/* identity.c: set the option client_id to what an earlier run saved; or, with
 * --takeover in the first run, to what the former client sent, and save that. Needs the
 * store, with what it was restored from. Failures are logged. */
void supervisor_adopt_identity(struct supervisor *s);

/* start_frames.c */

/* Return true if there is a quarantine that was still closed when the frame
 * programs were last started or stopped. */
bool supervisor_in_quarantine(const struct supervisor *s);
/* Set the uplink up, unless supervisor_load_frames() will: in quarantine. */
int supervisor_start_uplink(struct supervisor *s);
/* Create the taps that do not exist, load the programs, and attach them to the taps, which stay
 * down, and the uplink, of which they let nothing through to a tap yet. Uses no gate. */
int supervisor_load_frames(struct supervisor *s);
/* Tell the programs what the store says, and let frames through. */
int supervisor_start_frames(struct supervisor *s);
/* Detach the programs and close everything. Returns 0, or what supervisor_close_taps()
 * does. */
int supervisor_stop_frames(struct supervisor *s);

/* taps.c */

/* Give numbers to the calves with frame rules, of which overlap_check() has found not too
 * many. */
void supervisor_number_calves(struct supervisor *s);
/* Return true if a calf has frame rules, and so needs an Ethernet interface. */
bool supervisor_has_frames(const struct supervisor *s);
/* Create a tap for each calf with frame rules that has none yet. They stay down until their
 * programs are attached. Returns 0, or a negative errno, logged. */
int supervisor_make_taps(struct supervisor *s);
/* Set the taps up. Returns 0, or a negative errno, logged. */
int supervisor_set_taps_up(struct supervisor *s);
/* Return the number of a calf in the filter, -1 if it has no frame rules. */
int supervisor_number_of(const struct supervisor *s, const struct description *description);
/* Return the tap of a calf, NULL if it has no frame rules. */
const struct tap *supervisor_tap_of(const struct supervisor *s,
				    const struct description *description);
/* Close the taps, delete those of this instance that a process still holds, whatever run
 * they are of, and only then let go of their programs. Returns 0, or a negative errno,
 * logged: a tap stays, with its programs. */
int supervisor_close_taps(struct supervisor *s);

/* witness.c: open the witness. The lease of a version that had none counts as witnessed
 * until it ends; that of a version whose witness does not fit does not. Returns 0, or a negative errno, logged. */
int supervisor_open_witness(struct supervisor *s);

/* grammar.c: make the grammar of requests for a calf with frames, from the operator's
 * options. */
void supervisor_make_grammar(const struct supervisor *s, const struct description *description,
			     struct frame_grammar *grammar);

/* quarantine.c */

/* Log the begin of the quarantine, and its end within about half a second, whatever ends it.
 * Returns 0 or -ENOSPC. */
int supervisor_watch_quarantine(struct supervisor *s);
/* Log that stopping the programs ends the quarantine, if nothing else has. */
void supervisor_end_quarantine(const struct supervisor *s);

/* transactions.c */

/* Log that the calf begins too many transactions, within 10 s, at most once an hour.
 * Returns 0 or -ENOSPC. */
int supervisor_watch_transactions(struct supervisor *s);

/* logs.c */

/* Connect to the syslog daemon and send log lines to it. Returns 0, or a negative errno,
 * logged. */
int supervisor_start_syslog(struct supervisor *s);
/* Check the audit log, which the watcher writes, and take the descriptor that --audit names.
 * A file that cannot be opened is an error, but no reason to stop: the host needs its
 * network. Returns 0, or a negative errno, logged. */
int supervisor_open_audit(struct supervisor *s);
/* Let the watcher reopen the audit log after its rotation. */
void supervisor_reopen_audit(struct supervisor *s);
/* Write what waits for slow readers, but not later than 1.95 s after s->stop_ns, and
 * close everything. */
void supervisor_close_logs(struct supervisor *s);

/* find_uplink.c */

#define UPLINK_AWAITED 1

/* Find the uplink and check that it can be used. Returns 0 with s->uplink set;
 * UPLINK_AWAITED if supervisor_wait_uplink() must be called; or a negative errno after
 * one line on stderr. */
int supervisor_find_uplink(struct supervisor *s);
/* Wait until the uplink can be used, as long as the configuration says and until
 * s->stop_fd is readable. Says once what it waits for. Returns 0 with s->uplink set;
 * -ECANCELED; or another negative errno after one line on stderr. */
int supervisor_wait_uplink(struct supervisor *s);
/* Check that the device that s->uplink now is can be used by the calves. Returns 0, or
 * a negative errno after one line on stderr. */
int supervisor_check_uplink(const struct supervisor *s);
/* Return true if the device has no MAC address yet although the calves need one, as a
 * bridge that has lost its last port. */
bool supervisor_lacks_mac(const struct supervisor *s, const struct netlink_link *link);

/*
 * uplink.c: start to watch for another device becoming the uplink. Call this
 * before confine_enter(), because it opens a descriptor. Returns 0, or a
 * negative errno, logged.
 */
int supervisor_watch_uplink(struct supervisor *s);

/* role.c */

/* Return the command line of a role: that of the supervisor, with "--role `role` --uplink-index
 * `index`" appended. To be freed with free(); NULL: no memory. */
char **supervisor_role_argv(const struct supervisor *s, const char *role, const char *index);

/* Execute this program with --role `role` and these descriptors as 3, 4, ...
 * Only before the launcher is started. Returns the pid, or a negative errno, logged. */
pid_t supervisor_execute_role(const struct supervisor *s, const char *role, const int *fds,
			      uint32_t n_fds);

/* launch.c */

/* Start the launcher, which knows from now on what it may start: watcher, chrony role, the
 * process that saves secrets, and each pair. Returns 0, or a negative errno, logged. */
int supervisor_start_launcher(struct supervisor *s);
/* Let it close the taps, which will be deleted; and give it those that there are, with the
 * index of the uplink. */
void supervisor_unplug_launcher(struct supervisor *s);
void supervisor_plug_launcher(struct supervisor *s);

/* children.c */

/* Drop the privileges that the supervisor does not need once everything has
 * been created. Returns 0, or a negative errno. */
int supervisor_confine(void);
/* Begin to create the containers of all calves, in processes confined like those of the
 * launcher, while the supervisor continues. Returns 0, or a negative errno, logged. */
int supervisor_create_pairs(struct supervisor *s);
/* Start the watcher and all pairs; what does not start is retried. */
void supervisor_start_children(struct supervisor *s);
/* Handle a child that exited with this wait status: log it, restart it. */
void supervisor_child_ended(struct supervisor *s, pid_t pid, int status);
/* Stop all pairs, then the watcher, which saves what must survive a reboot. What
 * hangs is killed: takes at most 1.7 s since s->stop_ns. */
void supervisor_stop_children(struct supervisor *s);
/* Return the limit of a wait during the shutdown: `ms` after s->stop_ns. */
struct await_limit supervisor_stop_limit(const struct supervisor *s, unsigned int ms);

/* chrony.c */

/* Start to accept the watcher's requests to reload chronyd's sources. Returns 0,
 * or a negative errno. */
int supervisor_start_chrony(struct supervisor *s);
/* Handle a chrony role that exited with this wait status. */
void supervisor_chrony_ended(struct supervisor *s, int status);
/* Do the reload that the watcher requested last, if there is time for it; call this
 * after it exited. */
void supervisor_stop_chrony(struct supervisor *s);

/* breaches.c: start to accept whose records the watcher has found malformed. Returns 0,
 * or a negative errno. */
int supervisor_watch_breaches(struct supervisor *s);

/* secrets.c */

/* Save secrets, in a process of its own. `data` is the supervisor. Returns its exit code: 0, or
 * a positive errno. */
int supervisor_save_secrets_now(const void *data);

/* Save persistent secrets now, and whenever the watcher says that one has changed. Returns 0,
 * or a negative errno. */
int supervisor_watch_secrets(struct supervisor *s);
/* Handle a process that saved them and exited with this wait status. */
void supervisor_secrets_ended(struct supervisor *s, int status);
/* Save them for the last time; call this when nothing changes the store any more. Takes at
 * most until 1.7 s after s->stop_ns. */
void supervisor_save_secrets(struct supervisor *s);

/* Write state.json for `calfpen status`: processes, mode, kernel features. */
void supervisor_write_state(const struct supervisor *s);

#endif
