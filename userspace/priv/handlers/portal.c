/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the URI of the captive portal (RFC 8910), of the first provider (provider.h) that has
 * one, in RUN_ROOT/INSTANCE/captive-portal, for any program that wants it. Nothing is
 * requested from it. Providers that differ are a note: one of them may be somebody who wants
 * to be asked for passwords.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/value.h"
#include "userspace/priv/handlers/handler.h"
#include "userspace/priv/handlers/provider.h"
#include "userspace/priv/handlers/shared.h"

#define FAMILY "/captive-portal"

static const struct handler_family portal_families[] = {
	{ FAMILY, FAMILY_TYPE(VALUE_URI), FAMILY_PROVIDERS },
};

/* Whoever reads the file may hand its content to a browser. */
static bool is_portal(const char *text)
{
	static const struct value_rule rule = { .type = VALUE_URI, .max_length = KV_VALUE_MAX };

	return !value_check(&rule, text, strlen(text)) &&
	       (!strncasecmp(text, "https://", 8) || !strncasecmp(text, "http://", 7));
}

/* Set *usedp to the first value that counts, or NULL. Returns 0, or -EBADMSG as
 * handler_fail(). */
static int find_portal(struct handler_context *context, const struct provider_value *values,
		       uint32_t n, const struct provider_value **usedp)
{
	const struct provider_value *used = NULL;
	int r = 0;

	for (uint32_t i = 0; i < n; i++) {
		const char *text = values[i].value->text;

		if (!is_portal(text))
			r = handler_first(r, handler_fail(context, -EBADMSG, "%.63s is \"%s\"",
							  values[i].path, text));
		else if (!used)
			used = &values[i];
		else if (strcmp(text, used->value->text) != 0)
			handler_note(context,
				     "%.31s is %.50s, but %.31s is %.50s; the first one counts",
				     used->path, used->value->text, values[i].path, text);
	}
	*usedp = used;
	return r;
}

static bool is_to_be_removed(const char *instance, const char *text, bool is_over, void *data)
{
	(void)instance;
	(void)text;
	(void)data;
	return is_over;
}

static int portal_apply(struct handler_context *context, const struct wanted *wanted)
{
	bool is_leased = shared_begin(context, wanted);
	struct provider_value values[PROVIDER_VALUES_MAX];
	uint32_t n = provider_find_values(context, wanted, FAMILY, NULL, is_leased, values);
	struct shared_text text = { .text = NULL };
	const struct provider_value *used;
	char line[KV_VALUE_SIZE + 1];
	int error, lock, r;

	error = find_portal(context, values, n, &used);
	if (used) {
		text.text = line;
		text.length = (size_t)snprintf(line, sizeof(line), "%s\n", used->value->text);
		text.ends = used->is_own;
	}
	r = shared_lock(context, &lock);
	if (r)
		return handler_first(error, r);
	r = shared_say(context, SHARED_PORTAL, &text);
	if (!r)
		r = shared_each(context, SHARED_PORTAL, is_to_be_removed, NULL);
	shared_unlock(lock);
	return handler_first(error, r);
}

const struct handler handler_portal = {
	.name = "portal",
	.effect = "the URI of the captive portal",
	.families = portal_families,
	.n_families = sizeof(portal_families) / sizeof(portal_families[0]),
	.apply = portal_apply,
};
