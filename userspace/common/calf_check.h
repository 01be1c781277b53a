/* SPDX-License-Identifier: Apache-2.0 */
/* How a calf is asked about its options: sdk/check.h answers, priv/check/ asks. */
#ifndef CALFPEN_COMMON_CALF_CHECK_H
#define CALFPEN_COMMON_CALF_CHECK_H

#define CALF_CHECK_ARGUMENT "--check" /* its only one */

enum calf_check_exit {
	CALF_CHECK_ACCEPTED = 0,
	CALF_CHECK_REFUSED = 1, /* descriptor 1 has one line: "PATH: reason" */
};

#endif
