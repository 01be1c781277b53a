/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/handlers/family.h"

#include "userspace/common/path.h"
#include "userspace/priv/handlers/handler.h"

bool family_concerns(const struct handler *handler, const char *path)
{
	for (uint32_t i = 0; i < handler->n_families; i++)
		if (path_is_below(path, handler->families[i].path))
			return true;
	return false;
}
