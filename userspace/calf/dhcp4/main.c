/* SPDX-License-Identifier: Apache-2.0 */
/* calf-dhcp4: the DHCPv4 client of Calfpen. Its descriptors are sdk/calf.h's. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/calf/dhcp4/agent.h"
#include "userspace/calf/sdk/check.h"
#include "userspace/common/log.h"

int main(int argc, char **argv)
{
	static struct calf calf;
	static struct agent agent;
	static struct settings settings;

	log_init("dhcp4", STDERR_FILENO, LOG_LEVEL_INFO);
	if (argc == 2 && !strcmp(argv[1], CALF_CHECK_ARGUMENT))
		return settings_check(&settings);
	if (calf_init(&calf, &CALF_FDS_STANDARD) < 0)
		return EXIT_FAILURE;
	if (calf_confine() < 0)
		return EXIT_FAILURE;
	if (agent_start(&agent, &calf) < 0)
		return EXIT_FAILURE;
	return calf_run(&calf) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
