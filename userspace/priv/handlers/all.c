/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/handlers/all.h"

const struct handler *const handlers_all[HANDLERS_ALL_N] = {
	&handler_address, &handler_link,	&handler_route,	 &handler_dns,
	&handler_host,	  &handler_timeservers, &handler_portal,
};
