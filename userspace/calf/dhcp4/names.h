/* SPDX-License-Identifier: Apache-2.0 */
/* Domain names out of options 15 (RFC 2132) and 119 (RFC 3397). */
#ifndef CALFPEN_CALF_DHCP4_NAMES_H
#define CALFPEN_CALF_DHCP4_NAMES_H

#include "userspace/calf/dhcp4/options.h"
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
 */
void names_parse_search(const struct option *option, char search[static KV_VALUE_SIZE]);

#endif
