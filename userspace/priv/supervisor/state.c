/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "userspace/common/log.h"
#include "userspace/priv/supervisor/supervisor-private.h"
#include "userspace/state/state.h"

static json_t *describe_restart(const struct restart *restart)
{
	return json_pack("{s:b, s:i, s:s, s:I}", STATE_RESTART_FAILED, restart_is_failed(restart),
			 STATE_RESTART_FAILURES, (int)restart->n_failures, STATE_RESTART_REASON,
			 restart->reason, STATE_RESTART_NEXT, (json_int_t)restart->next_ns);
}

/* A number that JSON's integers cannot hold is a string. */
static json_t *describe_max(const struct value_rule *rule)
{
	char text[VALUE_64_SIZE];

	if (rule->max <= INT64_MAX || value_type_is_signed(rule->type))
		return json_integer((json_int_t)rule->max);
	snprintf(text, sizeof(text), "%" PRIu64, rule->max);
	return json_string(text);
}

/* The types of what the calf writes, so that the command line can check the values. */
static json_t *describe_keys(const struct description *description)
{
	json_t *keys = json_array();

	for (uint32_t i = 0; i < description->n_keys; i++) {
		const struct key_rule *key = &description->keys[i];

		if (key->access & KV_ACCESS_WRITE)
			json_array_append_new(
				keys, json_pack("{s:s, s:s, s:I, s:o, s:i, s:s}", STATE_KEY_PATH,
						key->path, STATE_KEY_TYPE,
						value_type_name(key->rule.type), STATE_KEY_MIN,
						(json_int_t)key->rule.min, STATE_KEY_MAX,
						describe_max(&key->rule), STATE_KEY_MAX_LENGTH,
						(int)key->rule.max_length, STATE_KEY_CHOICES,
						key->rule.choices));
	}
	return keys;
}

static const char *tap_name(const struct supervisor *s, const struct description *description)
{
	const struct tap *tap = supervisor_tap_of(s, description);

	return tap ? tap->name : "";
}

/* Returns the tap of the first calf that has one, or "". */
static const char *first_tap(const struct supervisor *s)
{
	const char *name = "";

	for (uint32_t i = 0; !*name && i < s->n_pairs; i++)
		name = tap_name(s, s->pairs[i].pair.description);
	return name;
}

static json_t *describe_pair(const struct supervisor *s, const struct supervised_pair *supervised)
{
	const struct pair *pair = &supervised->pair;
	const struct description *description = pair->description;
	json_t *metrics = json_array();

	for (uint32_t i = 0; i < description->n_metrics; i++)
		json_array_append_new(metrics, json_string(description->metrics[i].name));
	return json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:o, s:i, s:o, s:o}", STATE_CALF_NAME,
			 description->name, STATE_CALF_TAP, tap_name(s, description),
			 STATE_CALF_FILTER, supervisor_number_of(s, description), STATE_CALF_PID,
			 (int)pair->calf_pid, STATE_CALF_GATEWAY_PID, (int)pair->gateway_pid,
			 STATE_CALF_RESTARTS, (int)supervised->restart.n_restarts,
			 STATE_CALF_RESTART, describe_restart(&supervised->restart),
			 STATE_CALF_METRICS_FD, pair->launch.fds.metrics, STATE_CALF_METRICS,
			 metrics, STATE_CALF_KEYS, describe_keys(description));
}

/* {"tcx": "ok", "clsact": "not tried", ...} */
static json_t *describe_kernel(const struct probe_kernel *kernel)
{
	json_t *features = json_object();

	for (int i = 0; i < _PROBE_FEATURE_N; i++)
		json_object_set_new(features, probe_feature_name((enum probe_feature)i),
				    json_string(kernel->error[i] == 0 ? STATE_KERNEL_OK :
						kernel->error[i] == ENODATA ||
								kernel->error[i] == -ENODATA ?
									STATE_KERNEL_NOT_TRIED :
									STATE_KERNEL_MISSING));
	return features;
}

static const char *describe_audit(const struct options *options, char text[static 16])
{
	int fd = options->audit_fd;

	if (options_has_audit_file(options))
		return options->audit;
	if (!fd)
		return STATE_AUDIT_NONE;
	(void)snprintf(text, 16, "fd %d", fd);
	return fd == 1 ? STATE_AUDIT_STDOUT : fd == 2 ? STATE_AUDIT_STDERR : text;
}

void supervisor_write_state(const struct supervisor *s)
{
	json_t *calves = json_array(), *state;
	char *text, audit[16];

	for (uint32_t i = 0; i < s->n_pairs; i++)
		json_array_append_new(calves, describe_pair(s, &s->pairs[i]));
	state = json_pack(
		"{s:i, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:o, s:i, s:I, s:b, s:s, s:b, s:I, s:o, s:o}",
		STATE_MEMBER_VERSION, STATE_VERSION, STATE_PID, getpid(), STATE_UPLINK,
		s->uplink.name, STATE_TAP, first_tap(s), STATE_MODE,
		frames_mode_name(s->frames.mode), STATE_HOOK, frames_hook_name(s->frames.hook),
		STATE_MODE_REASON, s->frames.mode_reason, STATE_RUNTIME, s->runtime.path,
		STATE_LAUNCHER_PID, s->launcher.is_gone ? 0 : (int)s->launcher.pid,
		STATE_WATCHER_PID, (int)s->watcher_pid, STATE_WATCHER_RESTARTS,
		(int)s->watcher_restart.n_restarts, STATE_WATCHER_RESTART,
		describe_restart(&s->watcher_restart), STATE_WATCHER_REPORT_FD,
		s->watcher_report_fd, STATE_STARTED, (json_int_t)s->started_ns, STATE_STORE_ADOPTED,
		(int)s->store.adopted, STATE_AUDIT, describe_audit(s->options, audit), STATE_SYSLOG,
		s->configuration.syslog, STATE_UID_BASE, (json_int_t)s->uid_base, STATE_KERNEL,
		describe_kernel(&s->kernel), STATE_CALVES, calves);
	text = state ? json_dumps(state, JSON_INDENT(1)) : NULL;
	if (text)
		instance_write_state(&s->instance, text);
	else
		log_warning("%s/" STATE_FILE ": cannot encode it", s->instance.directory);
	free(text);
	json_decref(state);
}
