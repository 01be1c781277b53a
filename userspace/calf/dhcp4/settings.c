/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/dhcp4/settings.h"

#include <errno.h>
#include <string.h>

#include "userspace/common/log.h"

#define RETRY_NS 100000000ull

_Static_assert(SETTINGS_KEYS <= CALF_PENDING_MAX, "all keys are asked for at once");

static void stop(struct settings *settings, int status)
{
	calf_stop(settings->calf, status);
}

static void finish(struct settings *settings)
{
	const char *wrong;
	uint32_t random;

	settings->calf->random(&random, sizeof(random));
	if (settings_values_finish(&settings->values, random, &settings->config, &wrong) < 0) {
		log_error("/config: %s", wrong);
		stop(settings, -EINVAL);
		return;
	}
	settings->policy = settings->values.policy;
	loop_remove_timer(&settings->calf->loop, &settings->retry);
	settings->done(settings->data);
}

static bool is_complete(const struct settings *settings)
{
	for (unsigned int i = 0; i < SETTINGS_KEYS; i++)
		if (!settings->keys[i].is_done)
			return false;
	return true;
}

static void on_response(struct calf *calf, int status, const char *text, size_t length, void *data)
{
	struct settings_key *key = data;
	struct settings *settings = key->settings;
	unsigned int i = (unsigned int)(key - settings->keys);
	const char *path = settings_path(i), *wanted = "a text";

	key->is_asked = false;
	if (calf->loop.stop)
		return; /* another one was wrong */
	if (status == -EAGAIN) {
		loop_timer_set(&settings->retry, calf->loop.now_ns() + RETRY_NS);
		return;
	}
	if (status == 0 && (strlen(text) != length ||
			    settings_values_take(&settings->values, i, text, &wanted) < 0)) {
		log_error("%s is \"%s\", not %s", path, text, wanted);
		stop(settings, -EINVAL);
		return;
	}
	if (status < 0 && (status != -ENOENT || i == 0)) {
		log_error("%s: %s", path, text);
		stop(settings, status);
		return;
	}
	key->is_done = true;
	if (is_complete(settings))
		finish(settings);
}

static int ask(struct settings *settings)
{
	for (unsigned int i = 0; i < SETTINGS_KEYS; i++) {
		struct settings_key *key = &settings->keys[i];
		int r;

		if (key->is_done || key->is_asked)
			continue;
		r = calf_store_read(settings->calf, settings_path(i), on_response, key);
		if (r < 0) {
			log_error("%s: %s", settings_path(i), strerrordesc_np(-r));
			return r;
		}
		key->is_asked = true;
	}
	return 0;
}

static int on_retry(struct loop *loop, uint64_t now_ns, void *data)
{
	(void)loop;
	(void)now_ns;
	return ask(data);
}

int settings_read(struct settings *settings, struct calf *calf, void (*done)(void *data),
		  void *data)
{
	int r;

	*settings = (struct settings){ .calf = calf, .done = done, .data = data };
	settings_values_init(&settings->values);
	for (unsigned int i = 0; i < SETTINGS_KEYS; i++)
		settings->keys[i].settings = settings;
	r = loop_add_timer(&calf->loop, &settings->retry, on_retry, settings);
	if (r < 0) {
		log_error("event loop: %s", strerrordesc_np(-r));
		return r;
	}
	return ask(settings);
}
