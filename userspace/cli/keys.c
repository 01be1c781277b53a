/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/cli/cli.h"
#include "userspace/cli/store.h"
#include "userspace/common/gate.h"
#include "userspace/common/log.h"
#include "userspace/common/path.h"

static json_t *key_to_json(const struct cli_key *key)
{
	return json_pack("{s:s, s:s, s:I, s:I, s:i}", "path", key->key.path, "value",
			 key->value.text, "revision", (json_int_t)key->value.revision, "boot_ns",
			 (json_int_t)key->value.boot_ns, "subject", (int)key->value.subject);
}

/* Print and release; CLI_FAILURE if it could not be made. */
static int print_json(const struct cli *cli, json_t *json)
{
	int r = CLI_OK;

	if (!json || json_dumpf(json, cli->out, JSON_INDENT(2)) < 0)
		r = cli_fail(cli, "cannot write JSON");
	else
		fputc('\n', cli->out);
	json_decref(json);
	return r;
}

static void print_keys(const struct cli *cli, const struct cli_key *keys, size_t n_keys)
{
	int width = 0;

	for (size_t i = 0; i < n_keys; i++) {
		int length = (int)strlen(keys[i].key.path);

		width = length > width ? length : width;
	}
	for (size_t i = 0; i < n_keys; i++)
		fprintf(cli->out, "%-*s  %s\n", width, keys[i].key.path, keys[i].value.text);
}

int cli_ls(struct cli *cli, const char *prefix)
{
	struct cli_key *keys = NULL;
	char directory[KV_PATH_SIZE + 1] = "";
	size_t length = strlen(prefix);
	int n_keys, r = CLI_OK;

	/* "/lease" and "/lease/" are the same; "/" is all. */
	if (length > 0 && prefix[length - 1] == '/')
		length--;
	snprintf(directory, sizeof(directory), "%.*s", (int)length, prefix);
	if (prefix[0] != '/' ||
	    (length > 0 && (length > KV_PATH_MAX || !path_is_canonical(directory)))) {
		cli_fail(cli, "not a path: %s", prefix);
		return CLI_USAGE;
	}
	r = cli_choose_instance(cli);
	if (r != CLI_OK)
		return r;
	n_keys = cli_store_list(cli, directory, &keys);
	if (n_keys < 0)
		return cli_store_explain(cli, n_keys);
	if (cli->json) {
		json_t *array = json_array();

		for (int i = 0; i < n_keys; i++)
			json_array_append_new(array, key_to_json(&keys[i]));
		r = print_json(cli, array);
	} else {
		print_keys(cli, keys, (size_t)n_keys);
	}
	free(keys);
	return r;
}

int cli_get(struct cli *cli, const char *path)
{
	struct cli_key key = { 0 };
	int gate, r;

	if (path_to_key(path, &key.key) < 0) {
		cli_fail(cli, "not a path: %s", path);
		return CLI_USAGE;
	}
	r = cli_choose_instance(cli);
	if (r != CLI_OK)
		return r;
	gate = cli_store_open_gate(cli);
	if (gate < 0)
		return cli_store_explain(cli, gate);
	r = gate_read(gate, path, &key.value);
	close(gate);
	if (r == -ENOENT) {
		cli_fail(cli, "no such key: %s", path);
		return CLI_ABSENT;
	}
	if (r == -EACCES)
		return cli_fail(cli, "%s is not for the operator to read", path);
	if (r < 0)
		return cli_store_explain(cli, r);
	cli_keys_tidy(&key, 1);
	if (cli->json)
		return print_json(cli, key_to_json(&key));
	fprintf(cli->out, "%s\n", key.value.text);
	return CLI_OK;
}
