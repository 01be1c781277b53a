/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/dhcp4/message/flaw.h"

#include <string.h>

#include "userspace/common/sanitise.h"

static const char *const texts[_FLAW_N] = {
	[FLAW_MASK] = "not a subnet mask",
	[FLAW_ROUTER] = "cannot be a router in this subnet",
	[FLAW_NAME_SERVER] = "not a host's address",
	[FLAW_HOST_NAME] = "not a host name",
	[FLAW_DOMAIN] = "not a domain name",
	[FLAW_MTU] = "not a usable MTU",
	[FLAW_ROUTE] = "not a usable route",
	[FLAW_TIME_SERVER] = "not a host's address",
	[FLAW_PORTAL] = "not an http or https URI",
	[FLAW_SEARCH] = "not a domain name",
	[FLAW_RESOLVER] = "not a usable resolver",
	[FLAW_ALIAS] = "an alias, which names no resolver",
};

const char *flaw_text(enum flaw flaw)
{
	return texts[flaw];
}

void flaw_add(struct flaws *flaws, enum flaw flaw, uint8_t code, const char *text)
{
	if (flaws->of[flaw].n == 0) {
		flaws->of[flaw].code = code;
		sanitise(flaws->of[flaw].text, sizeof(flaws->of[flaw].text), text, strlen(text));
	}
	if (flaws->of[flaw].n < UINT16_MAX)
		flaws->of[flaw].n++;
}
