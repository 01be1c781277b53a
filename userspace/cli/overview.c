/* SPDX-License-Identifier: Apache-2.0 */
/* `calfpen list`: all instances, one line each. */
#include <stdlib.h>
#include <string.h>

#include "userspace/cli/status.h"
#include "userspace/common/sanitise.h"

enum { NAME, UPLINK, STATUS, LEASE, UIDS, N_COLUMNS };

#define COLUMN_SIZE 128

/* Describe an instance. Returns CLI_OK, or CLI_FAILURE after printing one line. */
static int describe(struct cli *cli, const struct cli_instance *instance, const struct uids *uids,
		    json_t *one)
{
	struct cli_key *keys = NULL;
	int r, n_keys;
	json_t *state;

	(void)snprintf(cli->instance, sizeof(cli->instance), "%s", instance->name);
	state = cli_state_load(cli, &r);
	json_object_set_new(one, "instance", json_string(instance->name));
	json_object_set_new(one, "status",
			    json_string(instance->pid == 0	   ? "not running" :
					cli_state_is_failed(state) ? "FAILED" :
								     "running"));
	if (instance->pid > 0)
		json_object_set_new(one, "pid", json_integer(instance->pid));
	if (json_is_string(json_object_get(state, STATE_UPLINK)))
		json_object_set(one, "uplink", json_object_get(state, STATE_UPLINK));
	json_decref(state);
	cli_status_add_uids(one, uids, instance->name);
	n_keys = instance->is_pinned ? cli_store_walk(cli, "/", &keys) : 0;
	if (n_keys < 0)
		return cli_explain_store(cli, n_keys);
	if (instance->is_pinned)
		cli_status_add_lease(one, keys, (size_t)n_keys,
				     (int64_t)(clock_now_ns(CLOCK_REALTIME) / NS_PER_S));
	free(keys);
	return r;
}

static void set_column(char column[COLUMN_SIZE], const char *text)
{
	sanitise(column, COLUMN_SIZE, text ? text : "-", text ? strlen(text) : 1);
}

static void fill_columns(const json_t *one, char columns[N_COLUMNS][COLUMN_SIZE])
{
	const json_t *lease = json_object_get(one, "lease"), *uids = json_object_get(one, "uids");
	const char *address = json_string_value(json_object_get(lease, "address"));
	const char *state = json_string_value(json_object_get(lease, "state"));
	char text[COLUMN_SIZE];

	set_column(columns[NAME], json_string_value(json_object_get(one, "instance")));
	set_column(columns[UPLINK], json_string_value(json_object_get(one, "uplink")));
	set_column(columns[STATUS], json_string_value(json_object_get(one, "status")));
	(void)snprintf(text, sizeof(text), "%s%s%s", state ? state : "-", address ? ", " : "",
		       address ? address : "");
	set_column(columns[LEASE], text);
	(void)snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT "-%" JSON_INTEGER_FORMAT,
		       json_integer_value(json_object_get(uids, "first")),
		       json_integer_value(json_object_get(uids, "last")));
	set_column(columns[UIDS], uids ? text : NULL);
}

static void print_lines(const struct cli *cli, const json_t *array)
{
	char columns[N_COLUMNS][COLUMN_SIZE];
	int widths[N_COLUMNS] = { 0 };
	const json_t *one;
	size_t i;

	json_array_foreach(array, i, one)
	{
		fill_columns(one, columns);
		for (int j = 0; j < N_COLUMNS; j++)
			if ((int)strlen(columns[j]) > widths[j])
				widths[j] = (int)strlen(columns[j]);
	}
	json_array_foreach(array, i, one)
	{
		fill_columns(one, columns);
		for (int j = 0; j < N_COLUMNS - 1; j++)
			fprintf(cli->out, "%-*s  ", widths[j], columns[j]);
		fprintf(cli->out, "%s\n", columns[N_COLUMNS - 1]);
	}
}

int cli_overview(struct cli *cli)
{
	static struct uids uids;
	struct cli_instance *instances = NULL;
	int n = cli_chosen_instances(cli, &instances), worst = CLI_OK;
	json_t *array;

	if (n < 0)
		return -n;
	array = json_array();
	cli_uids(cli, &uids);
	for (int i = 0; i < n; i++) {
		json_t *one = json_object();
		int r = describe(cli, &instances[i], &uids, one);

		worst = r > worst ? r : worst;
		json_array_append_new(array, one);
	}
	free(instances);
	if (n == 0 && !cli->json)
		cli_explain_no_instance(cli);
	else if (!cli->json)
		print_lines(cli, array);
	else if (cli_print_json(cli, json_incref(array)) != CLI_OK)
		worst = CLI_FAILURE;
	json_decref(array);
	return worst;
}
