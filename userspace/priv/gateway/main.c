/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calfpen-gateway: a program of its own, static, and without the libraries
 * that calfpen-priv needs to load programs, parse files and speak netlink.
 * There is one process for each calf, so its memory counts; and what the
 * process that reads a calf's bytes does not contain cannot be used by who
 * takes it over.
 */
#include <sys/prctl.h>

#include "userspace/common/log.h"
#include "userspace/priv/roles.h"

int main(void)
{
	/* A descriptor was executed: without this ps would show its number. */
	prctl(PR_SET_NAME, "calfpen-gateway");
	log_init("calfpen-gateway", 2, LOG_LEVEL_INFO);
	return gateway_main();
}
