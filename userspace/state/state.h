/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RUN_ROOT/INSTANCE/state.json: the supervisor's report about its processes,
 * for `calfpen status` and for the next start. The supervisor writes it; the
 * command line and the next supervisor read it. docs/state.md explains the
 * members below.
 *
 * Increase STATE_VERSION when a member is removed or renamed, or changes its
 * meaning or type; a new member does not change the version. Readers accept no
 * other version.
 */
#ifndef CALFPEN_STATE_STATE_H
#define CALFPEN_STATE_STATE_H

#include <jansson.h>
#include <limits.h>

#define STATE_FILE "state.json"
#define STATE_VERSION 1
#define STATE_SIZE_MAX ((size_t)1048576) /* more than all calves and metrics need */

#define STATE_MEMBER_VERSION "version"
#define STATE_PID "pid"
#define STATE_UPLINK "uplink"
#define STATE_TAP "tap"
#define STATE_MODE "mode"
#define STATE_HOOK "hook"
#define STATE_MODE_REASON "mode_reason"
#define STATE_RUNTIME "runtime"
#define STATE_LAUNCHER_PID "launcher_pid" /* 0: gone, so nothing can be restarted */
#define STATE_WATCHER_PID "watcher_pid"
#define STATE_WATCHER_RESTARTS "watcher_restarts"
#define STATE_WATCHER_RESTART "watcher_restart"
#define STATE_WATCHER_REPORT_FD "watcher_report_fd"
#define STATE_STARTED "started_boot_ns"
#define STATE_STORE_ADOPTED "store_adopted"
#define STATE_AUDIT "audit" /* a path, or one of the values below, or "fd N" */
#define STATE_SYSLOG "syslog"
#define STATE_UID_BASE "uid_base"
#define STATE_KERNEL "kernel"
#define STATE_CALVES "calves"

/* of each element of STATE_CALVES */
#define STATE_CALF_NAME "name"
#define STATE_CALF_TAP "tap"
#define STATE_CALF_FILTER "filter"
#define STATE_CALF_PID "pid"
#define STATE_CALF_GATEWAY_PID "gateway_pid"
#define STATE_CALF_RESTARTS "restarts"
#define STATE_CALF_RESTART "restart"
#define STATE_CALF_METRICS_FD "metrics_fd"
#define STATE_CALF_METRICS "metrics"
#define STATE_CALF_KEYS "keys" /* that it may write */

/* of each element of STATE_CALF_KEYS */
#define STATE_KEY_PATH "path" /* a directory ends with a slash */
#define STATE_KEY_TYPE "type" /* value_type_name() */
#define STATE_KEY_MIN "min"
#define STATE_KEY_MAX "max"
#define STATE_KEY_MAX_LENGTH "max_length"
#define STATE_KEY_CHOICES "choices"

/* of STATE_WATCHER_RESTART and STATE_CALF_RESTART */
#define STATE_RESTART_FAILED "failed"
#define STATE_RESTART_FAILURES "failures"
#define STATE_RESTART_REASON "reason"
#define STATE_RESTART_NEXT "next_boot_ns"

/* values of STATE_AUDIT that are no paths */
#define STATE_AUDIT_NONE "none"
#define STATE_AUDIT_STDOUT "stdout"
#define STATE_AUDIT_STDERR "stderr"

/* values of the members of STATE_KERNEL */
#define STATE_KERNEL_OK "ok"
#define STATE_KERNEL_MISSING "missing"
#define STATE_KERNEL_NOT_TRIED "not tried"

#define STATE_ERROR_SIZE (PATH_MAX + 256)

/*
 * Read the file at `path`. Returns a new reference to an object of
 * STATE_VERSION, or NULL. Then `error` is "" if the file does not exist, else
 * "PATH: reason", printable, to which the caller appends what to do.
 */
json_t *state_load(const char *path, char error[static STATE_ERROR_SIZE]);

#endif
