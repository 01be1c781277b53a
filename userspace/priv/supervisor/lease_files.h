/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lease files that other DHCP clients left for an interface. They are only found
 * and opened here; the migrate role reads them.
 */
#ifndef CALFPEN_PRIV_SUPERVISOR_LEASE_FILES_H
#define CALFPEN_PRIV_SUPERVISOR_LEASE_FILES_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "userspace/priv/migrate/migrate.h"

#define LEASE_FILES_MAX 8

struct lease_file {
	enum migrate_format format;
	char path[PATH_MAX];
	struct timespec changed;
	/* of the lease file, the DUID and the configuration; -1: there is none */
	int lease_fd, duid_fd, configuration_fd;
};

struct lease_files {
	struct lease_file list[LEASE_FILES_MAX]; /* the newest first */
	uint32_t n;
	/* the last file that was left out, and why: "/x is a symbolic link"; or "" */
	char refused[PATH_MAX + 64];
};

/*
 * Open the lease files for an interface below `root` ("" except in tests). Only regular
 * files of a bounded size are opened, and symbolic links are followed in /etc only,
 * because the directory of a lease file may belong to another user.
 */
void lease_files_find(const char *root, const char *interface, int ifindex,
		      struct lease_files *leases);

/* Close all descriptors. */
void lease_files_close(struct lease_files *leases);

/* Return the name of the program that writes this format. */
const char *lease_files_program(enum migrate_format format);

/* Return true if a process of this name (/proc/PID/comm) writes the format: a dhclient
 * may have been started by NetworkManager or by a person. */
bool lease_files_is_written_by(enum migrate_format format, const char *comm);

#endif
