/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of an instance with two calves. */
#ifndef CALFPEN_TESTS_UNIT_SUPPORT_CONFIGURATION_H
#define CALFPEN_TESTS_UNIT_SUPPORT_CONFIGURATION_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/capture.h"
#include "userspace/priv/description/configuration.h"

static char path[] = "/tmp/calfpen-configuration-XXXXXX";
static struct description descriptions[2];
static struct options options;
static struct configuration configuration;

static inline void write_file(const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	cr_assert(fd >= 0);
	cr_assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static inline int load(const char *text, uint32_t n_descriptions)
{
	write_file(text);
	capture_begin();
	configuration_deinit(&configuration);
	return configuration_load(&options, descriptions, n_descriptions, &configuration);
}

/* Two calves, which both have an option "wait". */
static inline void setup(void)
{
	int fd = mkstemp(path);

	cr_assert(fd >= 0);
	close(fd);
	snprintf(options.configuration, sizeof(options.configuration), "%s", path);
	options.mode = -1;
	options.quarantine_s = -1;
	options.wait_interface_s = -1;
	descriptions[0] = (struct description){
		.name = "a",
		.directory = "/calves/a",
		.options = { { .name = "hostname",
			       .rule = { .type = VALUE_HOSTNAME, .max_length = 63 } },
			     { .name = "wait",
			       .rule = { .type = VALUE_U32, .min = 1, .max = 60, .max_length = 10 },
			       .value = "4",
			       .has_default = true,
			       .line = 9 } },
		.n_options = 2,
	};
	descriptions[1] = (struct description){
		.name = "b",
		.directory = "/calves/b",
		.options = { { .name = "wait",
			       .rule = { .type = VALUE_U32, .min = 1, .max = 30, .max_length = 10 },
			       .value = "5",
			       .has_default = true },
			     { .name = "note", .rule = { .type = VALUE_TEXT, .max_length = 4 } } },
		.n_options = 2,
	};
}

static inline void teardown(void)
{
	unlink(path);
	configuration_deinit(&configuration);
}

#endif
