/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/migrate/migrate.h"

#include "userspace/common/address.h"

bool migrate_check(const struct migrate_identity *identity)
{
	if (identity->kind >= _MIGRATE_KIND_N)
		return false;
	if (identity->kind == MIGRATE_ID ?
		    identity->id_size < MIGRATE_ID_MIN || identity->id_size > MIGRATE_ID_MAX :
		    identity->id_size != 0)
		return false;
	if (identity->address.s_addr == INADDR_ANY)
		return identity->prefix_length == 0;
	return identity->kind >= MIGRATE_UNKNOWN && identity->prefix_length >= 1 &&
	       identity->prefix_length <= 32 && address_is_host(identity->address);
}
