/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/cli/cli.h"
#include "userspace/common/streams.h"

int main(int argc, char **argv)
{
	if (streams_open())
		return CLI_FAILURE;
	return cli_main(argc, argv);
}
