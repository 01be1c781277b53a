/* SPDX-License-Identifier: Apache-2.0 */
/* Names out of options 12, 15 (RFC 2132), 81 (RFC 4702) and 119 (RFC 3397). */
#ifndef CALFPEN_CALF_DHCP4_MESSAGE_NAMES_H
#define CALFPEN_CALF_DHCP4_MESSAGE_NAMES_H

#include "userspace/calf/dhcp4/message/message.h"
#include "userspace/calf/dhcp4/message/options.h"
#include "userspace/common/value.h"

/*
 * Option 15: the first valid host name of those that blanks separate becomes
 * `domain`; where there are several, all of them become `search`. What is not
 * given stays "". A NUL inside rejects the option; NULs and a dot at the end
 * are dropped.
 */
void names_parse_domain(const struct option *option, char domain[static KV_VALUE_SIZE],
			char search[static KV_VALUE_SIZE]);

/*
 * Option 119, joined: names in wire form (RFC 1035 3.1). Compression pointers
 * go backwards only. Any malformed name rejects the whole list: `search` is
 * "". Names that are no host names, and what does not fit, are left out.
 * Returns how many did not fit.
 */
unsigned int names_parse_search(const struct option *option, char search[static KV_VALUE_SIZE]);

/* Option 12: a host name, qualified or not, NULs and a dot at its end dropped.
 * `name` is untouched if it is none. */
void names_parse_host_name(const struct option *option, char name[static MESSAGE_NAME_SIZE]);

/* Option 81, the same: the name in wire form, also without its root, or else
 * as text, whatever the flag E says. */
void names_parse_fqdn(const struct option *option, char name[static MESSAGE_NAME_SIZE]);

/* The name in wire form without pointers at `reader`, which is stepped over
 * it. False, with `name` untouched, if it is none that a host may have. */
bool names_take_plain(struct bytes_reader *reader, char name[static MESSAGE_NAME_SIZE]);

#endif
