/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>

#include "userspace/cli/cli.h"

int cli_fail(const struct cli *cli, const char *format, ...)
{
	va_list arguments;

	fputs("calfpen: ", cli->err);
	va_start(arguments, format);
	vfprintf(cli->err, format, arguments);
	va_end(arguments);
	fputc('\n', cli->err);
	return CLI_FAILURE;
}

int cli_usage(const struct cli *cli, const char *what, const char *argument)
{
	cli_fail(cli, "%s%s%s; see `calfpen help`", what, argument ? ": " : "",
		 argument ? argument : "");
	return CLI_USAGE;
}

int cli_invalid_path(const struct cli *cli, const char *where, const char *path)
{
	cli_fail(cli, "%sinvalid path: %s%s", where, path,
		 path[0] == '/' ? "" : "; a path begins with \"/\"");
	return CLI_USAGE;
}

int cli_explain_store(const struct cli *cli, int error)
{
	switch (-error) {
	case ENOENT:
		return cli_fail(cli, "instance %s has no store", cli->instance);
	case EACCES:
	case EPERM:
		return cli_fail(cli, "instance %s: not readable; this command needs root",
				cli->instance);
	case EPROTO:
		return cli_fail(cli, "instance %s was created by another version of calfpen",
				cli->instance);
	default:
		return cli_fail(cli, "instance %s: %s", cli->instance, strerror(-error));
	}
}

int cli_explain_gate(const struct cli *cli, const char *where, const char *verb, const char *path,
		     int error)
{
	switch (-error) {
	case EILSEQ:
		return cli_invalid_path(cli, where, path);
	case ENOENT:
		cli_fail(cli, "%sno such key: %s", where, path);
		return CLI_ABSENT;
	case EACCES:
		cli_fail(cli, "%s%s: the operator may not %s it", where, path, verb);
		return CLI_DENIED;
	case ESTALE:
		cli_fail(cli, "%s%s: has a different revision", where, path);
		return CLI_CONFLICT;
	case EDQUOT:
		cli_fail(cli, "%s%s: the operator's rate limit or quota is exhausted", where, path);
		return CLI_BUSY;
	case EFBIG:
		cli_fail(cli, "%s%s: the operator's rate of the audit log is exhausted", where,
			 path);
		return CLI_BUSY;
	case ENOSPC:
		cli_fail(cli, "%s%s: the store is full", where, path);
		return CLI_BUSY;
	case EAGAIN:
		cli_fail(cli, "%s%s: too many unread events; try again", where, path);
		return CLI_BUSY;
	case EBUSY:
		cli_fail(cli, "%s%s: the store is busy; try again", where, path);
		return CLI_BUSY;
	case EMSGSIZE:
		cli_fail(cli, "%s%s: the value is longer than this key allows", where, path);
		return CLI_VALUE;
	case EBADMSG:
		cli_fail(cli, "%s%s: the value is not of this key's type", where, path);
		return CLI_VALUE;
	case EPERM:
		return cli_fail(cli, "%s%s: not permitted; this command needs root", where, path);
	default:
		return cli_fail(cli, "%s%s: %s", where, path, strerror(-error));
	}
}

int cli_print_json(const struct cli *cli, json_t *json)
{
	int r = CLI_OK;

	if (!json || json_dumpf(json, cli->out, JSON_INDENT(2)) < 0)
		r = cli_fail(cli, "cannot write JSON");
	else
		fputc('\n', cli->out);
	json_decref(json);
	return r;
}

bool cli_follow_wait(FILE *file, int timeout_ms)
{
	struct pollfd out = { .fd = fileno(file) };

	if (fflush(file) != 0)
		return false;
	return poll(&out, 1, timeout_ms) <= 0 || !(out.revents & (POLLERR | POLLHUP | POLLNVAL));
}
