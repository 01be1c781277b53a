/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line per message, "<level> tag: text", in one write() to descriptor 2 or
 * the one given. If $JOURNAL_STREAM says that journald reads it, the level is a number
 * as in sd-daemon(3), "<6>tag: text". Control bytes in arguments are printed as '?', so that no
 * message can forge a second line. Never allocates. Used by all programs.
 *
 * Never waits for whoever reads the log: a full pipe or socket, or a terminal
 * that was stopped, loses lines. They are counted, and the number is logged
 * before the next line that can be written, or by log_report_lost(). The mode of
 * the descriptor, which others may share, is not changed; streams.h gives a
 * program a description of its own.
 */
#ifndef CALFPEN_COMMON_LOG_H
#define CALFPEN_COMMON_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Set the tag (copied, cut at 31 bytes), the descriptor, and the most verbose
 * level that is printed. Default: "calfpen", 2, LOG_LEVEL_INFO. A socket needs
 * sendto(2) from now on, everything else write(2) and ppoll(2). */
void log_init(const char *tag, int fd, enum log_level level);

/* Also copy the text of each error to `text` from now on, without level and tag, cut
 * at `size` bytes and padded with NULs. The memory may be shared. NULL: no longer.
 * `is_logged`: a process before this one has logged the error that is in it; while it is
 * the last one, it is logged as LOG_LEVEL_DEBUG. */
void log_keep_errors(char *text, size_t size, bool is_logged);

/* Also pass each line, "tag: text", to `take` from now on; it may log itself. NULL: no
 * longer. */
typedef void (*log_take_fn)(void *data, enum log_level level, const char *text, size_t length);
void log_also(log_take_fn take, void *data);

/* Return the severity of syslog(3) for a level. */
int log_priority(enum log_level level);

/* Print a message. Keeps errno. */
__attribute__((format(printf, 2, 3))) void log_message(enum log_level level, const char *format,
						       ...);

/* Log how many lines were lost, if any were and it is time to try: after 1 s,
 * then less and less often, up to once a minute. Returns in how many ns to call it again, or
 * UINT64_MAX if none is lost. The event loop calls it. Keeps errno. */
uint64_t log_report_lost(void);

#define log_error(...) log_message(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_message(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_message(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
