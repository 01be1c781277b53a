/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line per message, "<level> tag: text", in one write() to descriptor 2 or
 * the one given. Control bytes in arguments are printed as '?', so that no
 * message can forge a second line. Never allocates. Used by all programs.
 */
#ifndef CALFPEN_COMMON_LOG_H
#define CALFPEN_COMMON_LOG_H

#include <stddef.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Set the tag (copied, cut at 31 bytes), the descriptor, and the most verbose
 * level that is printed. Default: "calfpen", 2, LOG_LEVEL_INFO. */
void log_init(const char *tag, int fd, enum log_level level);

/* Print a message. Keeps errno. */
__attribute__((format(printf, 2, 3))) void log_message(enum log_level level, const char *format,
						       ...);

#define log_error(...) log_message(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_message(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_message(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
