/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the host name of the first provider (provider.h) that has one, only if the operator
 * enables it: prompts, logs and other programs use this name, and a server on the network
 * chooses it.
 * If the name is too long for the kernel, only its first label is used.
 */
#include "userspace/common/value.h"
#include "userspace/priv/handlers/handler.h"
#include "userspace/priv/handlers/name.h"
#include "userspace/priv/handlers/shared.h"

static const struct handler_family host_families[] = {
	{ "/hostname", FAMILY_TYPE(VALUE_HOSTNAME), FAMILY_PROVIDERS },
};

static int host_apply(struct handler_context *context, const struct wanted *wanted)
{
	bool is_leased = shared_begin(context, wanted);
	const char *family = context->options->use_hostname ? "/hostname" : NULL;

	return name_set(context, NAME_HOST, wanted, family, is_leased);
}

const struct handler handler_host = {
	.name = "host",
	.effect = "the host name",
	.families = host_families,
	.n_families = sizeof(host_families) / sizeof(host_families[0]),
	.apply = host_apply,
};
