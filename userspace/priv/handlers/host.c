/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the host name from /hostname, only if the operator enables it: prompts,
 * logs and other programs use this name, and a server on the network chooses it.
 * If the name is too long for the kernel, only its first label is used.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/value.h"
#include "userspace/priv/handlers/handler.h"
#include "userspace/priv/handlers/name.h"
#include "userspace/priv/handlers/shared.h"

static const struct handler_family host_families[] = {
	{ "/hostname", FAMILY_TYPE(VALUE_HOSTNAME), FAMILY_PROVIDERS },
};

static int host_apply(struct handler_context *context, const struct wanted *wanted)
{
	const struct kv_value *value = wanted_get(shared_begin(context, wanted), "/hostname");
	char name[KV_VALUE_SIZE];

	if (!value || !context->options->use_hostname)
		return name_set(context, NAME_HOST, NULL);
	if (!value_is_hostname(value->text))
		return handler_fail(context, -EBADMSG, "/hostname is \"%s\"", value->text);
	(void)snprintf(name, sizeof(name), "%s", value->text);
	if (strlen(name) > NAME_LENGTH_MAX)
		name[strcspn(name, ".")] = '\0';
	return name_set(context, NAME_HOST, name);
}

const struct handler handler_host = {
	.name = "host",
	.effect = "the host name",
	.families = host_families,
	.n_families = sizeof(host_families) / sizeof(host_families[0]),
	.apply = host_apply,
};
