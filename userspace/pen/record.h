/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the pen remembers of a container: the directory ROOT/ID with the file "record" and the
 * pipe "start", which the container's process waits for. It is written before anything
 * else is created, so that whatever a killed pen leaves can be found.
 */
#ifndef CALFPEN_PEN_RECORD_H
#define CALFPEN_PEN_RECORD_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include "userspace/pen/config.h"

struct pen_record {
	char bundle[PATH_MAX]; /* absolute */
	char cgroup[PEN_CGROUP_SIZE];
	pid_t pid;	/* 0: there is no process yet */
	uint64_t start; /* time of its start, field 22 of /proc/PID/stat */
};

/* Create the directory ROOT/ID, and ROOT if it is missing, with the record and the pipe.
 * Returns a descriptor of the directory, or a negative errno, reported; then nothing is
 * left. -EEXIST: there is a container of this name. */
int pen_record_create(const char *root, const char *id, const struct pen_record *record);

/* Open ROOT/ID and read its record. Returns a descriptor of the directory, or a negative errno,
 * not reported; -ENOENT: there is no such container. A directory without a record, which a
 * killed pen left, has an empty one. */
int pen_record_open(const char *root, const char *id, struct pen_record *recordp);

/* Replace the record in one step. Returns 0 or a negative errno, not reported. */
int pen_record_write(int directory_fd, const struct pen_record *record);

/* Remove ROOT/ID. Returns 0 or a negative errno, not reported. */
int pen_record_remove(const char *root, const char *id);

#define PEN_START_PIPE "start"

#endif
