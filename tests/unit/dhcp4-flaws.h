/* SPDX-License-Identifier: Apache-2.0 */
/* What a message's values that were ignored are counted as (message/flaw.h). */
#ifndef CALFPEN_TESTS_DHCP4_FLAWS_H
#define CALFPEN_TESTS_DHCP4_FLAWS_H

#include <criterion/criterion.h>

#include "userspace/calf/dhcp4/message/flaw.h"

/* Only values of this kind, `n` of them; the first one in option `code` with this text. */
static inline void assert_flaws(const struct flaws *flaws, enum flaw flaw, uint8_t code,
				unsigned int n, const char *text)
{
	for (int i = 0; i < _FLAW_N; i++)
		cr_assert_eq(flaws->of[i].n, i == (int)flaw ? n : 0, "%s", flaw_text((enum flaw)i));
	if (n == 0)
		return;
	cr_assert_eq(flaws->of[flaw].code, code);
	cr_assert_str_eq(flaws->of[flaw].text, text);
}

#endif
