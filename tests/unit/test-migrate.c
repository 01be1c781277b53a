/* SPDX-License-Identifier: Apache-2.0 */
/* What the supervisor accepts from the process that reads foreign files. */
#include "tests/unit/migrate.h"

#define GOOD                                             \
	((struct migrate_identity){ .kind = MIGRATE_ID,  \
				    .id_size = 2,        \
				    .prefix_length = 24, \
				    .address.s_addr = htonl(0x0a4d0096) })

static bool check(struct migrate_identity identity)
{
	return migrate_check(&identity);
}

#define EXPECT_REFUSED(_field, _value)                   \
	do {                                             \
		struct migrate_identity identity = GOOD; \
                                                         \
		identity._field = (_value);              \
		cr_expect(!check(identity), #_field);    \
	} while (0)

Test(migrate, U33_checks_an_identity)
{
	cr_expect(check(GOOD));
	cr_expect(check((struct migrate_identity){ .kind = MIGRATE_NO_LEASE }));
	cr_expect(check((struct migrate_identity){ .kind = MIGRATE_DAMAGED }));
	cr_expect(check((struct migrate_identity){ .kind = MIGRATE_NO_ID }));
	EXPECT_REFUSED(kind, _MIGRATE_KIND_N);
	EXPECT_REFUSED(kind, UINT8_MAX);
	EXPECT_REFUSED(kind, MIGRATE_NO_ID);
	EXPECT_REFUSED(id_size, 0);
	EXPECT_REFUSED(id_size, 1);
	EXPECT_REFUSED(id_size, MIGRATE_ID_MAX + 1);
	EXPECT_REFUSED(prefix_length, 0);
	EXPECT_REFUSED(prefix_length, 33);
	EXPECT_REFUSED(address.s_addr, INADDR_ANY);
	EXPECT_REFUSED(address.s_addr, htonl(INADDR_LOOPBACK));
	EXPECT_REFUSED(address.s_addr, INADDR_BROADCAST);
	cr_expect(!check((struct migrate_identity){ .kind = MIGRATE_DAMAGED,
						    .prefix_length = 24,
						    .address.s_addr = htonl(0x0a4d0096) }));
}
