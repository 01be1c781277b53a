/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of calfpen-priv, used by main.c, description/, the
 * supervisor and the watcher. The supervisor executes itself with the same
 * options plus --role for each role, so that there is only one parser and one
 * set of rules.
 */
#ifndef CALFPEN_PRIV_OPTIONS_H
#define CALFPEN_PRIV_OPTIONS_H

#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "maps/kv.h"
#include "userspace/common/instance.h"
#include "userspace/priv/roles.h"

#define OPTIONS_STATE_ROOT "/var/lib/calfpen"
#define OPTIONS_CALVES_MAX (KV_SUBJECTS_MAX - KV_SUBJECT_CALF)

/* If switches forward at once, this is far more than a lease takes; after the
 * 30 s of a spanning tree it is just enough. */
#define OPTIONS_QUARANTINE_DEFAULT_S 60
#define OPTIONS_QUARANTINE_MAX_S 3600

#define OPTIONS_WAIT_MAX_S 86400
#define OPTIONS_WAIT_FOREVER INT_MAX

/* ALTIFNAMSIZ of linux/if.h, which net/if.h excludes. */
#define OPTIONS_UPLINK_SIZE 128

struct options {
	enum role role;
	uint32_t uplink_ifindex; /* ROLE_WATCHER: index of the supervisor's uplink, 0: none */
	/* --instance; default: instance_name_of(uplink) */
	char instance[INSTANCE_NAME_MAX + 1];
	/* --interface, required; perhaps an alternative name */
	char uplink[OPTIONS_UPLINK_SIZE];
	char configuration
		[PATH_MAX]; /* --config; default /etc/calfpen/INSTANCE.yaml if that exists, else "" */
	const char *calves[OPTIONS_CALVES_MAX]; /* --calf DIR, beside those of the configuration */
	uint32_t n_calves;
	char runtime[PATH_MAX];	      /* --runtime; "": the pen */
	char cgroup_parent[NAME_MAX]; /* --cgroup-parent, default "calfpen" */
	char resolv_conf[PATH_MAX];   /* --resolv-conf, default "": the configuration decides */
	/* --audit: a path, default /var/log/calfpen/INSTANCE.audit.jsonl; "none"; "-" and the
	 * like, see audit_fd */
	char audit[PATH_MAX];
	int audit_fd;		  /* descriptor of the supervisor that --audit names; 0: none */
	char state[PATH_MAX];	  /* --state, default /var/lib/calfpen/INSTANCE */
	bool syslog;		  /* --syslog; the configuration can also enable it */
	uint32_t wanted_uid_base; /* --uid-base, 0: the next free ones (supervisor/uids.h) */
	int mode;		  /* --mode, enum frame_mode, -1: configuration decides */
	bool takeover;		  /* --takeover */
	int quarantine_s;	  /* --quarantine, seconds; 0: none, -1: configuration decides */
	bool quarantine_force;	  /* --quarantine-force */
	bool effective;		  /* ROLE_CHECK: --effective */
	bool describe;		  /* ROLE_CHECK: --describe */
	/* --wait-interface, seconds; 0: do not wait, -1: configuration decides */
	int wait_interface_s;
	bool verbose; /* --verbose */
	char **argv;  /* as given, to execute the roles */
	int argc;
};

/* Print the help text to stdout. */
void options_print_help(void);
/* Parse the command line. Returns 0; 1 if --help or --version was answered; -EINVAL if it
 * is wrong, after one line on stderr that says what is wrong and what to do. */
int options_parse(struct options *options, int argc, char **argv);

/* Make the paths that may be relative absolute, so that the working directory can be changed:
 * --config, --calf, --runtime. Returns 0, or a negative errno after one line on stderr. */
int options_make_absolute(struct options *options);

/* Return whether the audit log is a file: options->audit is its path. */
bool options_has_audit_file(const struct options *options);

/* Parse how long to wait: seconds, or "forever". Returns 0, or -EINVAL. */
int options_parse_wait(const char *text, int *secondsp);

#endif
