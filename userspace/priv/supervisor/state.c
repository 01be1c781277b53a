/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "userspace/priv/supervisor/supervisor-private.h"

static json_t *describe_pair(const struct pair *pair)
{
	json_t *metrics = json_array();
	const struct description *description = pair->description;

	for (uint32_t i = 0; i < description->n_metrics; i++)
		json_array_append_new(metrics, json_string(description->metrics[i].name));
	return json_pack("{s:s, s:i, s:i, s:i, s:i, s:o}", "name", description->name, "pid",
			 (int)pair->calf_pid, "gateway_pid", (int)pair->gateway_pid, "restarts",
			 (int)pair->n_restarts, "metrics_fd", pair->metrics_fd, "metrics", metrics);
}

/* {"tcx": "ok", "clsact": "not tried", ...} */
static json_t *describe_kernel(const struct probe_kernel *kernel)
{
	json_t *features = json_object();

	for (int i = 0; i < _PROBE_FEATURE_N; i++)
		json_object_set_new(features, probe_feature_name((enum probe_feature)i),
				    json_string(kernel->error[i] == 0 ? "ok" :
						kernel->error[i] == ENODATA ||
								kernel->error[i] == -ENODATA ?
									"not tried" :
									"missing"));
	return features;
}

void supervisor_write_state(const struct supervisor *s)
{
	json_t *calves = json_array(), *state;
	char *text;

	for (uint32_t i = 0; i < s->n_pairs; i++)
		json_array_append_new(calves, describe_pair(&s->pairs[i].pair));
	state = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:I, s:b, s:s, s:o, s:o}",
			  "pid", getpid(), "uplink", s->uplink.name, "tap", s->tap.name, "mode",
			  frames_mode_name(s->frames.mode), "hook",
			  frames_hook_name(s->frames.hook), "mode_reason", s->frames.mode_reason,
			  "runtime", s->runtime.path, "watcher_pid", (int)s->watcher_pid,
			  "watcher_restarts", (int)s->n_watcher_restarts, "started_boot_ns",
			  (json_int_t)s->started_ns, "store_adopted", (int)s->store.adopted,
			  "audit", s->options->audit, "kernel", describe_kernel(&s->kernel),
			  "calves", calves);
	text = state ? json_dumps(state, JSON_INDENT(1)) : NULL;
	if (text)
		instance_write_state(&s->instance, text);
	free(text);
	json_decref(state);
}
