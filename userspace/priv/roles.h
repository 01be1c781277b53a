/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The roles: their entry points, descriptor numbers and exit codes; every part
 * of priv/ may use them. The supervisor forks, places the descriptors, closes
 * all others and executes itself with --role, or calfpen-gateway; the role
 * confines itself (confine.h) before it reads its first untrusted byte.
 */
#ifndef CALFPEN_PRIV_ROLES_H
#define CALFPEN_PRIV_ROLES_H

struct options;

enum role {
	ROLE_SUPERVISOR = 0,
	ROLE_WATCHER,
	ROLE_CHRONY,
	ROLE_FORGET /* by the operator */,
	ROLE_CHECK /* by the operator */,
	ROLE_ASKED /* a calf that is asked about its options: another program */,
	ROLE_MIGRATE,
	ROLE_GATEWAY /* another program */,
	ROLE_LAUNCHER /* forked by the supervisor, not executed */,
	ROLE_STARTER /* of a container; forked by supervisor or launcher */,
	ROLE_SAVER /* of secrets; forked by the launcher */
};

/* In every role, descriptor 0 is /dev/null, and 1 and 2 are the supervisor's
 * stderr. $JOURNAL_STREAM is the whole environment, if it is set. */
enum watcher_fd {
	WATCHER_FD_GATE = 3,	/* its own gate program */
	WATCHER_FD_KV = 4,	/* map kv, frozen: read-only */
	WATCHER_FD_CTL = 5,	/* map ctl, frozen */
	WATCHER_FD_EVENTS = 6,	/* ring; this is its only consumer */
	WATCHER_FD_DENIALS = 7, /* ring; this is its only consumer */
	/* Reloads of chronyd's sources: an eventfd to request one, and a pipe with
	 * one byte for each reload that was done, an enum chrony_result. */
	WATCHER_FD_CHRONY_ASK = 8,
	WATCHER_FD_CHRONY_RESULTS = 9,
	WATCHER_FD_LOADED = 10, /* struct loaded, sealed */
	WATCHER_FD_REPORT = 11, /* struct report_page */
	WATCHER_FD_AUDIT = 12,	/* the audit log if --audit names a descriptor, else /dev/null */
	/* syslog_inherit(); both /dev/null if there is no syslog */
	WATCHER_FD_SYSLOG = 13,
	WATCHER_FD_SYSLOG_ASK = 14,
	/* A pipe: the number of a subject for each of its records that is malformed. */
	WATCHER_FD_BREACHES = 15,
	WATCHER_FD_WITNESS = 16, /* map frame_witness, frozen; /dev/null without frame programs */
	WATCHER_FD_HOST = 17,	 /* program host_set; /dev/null without frame programs */
	WATCHER_FD_SECRETS = 18, /* an eventfd: a persistent secret has changed */
	_WATCHER_FD_END = 19,
};

enum gateway_fd {
	GATEWAY_FD_GATE = 3,	/* the gate program of the calf's subject */
	GATEWAY_FD_CONTROL = 4, /* SOCK_STREAM, connected to the calf */
	GATEWAY_FD_STDOUT = 5,	/* read end of the calf's log pipe */
	GATEWAY_FD_STDERR = 6,
	GATEWAY_FD_RING = 7, /* the subject's event ring; /dev/null if it may watch nothing */
	GATEWAY_FD_KEYS = 8, /* struct key_table, sealed */
	/* syslog_inherit(); both /dev/null if there is no syslog */
	GATEWAY_FD_SYSLOG = 9,
	GATEWAY_FD_SYSLOG_ASK = 10,
	_GATEWAY_FD_END = 11,
};

enum chrony_fd {
	CHRONY_FD_DIRECTORY = 3, /* that contains chronyd's socket, O_PATH */
};

enum migrate_fd {
	MIGRATE_FD_REQUEST = 3, /* a pipe with one struct migrate_request */
	MIGRATE_FD_LEASE = 4,	/* the files; /dev/null if there is none */
	MIGRATE_FD_DUID = 5,
	MIGRATE_FD_CONFIGURATION = 6,
	MIGRATE_FD_RESULT = 7, /* a pipe for one struct migrate_identity */
	_MIGRATE_FD_END = 8,
};

/* Exit codes of a role that the supervisor distinguishes. */
enum role_exit {
	ROLE_EXIT_OK = 0,
	ROLE_EXIT_FAILURE = 1,	  /* it logged why */
	ROLE_EXIT_USAGE = 2,	  /* wrong command line; it logged what is wrong */
	ROLE_EXIT_MALFORMED = 65, /* gateway: the calf sent a malformed message */
	ROLE_EXIT_EOF = 66,	  /* gateway: the calf closed the connection */
	ROLE_EXIT_CONFINE = 77,	  /* cannot drop privileges; no untrusted byte was read */
};

/* Run a role until it is asked to stop. Returns an exit code, enum role_exit. */
int supervisor_main(const struct options *options);
int watcher_main(const struct options *options);
int gateway_main(void);
/* Undo what a stopped instance, or all whose leases are over, left in shared files. */
int forget_main(const struct options *options);
/* Check a configuration, and print what it comes to with options->effective. */
int check_main(const struct options *options);
/* Tell chronyd to reload its sources. Returns an enum chrony_result. */
int chrony_main(void);
/* Read the identity of another DHCP client from the lease file that it left. It logs
 * nothing about the files: the supervisor does. */
int migrate_main(void);

#endif
