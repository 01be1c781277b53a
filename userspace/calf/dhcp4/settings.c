/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/dhcp4/settings.h"

#include <errno.h>
#include <string.h>

#include "userspace/calf/sdk/check.h"
#include "userspace/common/log.h"

_Static_assert(SETTINGS_KEYS <= CALF_PENDING_MAX, "all keys are asked for at once");

/* Returns 0, or -EINVAL, logged. */
static int take_value(void *data, unsigned int i, int status, const char *text, size_t length)
{
	struct settings *settings = data;
	const char *wanted = "a text";

	if (status == CALF_OK && (strlen(text) != length ||
				  settings_values_take(&settings->values, i, text, &wanted) < 0)) {
		log_error("%s: invalid value \"%s\": expected %s", settings_path(i), text, wanted);
		return -EINVAL;
	}
	/* Only the first key, /mac, must exist. */
	if (status < 0 && (status != CALF_NOT_FOUND || i == 0)) {
		log_error("cannot read %s: %s", settings_path(i), text);
		return status;
	}
	return 0;
}

/* Returns 0, or -EINVAL, logged. */
static int finish_values(struct settings *settings, uint32_t random)
{
	const char *wrong;
	int r = settings_values_finish(&settings->values, random, &settings->config, &wrong);

	if (r < 0)
		log_error("/config/dhcp4: %s", wrong);
	return r < 0 ? -EINVAL : 0;
}

static void finish(void *data)
{
	struct settings *settings = data;
	uint32_t random;

	settings->calf->random(&random, sizeof(random));
	if (finish_values(settings, random)) {
		calf_stop(settings->calf, -EINVAL);
		return;
	}
	settings->policy = settings->values.policy;
	settings->done(settings->data);
}

int settings_read(struct settings *settings, struct calf *calf, void (*done)(void *data),
		  void *data)
{
	*settings = (struct settings){ .calf = calf, .done = done, .data = data };
	settings_values_init(&settings->values);
	return keys_read(&settings->keys, calf, settings_path, SETTINGS_KEYS, take_value, finish,
			 settings);
}

/* The uplink's address is not known yet, and may come before the calf starts. */
static int finish_check(void *data)
{
	struct settings *settings = data;

	settings->values.inform_address = false;
	return finish_values(settings, 0);
}

int settings_check(struct settings *settings)
{
	*settings = (struct settings){ .calf = NULL };
	settings_values_init(&settings->values);
	return check_keys(settings_path, SETTINGS_KEYS, take_value, finish_check, settings);
}
