/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's rights, as the gate has them: for lists and for messages. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/cli/store.h"
#include "userspace/common/gate.h"
#include "userspace/common/path.h"

/* Join the keys with this right into "a b c". */
static void join_keys(const struct cli_right *rights, int n_rights, uint32_t access, char *text,
		      size_t size)
{
	size_t at = 0;

	text[0] = '\0';
	for (int i = 0; i < n_rights && at < size; i++)
		if (rights[i].rule.access & access)
			at += (size_t)snprintf(text + at, size - at, "%s%s", at > 0 ? " " : "",
					       rights[i].key.path);
}

int cli_explain_denied(const struct cli *cli, int gate, const char *where, const char *verb,
		       const char *path)
{
	bool is_delete = strcmp(verb, "delete") == 0;
	uint32_t access = is_delete ? KV_ACCESS_DELETE : KV_ACCESS_WRITE;
	const char *may = is_delete ? "delete" : "set";
	struct cli_right *rights = NULL;
	struct kv_value value;
	char keys[1024];
	int n_rights = cli_store_rights(cli, &rights);

	join_keys(rights, n_rights, access, keys, sizeof(keys));
	free(rights);
	if (keys[0] == '\0')
		return cli_explain_gate(cli, where, verb, path, -EACCES);
	if (gate_read(gate, path, &value) == -ENOENT) {
		cli_fail(cli, "%sthere is no such key: %s; keys that you may %s: %s", where, path,
			 may, keys);
		return CLI_ABSENT;
	}
	cli_fail(cli, "%s%s: the operator may not %s it; keys that you may %s: %s", where, path,
		 verb, may, keys);
	return CLI_DENIED;
}

/* Print the key that a right is for, with its value if it exists, or the directory. */
static int print_settable(const struct cli *cli, int gate, const struct cli_right *right,
			  json_t *array)
{
	struct cli_key key = { .key = right->key };
	const char *path = right->key.path;
	int r = path_is_canonical(path) ? gate_read(gate, path, &key.value) : -ENOENT;
	json_t *json;

	if (r < 0 && r != -ENOENT)
		return cli_explain_gate(cli, "", "read", path, r);
	cli_keys_tidy(&key, 1);
	if (!cli->json) {
		fprintf(cli->out, "%s%s%s\n", path, r ? "" : "  ", r ? "" : key.value.text);
		return CLI_OK;
	}
	json = json_pack("{s:s, s:i}", "path", path, "max_length", (int)right->rule.max_length);
	if (!r)
		json_object_set_new(json, "value", json_string(key.value.text));
	json_array_append_new(array, json);
	return CLI_OK;
}

int cli_ls_settable(const struct cli *cli, int gate, const char *directory)
{
	json_t *array = cli->json ? json_array() : NULL;
	struct cli_right *rights = NULL;
	int n_rights = cli_store_rights(cli, &rights), r = CLI_OK;

	if (n_rights < 0)
		r = cli_explain_store(cli, n_rights);
	for (int i = 0; r == CLI_OK && i < n_rights; i++)
		if ((rights[i].rule.access & KV_ACCESS_WRITE) &&
		    path_is_below(rights[i].key.path, directory))
			r = print_settable(cli, gate, &rights[i], array);
	free(rights);
	if (r == CLI_OK && cli->json)
		return cli_print_json(cli, array);
	json_decref(array);
	return r;
}
