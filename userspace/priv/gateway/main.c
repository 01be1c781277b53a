/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calfpen-gateway: a separate program, static, and without the libraries that
 * calfpen-priv needs to load programs, parse files and use netlink. There is one
 * process per calf, so its memory matters; and an attacker who takes over the process
 * that reads a calf's bytes cannot use code that it does not contain.
 */
#include <sys/prctl.h>

#include "userspace/common/log.h"
#include "userspace/common/signals.h"
#include "userspace/common/streams.h"
#include "userspace/priv/roles.h"

int main(int argc, char **argv)
{
	signals_block_harmless();
	if (streams_open())
		return ROLE_EXIT_FAILURE;
	/* The program was started from a descriptor: without this, ps shows its number. */
	prctl(PR_SET_NAME, "calfpen-gateway");
	log_init("calfpen-gateway", 2, LOG_LEVEL_INFO);
	/* The supervisor passes the name of the calf, for ps. */
	if (argc > 1 && argv[1][0] == '-') {
		log_error("%s: unknown option; calfpen-priv starts this program", argv[1]);
		return ROLE_EXIT_USAGE;
	}
	return gateway_main();
}
