/* SPDX-License-Identifier: Apache-2.0 */
/* state.json as the supervisor writes it, member by member as docs/state.md has
 * them, and read back. */
#include <errno.h>

#include "tests/unit/scratch.h"
#include "userspace/priv/supervisor/supervisor-private.h"
#include "userspace/state/state.h"

TestSuite(supervisor_state, .init = scratch_make, .fini = scratch_remove);

static struct supervisor s;
static struct options options = { .audit = "/var/log/a" };
static struct description description = { .name = "dhcp4", .n_metrics = 2 };

static const char *audit_of(const char *audit, int fd)
{
	static char text[64];
	char error[STATE_ERROR_SIZE];
	json_t *state;

	s.options = &options;
	snprintf(options.audit, sizeof(options.audit), "%s", audit);
	options.audit_fd = fd;
	snprintf(s.instance.directory, sizeof(s.instance.directory), "%s", scratch);
	supervisor_write_state(&s);
	state = state_load(scratch_path("state.json"), error);
	snprintf(text, sizeof(text), "%s", json_string_value(json_object_get(state, "audit")));
	json_decref(state);
	return text;
}

/* Never a path that means another file to the reader. */
Test(supervisor_state, U39_audit_log_that_is_no_file)
{
	cr_expect_str_eq(audit_of("none", 0), "none");
	cr_expect_str_eq(audit_of("-", 1), "stdout");
	cr_expect_str_eq(audit_of("/dev/stdout", 1), "stdout");
	cr_expect_str_eq(audit_of("/dev/stderr", 2), "stderr");
	cr_expect_str_eq(audit_of("/dev/fd/63", 63), "fd 63");
	cr_expect_str_eq(audit_of("/dev/tty1", 0), "/dev/tty1");
}

Test(supervisor_state, every_member)
{
	static const char expected[] =
		"{s:i, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:{s:b, s:i, s:s, s:i}, s:i, s:I, s:b, s:s, s:b, s:i,"
		" s:[{s:s, s:s, s:i, s:i, s:i, s:i, s:{s:b, s:i, s:s, s:i}, s:i, s:[s, s], s:[{s:s, s:s, s:i, s:i, s:i, s:s}]}]}";
	json_t *state, *kernel, *wanted;
	char error[STATE_ERROR_SIZE];

	s.options = &options;
	snprintf(s.instance.directory, sizeof(s.instance.directory), "%s", scratch);
	snprintf(s.uplink.name, sizeof(s.uplink.name), "eth0");
	s.framed[2] = &description;
	snprintf(s.taps[2].name, sizeof(s.taps[2].name), "calf0");
	s.frames.mode = FRAME_MODE_TC;
	s.frames.hook = FRAME_HOOK_TCX;
	snprintf(s.frames.mode_reason, sizeof(s.frames.mode_reason), "as configured");
	snprintf(s.runtime.path, sizeof(s.runtime.path), "/usr/bin/runc");
	s.launcher.pid = 8;
	s.watcher_pid = 6;
	s.watcher_restart = (struct restart){ .n_restarts = 2 };
	s.watcher_report_fd = 5;
	s.uid_base = 1879048192;
	s.started_ns = 123456789012;
	s.store.adopted = true;
	s.kernel.error[0] = -EPERM;
	s.kernel.error[1] = ENODATA;
	snprintf(description.metrics[0].name, sizeof(description.metrics[0].name), "sent");
	snprintf(description.metrics[1].name, sizeof(description.metrics[1].name), "received");
	description.n_keys = 2;
	description.keys[0] = (struct key_rule){ .path = "/mac", .access = KV_ACCESS_READ };
	description.keys[1] = (struct key_rule){ .path = "/ntp/",
						 .access = KV_ACCESS_WRITE,
						 .rule = { VALUE_IPV4, 1, 2, 15, 0, "a b" } };
	s.n_pairs = 1;
	s.pairs[0].pair.description = &description;
	s.pairs[0].pair.calf_pid = 7;
	s.pairs[0].pair.gateway_pid = 8;
	s.pairs[0].restart = (struct restart){
		.n_restarts = 3, .n_failures = 3, .next_ns = 99, .reason = "exited with code 1"
	};
	s.pairs[0].pair.launch.fds.metrics = 9;

	supervisor_write_state(&s);
	state = state_load(scratch_path("state.json"), error);
	cr_assert_not_null(state, "%s", error);
	kernel = json_incref(json_object_get(state, "kernel"));
	cr_expect_eq(json_object_size(kernel), _PROBE_FEATURE_N);
	cr_expect_str_eq(json_string_value(json_object_get(kernel, probe_feature_name(0))),
			 "missing");
	cr_expect_str_eq(json_string_value(json_object_get(kernel, probe_feature_name(1))),
			 "not tried");
	cr_expect_str_eq(json_string_value(json_object_get(kernel, probe_feature_name(2))), "ok");
	json_decref(kernel);
	json_object_del(state, "kernel");
	wanted = json_pack(expected, "version", 1, "pid", (int)getpid(), "uplink", "eth0", "tap",
			   "calf0", "mode", "tc", "hook", "tcx", "mode_reason", "as configured",
			   "runtime", "/usr/bin/runc", "launcher_pid", 8, "watcher_pid", 6,
			   "watcher_restarts", 2, "watcher_restart", "failed", 0, "failures", 0,
			   "reason", "", "next_boot_ns", 0, "watcher_report_fd", 5,
			   "started_boot_ns", (json_int_t)123456789012, "store_adopted", 1, "audit",
			   "/var/log/a", "syslog", 0, "uid_base", 1879048192, "calves", "name",
			   "dhcp4", "tap", "calf0", "filter", 2, "pid", 7, "gateway_pid", 8,
			   "restarts", 3, "restart", "failed", 1, "failures", 3, "reason",
			   "exited with code 1", "next_boot_ns", 99, "metrics_fd", 9, "metrics",
			   "sent", "received", "keys", "path", "/ntp/", "type", "ipv4", "min", 1,
			   "max", 2, "max_length", 15, "choices", "a b");
	cr_assert_not_null(wanted);
	if (!json_equal(state, wanted))
		json_dumpf(state, stderr, JSON_INDENT(1));
	cr_expect(json_equal(state, wanted));
	json_decref(wanted);
	json_decref(state);
}
