/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/cli/state.h"
#include "userspace/cli/store.h"
#include "userspace/cli/types.h"
#include "userspace/common/gate.h"
#include "userspace/common/path.h"

bool cli_directory(const char *prefix, char *directory)
{
	size_t length = strlen(prefix);

	if (strcmp(prefix, "/") == 0) {
		memcpy(directory, "/", 2);
		return true;
	}
	if (length > 0 && prefix[length - 1] == '/')
		length--;
	if (length == 0 || length > KV_PATH_MAX)
		return false;
	memcpy(directory, prefix, length);
	directory[length] = '\0';
	return path_is_canonical(directory);
}

/* What the names of subjects and the types of calves' keys are known from. */
struct known {
	struct kv_ctl ctl; /* or zeros */
	json_t *state;	   /* or NULL */
	struct cli_types types;
};

/* Return the name of the subject that wrote the key. */
static const char *writer_of(const struct cli_key *key, const struct known *known,
			     char text[static CLI_SUBJECT_SIZE])
{
	return cli_state_subject(key->value.subject, &known->ctl, text);
}

static void known_init(struct known *known, const struct cli *cli)
{
	int unread;

	if (cli_store_ctl(cli, &known->ctl))
		known->ctl = (struct kv_ctl){ 0 };
	known->state = cli_state_load(cli, &unread);
	cli_types_init(&known->types, known->state);
}

static void known_deinit(struct known *known)
{
	cli_types_deinit(&known->types);
	json_decref(known->state);
}

static const char *flaw_of(const struct known *known, const struct cli_key *key,
			   char text[static CLI_FLAW_SIZE])
{
	/* what is printed of a secret is of no type */
	return key->value.flags & KV_VALUE_SECRET ?
		       NULL :
		       cli_types_flaw(&known->types, key->key.path, key->value.text,
				      key->value.length, text);
}

static json_t *key_to_json(const struct cli_key *key, const struct known *known)
{
	char time[CLOCK_SECONDS_SIZE], text[CLI_SUBJECT_SIZE], room[CLI_FLAW_SIZE];
	const char *flaw = flaw_of(known, key, room);
	json_t *json = json_pack("{s:s, s:s, s:I, s:I, s:s, s:I}", "path", key->key.path, "value",
				 key->value.text, "revision", (json_int_t)key->value.revision,
				 "length", (json_int_t)key->value.length, "subject",
				 writer_of(key, known, text), "boot_ns",
				 (json_int_t)key->value.boot_ns);

	cli_state_time(key->value.boot_ns, time);
	if (time[0] != '-')
		json_object_set_new(json, "time", json_string(time));
	if (flaw)
		json_object_set_new(json, "invalid", json_string(flaw));
	if (key->value.flags & KV_VALUE_SECRET)
		json_object_set_new(json, "secret", json_true());
	return json;
}

static void print_keys(const struct cli *cli, const struct cli_key *keys, size_t n_keys,
		       const struct known *known)
{
	int width = 0;

	for (size_t i = 0; i < n_keys; i++) {
		int length = (int)strlen(keys[i].key.path);

		width = length > width ? length : width;
	}
	for (size_t i = 0; i < n_keys; i++) {
		const struct kv_value *value = &keys[i].value;
		char time[CLOCK_SECONDS_SIZE], text[CLI_SUBJECT_SIZE], room[CLI_FLAW_SIZE];
		const char *flaw = flaw_of(known, &keys[i], room);

		cli_state_time(value->boot_ns, time);
		if (cli->long_lines)
			fprintf(cli->out, "%8llu  %-20s  %-10s  %4u  ",
				(unsigned long long)value->revision, time,
				writer_of(&keys[i], known, text), value->length);
		fprintf(cli->out, "%-*s  %s%s%s%s\n", width, keys[i].key.path, value->text,
			flaw ? " (" : "", flaw ? flaw : "", flaw ? ")" : "");
	}
}

/* Print the keys in the form that the options ask for. */
static int print_all(const struct cli *cli, const struct cli_key *keys, size_t n_keys,
		     bool as_array)
{
	struct known known;
	json_t *array;
	int r = CLI_OK;

	known_init(&known, cli);
	if (!cli->json) {
		print_keys(cli, keys, n_keys, &known);
	} else if (!as_array) {
		r = cli_print_json(cli, key_to_json(&keys[0], &known));
	} else {
		array = json_array();
		for (size_t i = 0; i < n_keys; i++)
			json_array_append_new(array, key_to_json(&keys[i], &known));
		r = cli_print_json(cli, array);
	}
	known_deinit(&known);
	return r;
}

int cli_ls(struct cli *cli, const char *prefix)
{
	struct cli_key *keys = NULL;
	char directory[KV_PATH_SIZE];
	int gate, n_keys, r;

	if (!cli_directory(prefix, directory))
		return cli_invalid_path(cli, "", prefix);
	if (cli->settable && cli->long_lines)
		return cli_usage(cli, "--settable and -l are mutually exclusive", NULL);
	gate = cli_open_gate(cli);
	if (gate < 0)
		return -gate;
	if (cli->settable) {
		r = cli_ls_settable(cli, gate, directory);
		close(gate);
		return cli_note_dead(cli, r);
	}
	n_keys = cli_list(gate, directory, &keys);
	close(gate);
	if (n_keys < 0)
		return cli_explain_gate(cli, "", "list", prefix, n_keys);
	r = print_all(cli, keys, (size_t)n_keys, true);
	free(keys);
	return cli_note_dead(cli, r);
}

/* Print the value alone, for scripts: one that is not valid fails. */
static int print_value(const struct cli *cli, const struct cli_key *key)
{
	char room[CLI_FLAW_SIZE];
	struct known known;
	const char *flaw;

	known_init(&known, cli);
	flaw = flaw_of(&known, key, room);
	if (flaw)
		fprintf(cli->out, "%s (%s)\n", key->value.text, flaw);
	else
		fprintf(cli->out, "%s\n", key->value.text);
	known_deinit(&known);
	return flaw ? CLI_VALUE : CLI_OK;
}

int cli_get(struct cli *cli, const char *path)
{
	struct cli_key key = { 0 };
	int gate, r;

	if (path_to_key(path, &key.key) < 0)
		return cli_invalid_path(cli, "", path);
	gate = cli_open_gate(cli);
	if (gate < 0)
		return -gate;
	r = gate_read(gate, path, &key.value);
	close(gate);
	if (r < 0)
		return cli_explain_gate(cli, "", "read", path, r);
	cli_keys_tidy(&key, 1);
	if (cli->json || cli->long_lines)
		r = print_all(cli, &key, 1, false);
	else
		r = print_value(cli, &key);
	return cli_note_dead(cli, r);
}
