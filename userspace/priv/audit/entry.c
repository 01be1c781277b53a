/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/audit/entry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/clock.h"

/* A line under construction; an element that does not fit is left out as a whole. */
struct line {
	char *text;
	size_t size;
	size_t at;
};

static void line_put(struct line *line, const char *text, size_t length)
{
	if (length >= line->size - line->at)
		return;
	memcpy(line->text + line->at, text, length);
	line->at += length;
	line->text[line->at] = '\0';
}

static void line_text(struct line *line, const char *name, const char *text)
{
	size_t i, length = strnlen(text, KV_VALUE_MAX);

	line_put(line, ",\"", 2);
	line_put(line, name, strlen(name));
	line_put(line, "\":\"", 3);
	for (i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];
		char escape[8];

		if (byte == '"' || byte == '\\') {
			line_put(line, "\\", 1);
			line_put(line, &text[i], 1);
		} else if (byte >= 0x20 && byte <= 0x7e) {
			line_put(line, &text[i], 1);
		} else {
			(void)snprintf(escape, sizeof(escape), "\\u%04x", byte);
			line_put(line, escape, 6);
		}
	}
	line_put(line, "\"", 1);
}

static void line_number(struct line *line, const char *name, uint64_t number)
{
	char text[64];
	int length = snprintf(text, sizeof(text), ",\"%s\":%llu", name, (unsigned long long)number);

	line_put(line, text, (size_t)length);
}

const char *audit_verdict(int verdict)
{
	static const struct {
		int number;
		const char *name;
	} names[] = {
		{ 0, "ok" },	       { -EBUSY, "EBUSY" },	  { -EDQUOT, "EDQUOT" },
		{ -EFAULT, "EFAULT" }, { -EINVAL, "EINVAL" },	  { -EILSEQ, "EILSEQ" },
		{ -EACCES, "EACCES" }, { -EMSGSIZE, "EMSGSIZE" }, { -EBADMSG, "EBADMSG" },
		{ -ENOSPC, "ENOSPC" }, { -EAGAIN, "EAGAIN" },	  { -ENOENT, "ENOENT" },
		{ -ESTALE, "ESTALE" }, { -EEXIST, "EEXIST" },	  { -E2BIG, "E2BIG" },
		{ -EUSERS, "EUSERS" }, { -EFBIG, "EFBIG" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].number == verdict)
			return names[i].name;
	return NULL;
}

size_t audit_format(const struct audit_entry *entry, const char previous[static CHAIN_SIZE],
		    char text[static AUDIT_LINE_SIZE])
{
	struct line line = { .text = text, .size = AUDIT_LINE_SIZE };
	char when[CLOCK_TEXT_SIZE];

	clock_format_utc(entry->wall_ns, when);
	line_put(&line, "{\"time\":\"", 9);
	line_put(&line, when, strlen(when));
	line_put(&line, "\"", 1);
	if (entry->sequence)
		line_number(&line, "seq", entry->sequence);
	if (entry->revision)
		line_number(&line, "revision", entry->revision);
	line_text(&line, "subject", entry->subject);
	line_text(&line, "verb", entry->verb);
	if (entry->path)
		line_text(&line, "path", entry->path);
	line_text(&line, "verdict", entry->verdict);
	if (entry->value)
		line_text(&line, "value", entry->value);
	if (entry->reason)
		line_text(&line, "reason", entry->reason);
	if (entry->suppressed)
		line_number(&line, "suppressed", entry->suppressed);
	if (entry->has_caller) {
		line_number(&line, "uid", entry->uid);
		line_number(&line, "pid", entry->pid);
	}
	if (entry->segment)
		line_number(&line, "segment", entry->segment);
	line_put(&line, CHAIN_MEMBER, sizeof(CHAIN_MEMBER) - 1);
	line_put(&line, previous, CHAIN_SIZE - 1);
	line_put(&line, "\"}\n", 3);
	return line.at;
}

const char *audit_strerror(int error)
{
	switch (-error) {
	case ELOOP:
		return "is a symbolic link, which is not followed; name the file itself";
	case EPIPE:
		return "nobody reads it";
	case ENOTSUP:
		return "is no file, pipe or character device";
	case EAGAIN:
	case ENOBUFS:
		return "its reader does not keep up";
	default:
		return strerror(-error);
	}
}
