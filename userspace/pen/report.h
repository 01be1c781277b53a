/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to whoever runs the pen: to the file of --log, otherwise to stderr. */
#ifndef CALFPEN_PEN_REPORT_H
#define CALFPEN_PEN_REPORT_H

#include <stdbool.h>

/* Append all messages to file `path` from now on, as one JSON object per line if `is_json`.
 * Returns 0 or a negative errno. */
int pen_report_to(const char *path, bool is_json);

/* Write one message of level error. Returns `r`, a negative errno, for "return pen_fail(...)". */
__attribute__((format(printf, 2, 3))) int pen_fail(int r, const char *format, ...);

/* Write one message of level warning. */
__attribute__((format(printf, 1, 2))) void pen_warn(const char *format, ...);

#endif
