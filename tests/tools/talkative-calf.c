/* SPDX-License-Identifier: Apache-2.0 */
/* A calf that logs a lot and exits at once; "last words" is the last line. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define N_LINES 150 /* less than a gateway prints per second and a pipe can hold */

int main(void)
{
	char line[256];

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\n';
	for (int i = 0; i < N_LINES; i++)
		if (write(2, line, sizeof(line)) != (ssize_t)sizeof(line))
			return 1;
	if (write(2, "last words\n", 11) != 11)
		return 1;
	return 3;
}
