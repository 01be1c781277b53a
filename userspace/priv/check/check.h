/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a calf would refuse is refused when the configuration is loaded: the calf's own
 * program is asked, because priv knows nothing of its protocol. It runs without rights
 * (ROLE_ASKED), with the values on descriptor 0; its answer is an exit code and one line
 * of text for people. Used by the supervisor and by `calfpen check`.
 */
#ifndef CALFPEN_PRIV_CHECK_CHECK_H
#define CALFPEN_PRIV_CHECK_CHECK_H

#include <sys/types.h>

#include "userspace/priv/description/configuration.h"
#include "userspace/priv/description/description.h"

struct check_question {
	pid_t pid;     /* 0: not asked */
	int answer_fd; /* 0: none */
};

/*
 * Begin to ask each calf whose description has checks_options; it answers while the
 * caller continues. `questions` has an element for each description; check_end() must
 * be called in any case. Returns 0, or a negative errno, logged.
 */
int check_begin(struct check_question *questions, const struct description *descriptions,
		uint32_t n_descriptions, const struct configuration *configuration);

/*
 * Wait for the answers, at most 5 s and until `stop_fd` (-1: none) is readable. Returns
 * 0; -EINVAL after one line "FILE:LINE: reason" if a calf refuses a value (`file` is
 * that of the configuration); or another negative errno, logged.
 */
int check_end(struct check_question *questions, const struct description *descriptions,
	      uint32_t n_descriptions, const struct configuration *configuration, const char *file,
	      int stop_fd);

#endif
