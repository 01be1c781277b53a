/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/audit_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int audit_segment_path(const char *log, unsigned int i, char path[static PATH_MAX])
{
	int n = i ? snprintf(path, PATH_MAX, "%s.%u", log, i) : snprintf(path, PATH_MAX, "%s", log);

	return n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int audit_reserve_path(const char *log, char path[static PATH_MAX])
{
	static const char suffix[] = ".jsonl";
	size_t length = strlen(log), end = sizeof(suffix) - 1;

	if (length > end && !strcmp(log + length - end, suffix))
		length -= end;
	return snprintf(path, PATH_MAX, "%.*s.reserve", (int)length, log) >= PATH_MAX ?
		       -ENAMETOOLONG :
		       0;
}

uint32_t audit_segment_of(const char *line, size_t length)
{
	static const char verb[] = "\"subject\":\"audit\",\"verb\":\"" AUDIT_BEGIN "\"";
	static const char member[] = ",\"segment\":";
	const char *end = line + length, *digit;
	uint32_t segment = 0;

	if (!memmem(line, length, verb, sizeof(verb) - 1))
		return 0;
	digit = memmem(line, length, member, sizeof(member) - 1);
	if (!digit)
		return 0;
	for (digit += sizeof(member) - 1; digit < end && *digit >= '0' && *digit <= '9'; digit++)
		segment = segment * 10 + (uint32_t)(*digit - '0');
	return segment;
}
