/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the grammar of requests
 *
 * What the calf may say is frozen before it starts: the options that a DHCP client
 * writes and those of the operator's `send`, how long a request may be, and how many
 * transactions may begin. A change takes effect when the instance starts again.
 */
#include <string.h>

#include "userspace/common/clock.h"
#include "userspace/common/value.h"
#include "userspace/priv/supervisor/supervisor-private.h"

#define TRANSACTIONS_SAVED 60
#define IP_AND_UDP 28
#define NS_PER_HOUR (3600 * NS_PER_S)

/* Returns the value of a calf's option, or NULL. */
static const char *option_of(const struct supervisor *s, const struct description *description,
			     const char *name)
{
	const struct configuration_option *option =
		configuration_find_option(&s->configuration, description->name, name);

	return option ? option->value : NULL;
}

/* Set the options that the calf may write. */
static void set_codes(const struct supervisor *s, const struct description *description,
		      struct frame_grammar *grammar)
{
	/* host name, requested address, type, server, parameters, text, size, classes,
	 * client identifier, rapid commit, FQDN */
	static const uint8_t own[] = { 12, 50, 53, 54, 55, 56, 57, 60, 61, 77, 80, 81 };
	const char *send = option_of(s, description, "send");
	uint8_t bytes[KV_VALUE_SIZE];
	uint32_t code = 0;
	size_t size;

	for (size_t i = 0; i < sizeof(own); i++)
		grammar->codes[own[i]] = FRAME_CODE_SENT;
	while (send && *send != '\0' &&
	       !value_next_numbered_hex(&send, UINT8_MAX - 1, &code, bytes, sizeof(bytes), &size))
		grammar->codes[code] = FRAME_CODE_SENT;
}

void supervisor_make_grammar(const struct supervisor *s, const struct description *description,
			     struct frame_grammar *grammar)
{
	*grammar = (struct frame_grammar){
		.transaction_interval_ns = NS_PER_HOUR / s->configuration.transactions_per_hour,
		.max_size = s->configuration.request_max_size - IP_AND_UDP,
	};
	grammar->transaction_burst_ns = (TRANSACTIONS_SAVED - 1) * grammar->transaction_interval_ns;
	set_codes(s, description, grammar);
}
