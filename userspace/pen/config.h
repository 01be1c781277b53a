/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json of a bundle, as far as the pen supports it. Every field must be known and
 * have a value that the pen can honour; otherwise the bundle is refused with the field's
 * name, because a field that is skipped could be a limit that is not set.
 *
 * Some fields ask for what the pen never gives, so nothing is done for them: the mounts of
 * /proc and /dev, and the paths below /proc to hide. linux.seccomp must allow by name what
 * the pen's own list (filter.h) allows, which is shorter.
 */
#ifndef CALFPEN_PEN_CONFIG_H
#define CALFPEN_PEN_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#define PEN_ERROR_SIZE 768
#define PEN_HOSTNAME_SIZE 65
#define PEN_ARGUMENTS_MAX 16
#define PEN_ARGUMENTS_SIZE 4096
#define PEN_CGROUP_SIZE 1024

struct pen_limit {
	enum __rlimit_resource resource;
	struct rlimit value;
};

struct pen_config {
	char program[PATH_MAX]; /* file to execute, seen from the host */
	char hostname[PEN_HOSTNAME_SIZE];
	char arguments[PEN_ARGUMENTS_SIZE];    /* that argv points to */
	char *argv[PEN_ARGUMENTS_MAX + 1];     /* ends with NULL */
	struct pen_limit limits[RLIM_NLIMITS]; /* each resource at most once */
	size_t n_limits;
	uint32_t uid, gid; /* of the host, to which 0 is mapped */
	bool has_oom_score_adj;
	int oom_score_adj;
	char cgroup[PEN_CGROUP_SIZE]; /* "/PARENT/NAME", below the root of each hierarchy */
	uint64_t memory_bytes;
	uint64_t pids;
	uint64_t cpu_quota_us, cpu_period_us; /* 0: no limit */
};

/* Read the text of a config.json in directory `bundle`. Returns 0, or -EINVAL or -ENOMEM
 * with "FIELD: reason" in `error`. *configp must not be moved, because argv points into it. */
int pen_config_parse(const char *text, size_t length, const char *bundle,
		     struct pen_config *configp, char error[PEN_ERROR_SIZE]);

/* The same for the file BUNDLE/config.json; other negative errnos with "PATH: reason". */
int pen_config_read(const char *bundle, struct pen_config *configp, char error[PEN_ERROR_SIZE]);

#endif
