/* SPDX-License-Identifier: Apache-2.0 */
/* Names from options 12, 15 (RFC 2132), 81 (RFC 4702) and 119 (RFC 3397). */
#ifndef CALFPEN_CALF_DHCP4_MESSAGE_NAMES_H
#define CALFPEN_CALF_DHCP4_MESSAGE_NAMES_H

#include "userspace/calf/dhcp4/message/message.h"
#include "userspace/calf/dhcp4/message/options.h"
#include "userspace/common/value.h"

/* Options without octets, or with nothing but NULs, have no name. Everything
 * else that is not used as a name is added to `flaws`. */

/*
 * Parse option 15. Its text may have several names, separated by blanks and by
 * nothing else; a dot before or after each is dropped. The first host name
 * becomes `domain`. If there are several names, or one that is no host name but
 * can be searched, all of them become `search`. Otherwise the outputs remain "".
 * A NUL in the text rejects the option; NULs at the end are dropped.
 */
void names_parse_domain(const struct option *option, char domain[static KV_VALUE_SIZE],
			char search[static KV_VALUE_SIZE], struct flaws *flaws);

/*
 * Parse option 119, joined: names in wire form (RFC 1035 3.1) whose compression
 * pointers point backwards. A malformed name rejects the whole list: `search`
 * is "". Names that cannot be searched, and names that do not fit, are omitted.
 * Returns how many did not fit.
 */
unsigned int names_parse_search(const struct option *option, char search[static KV_VALUE_SIZE],
				struct flaws *flaws);

/* Parse option 12: a host name, qualified or not; NULs and a dot at its end are
 * dropped. If it is not a host name, `name` is unchanged. */
void names_parse_host_name(const struct option *option, char name[static MESSAGE_NAME_SIZE],
			   struct flaws *flaws);

/* Parse option 81 likewise: the name is in wire form, possibly without its
 * root, or otherwise text, whatever the flag E says. */
void names_parse_fqdn(const struct option *option, char name[static MESSAGE_NAME_SIZE],
		      struct flaws *flaws);

/* Parse a name in wire form without pointers at `reader` and step over it.
 * Returns false, with `name` unchanged, if it is not one that a host may
 * have. */
bool names_take_plain(struct bytes_reader *reader, char name[static MESSAGE_NAME_SIZE]);

#endif
