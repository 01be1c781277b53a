/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/cli/commit_file.h"
#include "userspace/cli/store.h"
#include "userspace/common/gate.h"
#include "userspace/common/path.h"

static int print_revision(const struct cli *cli, uint64_t revision)
{
	fprintf(cli->out, cli->json ? "{\"revision\": %llu}\n" : "%llu\n",
		(unsigned long long)revision);
	return CLI_OK;
}

static uint64_t condition_of(const struct cli *cli)
{
	return cli->create ? KV_REVISION_ABSENT : cli->condition;
}

/* Print the state of the key that made the condition false, if it can be read. */
static int explain_conflict(const struct cli *cli, int gate, const char *where, const char *path)
{
	struct kv_value value;
	int r = gate_read(gate, path, &value);

	if (!r && cli->create)
		cli_fail(cli, "%s%s: already exists, with revision %llu", where, path,
			 (unsigned long long)value.revision);
	else if (!r)
		cli_fail(cli, "%s%s: has revision %llu, not %llu", where, path,
			 (unsigned long long)value.revision, (unsigned long long)cli->condition);
	else if (r == -ENOENT)
		cli_fail(cli, "%s%s: does not exist", where, path);
	else
		return cli_explain_gate(cli, where, "change", path, -ESTALE);
	return CLI_CONFLICT;
}

static int finish(const struct cli *cli, int gate, const char *verb, const char *path, int error,
		  uint64_t revision)
{
	int r;

	if (!error)
		r = print_revision(cli, revision);
	else if (error == -ESTALE)
		r = explain_conflict(cli, gate, "", path);
	else if (error == -EACCES)
		r = cli_explain_denied(cli, gate, "", verb, path);
	else
		r = cli_explain_gate(cli, "", verb, path, error);
	close(gate);
	return r;
}

int cli_open_live_gate(struct cli *cli)
{
	int gate = cli_open_gate(cli), r;

	if (gate < 0)
		return gate;
	r = cli_check_running(cli);
	if (r == CLI_OK)
		return gate;
	close(gate);
	return -r;
}

/* Check a path from the command line. Returns CLI_OK or CLI_USAGE. */
static int check_path(const struct cli *cli, const char *path)
{
	if (path_is_canonical(path))
		return CLI_OK;
	return cli_invalid_path(cli, "", path);
}

int cli_set(struct cli *cli, const char *path, const char *text)
{
	uint64_t revision = 0;
	int gate, r;

	r = check_path(cli, path);
	if (r != CLI_OK)
		return r;
	gate = cli_open_live_gate(cli);
	if (gate < 0)
		return -gate;
	r = gate_write_if(gate, path, text, strlen(text), condition_of(cli), &revision);
	return finish(cli, gate, "write", path, r, revision);
}

int cli_del(struct cli *cli, const char *path)
{
	uint64_t revision = 0;
	int gate, r;

	r = check_path(cli, path);
	if (r != CLI_OK)
		return r;
	gate = cli_open_live_gate(cli);
	if (gate < 0)
		return -gate;
	r = gate_delete_if(gate, path, condition_of(cli), &revision);
	return finish(cli, gate, "delete", path, r, revision);
}

/* Read the file. Returns CLI_OK, or an exit code after printing one line. */
static int read_file(const struct cli *cli, const char *name, struct commit_file *file)
{
	bool is_input = strcmp(name, "-") == 0;
	FILE *from = is_input ? cli->in : fopen(name, "re");
	int r, error;

	if (!from)
		return cli_fail(cli, "%s: %m", name);
	errno = 0;
	r = commit_file_read(file, from);
	error = ferror(from) ? errno : 0;
	if (!is_input)
		fclose(from);
	if (error)
		return cli_fail(cli, "%s: %s", name, strerror(error));
	if (!r)
		return CLI_OK;
	if (file->bad_line != 0)
		cli_fail(cli, "%s:%u: %s", name, file->bad_line, file->reason);
	else
		cli_fail(cli, "%s: %s", name, file->reason);
	return CLI_USAGE;
}

/* Print why the gate refused the commit, with the line of the refused change.
 * If a key is newer, the gate does not say which one. */
static int explain_commit(const struct cli *cli, int gate, const char *name,
			  const struct commit_file *file, uint32_t i_refused, int error)
{
	const char *verb, *path;
	uint32_t i = i_refused < file->commit.n_changes ? i_refused : 0;
	char where[128];

	if (error == -ESTALE) {
		cli_fail(cli, "%s: a key is newer than revision %llu", name,
			 (unsigned long long)cli->condition);
		return CLI_CONFLICT;
	}
	/* errors of a single change, not of the whole commit */
	if (error == -EACCES || error == -EMSGSIZE || error == -EBADMSG || error == -EILSEQ) {
		snprintf(where, sizeof(where), "%.100s:%u: ", name, file->changes[i].line);
		verb = file->changes[i].is_delete ? "delete" : "write";
		path = file->changes[i].key.path;
		return error == -EACCES ? cli_explain_denied(cli, gate, where, verb, path) :
					  cli_explain_gate(cli, where, verb, path, error);
	}
	return cli_explain_gate(cli, "", "commit", name, error);
}

int cli_commit(struct cli *cli, const char *name)
{
	struct commit_file *file = calloc(1, sizeof(*file));
	uint64_t revision = 0;
	uint32_t i_refused = 0;
	int gate = -1, r;

	if (!file)
		return cli_fail(cli, "%m");
	r = read_file(cli, name, file);
	if (r != CLI_OK)
		goto cleanup;
	gate = cli_open_live_gate(cli);
	if (gate < 0) {
		r = -gate;
		goto cleanup;
	}
	file->commit.condition = cli->condition;
	r = gate_commit(gate, &file->commit, &revision, &i_refused);
	r = !r ? print_revision(cli, revision) :
		 explain_commit(cli, gate, name, file, i_refused, r);
cleanup:
	if (gate >= 0)
		close(gate);
	free(file);
	return r;
}
