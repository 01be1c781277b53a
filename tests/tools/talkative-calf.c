/* SPDX-License-Identifier: Apache-2.0 */
/* A calf that logs a lot and exits at once; "last words" is the last line. What it
 * reports as its last error contains an escape sequence. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "userspace/common/log.h"
#include "userspace/common/report_page.h"

#define N_LINES 150 /* less than a gateway prints per second and a pipe can hold */

int main(void)
{
	static const char error[] = "no voice \033[31m";
	struct report_page *page;
	char line[256];

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\n';
	for (int i = 0; i < N_LINES; i++)
		if (write(2, line, sizeof(line)) != (ssize_t)sizeof(line))
			return 1;
	page = mmap(NULL, REPORT_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, 5, 0);
	if (page == MAP_FAILED)
		return 1;
	memcpy(page->error, error, sizeof(error));
	log_init("hostile", 2, LOG_LEVEL_INFO);
	/* The rest of the page keeps what is logged, for log.h replaces the escape. */
	log_keep_errors((char *)(page + 1), REPORT_PAGE_SIZE - sizeof(*page), page->is_logged);
	log_error("no ears");
	if (write(2, "last words\n", 11) != 11)
		return 1;
	return 3;
}
