/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/gateway/log.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "userspace/common/log.h"
#include "userspace/common/loop.h"
#include "userspace/common/sanitise.h"

/* A calf that uses log.h prefixes the level: "<info> dhcp4: text". */
static const struct {
	const char *prefix;
	enum log_level level;
} prefixes[] = {
	{ "<error> ", LOG_LEVEL_ERROR },
	{ "<warning> ", LOG_LEVEL_WARNING },
	{ "<info> ", LOG_LEVEL_INFO },
	{ "<debug> ", LOG_LEVEL_DEBUG },
};

void gateway_log_init(struct gateway_log *log, const char *name, uint32_t bytes_per_second,
		      uint32_t burst)
{
	*log = (struct gateway_log){ .name = name, .bytes = bucket_full(bytes_per_second, burst) };
}

void gateway_log_finish(struct gateway_log *log)
{
	if (log->n_suppressed > 0)
		log_warning("gateway: suppressed %" PRIu64 " log lines from the calf",
			    log->n_suppressed);
	log->n_suppressed = 0;
}

void gateway_log_tick(struct gateway_log *log, uint64_t now_ns)
{
	if (now_ns - log->window_ns < GATEWAY_LOG_WINDOW_NS)
		return;
	if (log->n_suppressed > 0 && bucket_take(&log->bytes, GATEWAY_LOG_REPORT_SIZE, now_ns))
		gateway_log_finish(log);
	log->window_ns = now_ns;
	log->n_lines = 0;
}

uint64_t gateway_log_deadline(const struct gateway_log *log)
{
	return log->n_suppressed > 0 ? log->window_ns + GATEWAY_LOG_WINDOW_NS : LOOP_NEVER;
}

/* Skip "NAME: ", because both log.h in the calf and log.h here add it. */
static const char *skip_name(const char *text, const char *name)
{
	size_t length = name ? strlen(name) : 0;

	if (length > 0 && strncmp(text, name, length) == 0 && strncmp(text + length, ": ", 2) == 0)
		return text + length + 2;
	return text;
}

static void print_line(const struct gateway_log_line *line, const char *name)
{
	char text[GATEWAY_LOG_LINE_MAX + 1];
	enum log_level level = LOG_LEVEL_INFO;
	const char *from = text;

	sanitise(text, sizeof(text), line->text, line->length);
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t length = strlen(prefixes[i].prefix);

		if (strncmp(text, prefixes[i].prefix, length) == 0) {
			level = prefixes[i].level;
			from = skip_name(text + length, name);
		}
	}
	if (line->n_cut > 0)
		log_message(level, "calf: %s [%zu bytes cut]", from, line->n_cut);
	else
		log_message(level, "calf: %s", from);
}

static void end_line(struct gateway_log *log, struct gateway_log_line *line, uint64_t now_ns)
{
	if (line->length > 0) {
		gateway_log_tick(log, now_ns);
		/* After the first suppressed line nothing until the report, or short lines would
		 * leave no room for it. */
		if (log->n_suppressed == 0 && log->n_lines < GATEWAY_LOG_LINES_MAX &&
		    bucket_take(&log->bytes, line->length + GATEWAY_LOG_LINE_EXTRA, now_ns)) {
			log->n_lines++;
			print_line(line, log->name);
		} else {
			log->n_suppressed++;
		}
	}
	line->length = 0;
	line->n_cut = 0;
}

void gateway_log_feed(struct gateway_log *log, struct gateway_log_line *line, const void *bytes,
		      size_t size, uint64_t now_ns)
{
	const char *from = bytes;

	for (size_t i = 0; i < size; i++) {
		if (from[i] == '\n')
			end_line(log, line, now_ns);
		else if (line->length < sizeof(line->text))
			line->text[line->length++] = from[i];
		else
			line->n_cut++;
	}
}

void gateway_log_end(struct gateway_log *log, struct gateway_log_line *line, uint64_t now_ns)
{
	end_line(log, line, now_ns);
}
