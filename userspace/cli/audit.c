/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/cli/audit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maps/kv.h"
#include "userspace/cli/instances.h"
#include "userspace/cli/state.h"

#define POLL_MS 200

struct audit {
	const struct cli *cli;
	const char *directory;
	bool has_head;
	struct audit_head head;
};

static void on_line(void *data, const char *line, size_t length)
{
	const struct audit *audit = data;

	audit_line_print(audit->cli, audit->directory, line, length);
}

/* The instance has no file: say who has the records. */
static int fail_without_file(const struct cli *cli, const json_t *state, const char *stated)
{
	const char *also = json_is_true(json_object_get(state, STATE_SYSLOG)) ?
				   "; syslog has its records" :
				   "";
	int pid = (int)json_integer_value(json_object_get(state, STATE_PID));

	if (!strcmp(stated, STATE_AUDIT_NONE))
		return cli_fail(cli, "instance %s has no audit log (--audit none)%s", cli->instance,
				also);
	return cli_fail(cli,
			"the audit log of instance %s is no file: it goes to %s of process %d%s",
			cli->instance,
			!strcmp(stated, STATE_AUDIT_STDOUT) ? "the standard output" :
			!strcmp(stated, STATE_AUDIT_STDERR) ? "the standard error" :
							      stated,
			pid, also);
}

/* Store the path of the log: from state.json, or the default. */
static int find_log(const struct cli *cli, char path[PATH_MAX])
{
	int n, r = CLI_OK, unread;
	json_t *state = cli_state_load(cli, &unread);
	const char *stated = json_string_value(json_object_get(state, STATE_AUDIT));

	if (stated && stated[0] != '/') {
		r = fail_without_file(cli, state, stated);
	} else {
		n = stated ? snprintf(path, PATH_MAX, "%s", stated) :
			     snprintf(path, PATH_MAX, "%s/%s.audit.jsonl", cli->audit_root,
				      cli->instance);
		if (n >= PATH_MAX)
			r = cli_fail(cli, "the path of the audit log is too long");
	}
	json_decref(state);
	return r;
}

/* The log of an instance whose name may be wrong cannot be opened. */
static int explain_log(const struct cli *cli, const char *path, int error)
{
	struct cli_instance *instances = NULL;
	bool is_known = error != -ENOENT;
	int n = is_known ? 0 : cli_instances(cli, &instances);

	if (n < 0)
		return -n;
	for (int i = 0; i < n; i++)
		is_known |= !strcmp(instances[i].name, cli->instance);
	if (is_known)
		cli_fail(cli, "%s: %s", path, strerror(-error));
	else
		cli_explain_unknown(cli, instances, n);
	free(instances);
	return CLI_FAILURE;
}

/* Print the lines of a file from an offset on, but not a last one that is still being
 * written. */
static int print_file(struct audit_file *file, const struct audit_set_file *from, off_t offset,
		      struct audit *audit)
{
	int fd = dup(from->fd), r = fd < 0 ? -errno : audit_file_use(file, fd);

	if (r) {
		if (fd >= 0)
			close(fd);
		return r;
	}
	file->offset = offset;
	return audit_file_read(file, on_line, audit);
}

/* The first records of a reserve may be in the log already: they stay in the reserve until
 * all of them are. Return the offset of the first one that is not, as far as known. */
static off_t reserve_offset(const struct audit *audit, const struct audit_set_file *reserve)
{
	return audit->has_head ? (off_t)audit->head.drained[reserve->number] : 0;
}

static void count_line(void *data, const char *line, size_t length)
{
	unsigned int *n = data;

	(void)line;
	(void)length;
	++*n;
}

/* Those that wait come into the log later. */
static void note_waiting(const struct audit *audit, struct audit_file *file,
			 const struct audit_set *set)
{
	for (unsigned int i = 0; i < set->n_reserves; i++) {
		const struct audit_set_file *reserve = &set->reserves[i];
		unsigned int n = 0;

		if (!audit_file_use(file, reserve->fd)) {
			file->offset = reserve_offset(audit, reserve);
			(void)audit_file_read(file, count_line, &n);
		}
		if (n)
			fprintf(audit->cli->err, "calfpen: %u records wait in %s\n", n,
				reserve->path);
		/* the set keeps the descriptor; what it ended with is no part of the log */
		file->fd = -1;
		file->used = 0;
	}
}

static int follow_log(const struct cli *cli, struct audit_file *file, struct audit *audit)
{
	int r;

	do {
		r = audit_file_read(file, on_line, audit);
		if (!r)
			r = audit_file_follow(file, on_line, audit);
	} while (!r && cli_follow_wait(cli->out, POLL_MS));
	audit_file_end(file, on_line, audit);
	return r;
}

static int print_set(const struct cli *cli, struct audit_file *file, struct audit_set *set,
		     struct audit *audit)
{
	int r = 0;

	if (cli->follow)
		note_waiting(audit, file, set);
	for (unsigned int i = set->n; !r && i-- > 0;) {
		r = print_file(file, &set->files[i], 0, audit);
		if (!r && (i > 0 || !cli->follow)) {
			audit_file_end(file, on_line, audit);
			audit_file_close(file);
		}
	}
	if (!r && cli->follow)
		return set->n ? follow_log(cli, file, audit) : -ENOENT;
	for (unsigned int i = 0; !r && i < set->n_reserves; i++) {
		r = print_file(file, &set->reserves[i], reserve_offset(audit, &set->reserves[i]),
			       audit);
		audit_file_close(file);
	}
	return r;
}

static int print_log(const struct cli *cli, struct audit_file *file, struct audit *audit)
{
	static struct audit_set set;
	int r;

	/* First the end, so that what is moved to the log meanwhile is not left out. */
	audit->has_head = audit_read_head(cli, file->path, &audit->head);
	r = audit_set_open(&set, cli, file->path);
	if (r == -EINVAL)
		return cli_fail(cli, "%s: not a regular file, so its records cannot be read again",
				file->path);
	if (r < 0)
		return explain_log(cli, file->path, r);
	r = print_set(cli, file, &set, audit);
	audit_file_close(file);
	audit_set_close(&set);
	return r < 0 ? cli_fail(cli, "%s: %s", file->path, strerror(-r)) : CLI_OK;
}

static int verify_log(const struct cli *cli, const char *path)
{
	int r = audit_verify(cli, path);

	return r < 0 ? explain_log(cli, path, r) : r;
}

int cli_audit(struct cli *cli)
{
	char directory[KV_PATH_SIZE];
	struct audit audit = { .cli = cli };
	struct audit_file *file;
	int r = CLI_OK;

	if (cli->verify && (cli->follow || cli->denied || cli->subject || cli->path))
		return cli_usage(cli, "--verify excludes -f, --subject, --path and --denied", NULL);
	if (cli->path && !cli_directory(cli->path, directory))
		return cli_invalid_path(cli, "", cli->path);
	if (cli->path)
		audit.directory = directory;
	/* The log outlives the instance, so a named instance need not exist. */
	if (cli->instance[0] == '\0')
		r = cli_choose_instance(cli);
	if (r != CLI_OK)
		return r;
	file = malloc(sizeof(*file));
	if (!file)
		return cli_fail(cli, "%m");
	*file = AUDIT_FILE_NULL(*file);
	r = find_log(cli, file->path);
	if (r == CLI_OK && cli->verify)
		r = verify_log(cli, file->path);
	else if (r == CLI_OK)
		r = print_log(cli, file, &audit);
	free(file);
	return r;
}
