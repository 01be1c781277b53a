/* SPDX-License-Identifier: Apache-2.0 */
/* `calfpen renew` and `calfpen release`: requests to calves of any instances. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/cli/store.h"
#include "userspace/common/gate.h"

#define DIRECTORY "/control/"
#define VALUE "now" /* any value is a request */
#define NAMES_SIZE 512

/* Of an instance, the calves that take this request. */
struct takers {
	uint32_t n;
	char names[KV_SUBJECTS_MAX][KV_SEGMENT_MAX + 1];
};

/* Get the calf of "/control/CALF/REQUEST". Returns false if the path is another one. */
static bool read_calf(const char *path, const char *request, char name[KV_SEGMENT_MAX + 1])
{
	const char *calf = path + strlen(DIRECTORY), *end;

	if (strncmp(path, DIRECTORY, strlen(DIRECTORY)) != 0)
		return false;
	end = strchr(calf, '/');
	if (!end || strcmp(end + 1, request) != 0 || end - calf > KV_SEGMENT_MAX)
		return false;
	memcpy(name, calf, (size_t)(end - calf));
	name[end - calf] = '\0';
	return true;
}

/* Returns 0, or a negative errno for cli_explain_store(). */
static int find_takers(const struct cli *cli, const char *request, struct takers *takers)
{
	struct cli_right *rights = NULL;
	int n_rights = cli_store_rights(cli, &rights);

	takers->n = 0;
	for (int i = 0; i < n_rights && takers->n < KV_SUBJECTS_MAX; i++)
		takers->n += (rights[i].rule.access & KV_ACCESS_WRITE) &&
			     read_calf(rights[i].key.path, request, takers->names[takers->n]);
	free(rights);
	return n_rights < 0 ? n_rights : 0;
}

/* Keep only this calf. Returns CLI_OK, or CLI_ABSENT after printing one line. */
static int choose_taker(const struct cli *cli, const char *request, const char *calf,
			struct takers *takers)
{
	char names[NAMES_SIZE] = "";
	size_t used = 0;

	for (uint32_t i = 0; calf && i < takers->n; i++) {
		if (!strcmp(takers->names[i], calf)) {
			memmove(takers->names[0], takers->names[i], sizeof(takers->names[0]));
			takers->n = 1;
			return CLI_OK;
		}
		if (used < sizeof(names))
			used += (size_t)snprintf(names + used, sizeof(names) - used, " %s",
						 takers->names[i]);
	}
	if (!calf && takers->n)
		return CLI_OK;
	if (calf && takers->n)
		cli_fail(cli, "%s: no calf %s can %s; those that can:%s", cli->instance, calf,
			 request, names);
	else
		cli_fail(cli, "%s: no calf can %s", cli->instance, request);
	return CLI_ABSENT;
}

static void request_path(char path[static KV_PATH_SIZE], const char *calf, const char *request)
{
	(void)snprintf(path, KV_PATH_SIZE, DIRECTORY "%s/%s", calf, request);
}

/* Print why the gate refused the commit. Returns the exit code. */
static int explain(const struct cli *cli, const char *request, const struct takers *takers,
		   uint32_t i_refused, int error)
{
	char path[KV_PATH_SIZE], where[INSTANCE_NAME_MAX + 3];
	/* errors of a single change, not of the whole commit */
	bool is_single = error == -EACCES || error == -EMSGSIZE || error == -EBADMSG;

	(void)snprintf(where, sizeof(where), "%s: ", cli->instance);
	request_path(path, takers->names[i_refused < takers->n ? i_refused : 0], request);
	return cli_explain_gate(cli, where, "write", is_single ? path : request, error);
}

/* All in one commit. */
static int write_requests(const struct cli *cli, int gate, const char *request,
			  const struct takers *takers, uint64_t *revisionp)
{
	struct commit *commit = malloc(sizeof(*commit));
	char path[KV_PATH_SIZE];
	uint32_t i_refused = 0;
	int r = 0;

	if (!commit)
		return cli_fail(cli, "%m");
	commit_init(commit);
	for (uint32_t i = 0; !r && i < takers->n; i++) {
		request_path(path, takers->names[i], request);
		r = commit_write(commit, path, VALUE, strlen(VALUE));
	}
	if (!r)
		r = gate_commit(gate, commit, revisionp, &i_refused);
	free(commit);
	return r ? explain(cli, request, takers, i_refused, r) : CLI_OK;
}

static void print(const struct cli *cli, const struct takers *takers, uint64_t revision)
{
	for (uint32_t i = 0; i < takers->n; i++)
		fprintf(cli->out,
			cli->json ?
				"{\"instance\": \"%s\", \"calf\": \"%s\", \"revision\": %llu}\n" :
				"%s/%s  %llu\n",
			cli->instance, takers->names[i], (unsigned long long)revision);
}

/* Request this of a calf of cli->instance, or of all that take the request. */
static int request_of(struct cli *cli, const char *request, const char *calf)
{
	struct takers takers;
	uint64_t revision = 0;
	int gate = cli_open_live_gate(cli), r;

	if (gate < 0)
		return -gate;
	r = find_takers(cli, request, &takers);
	if (r < 0)
		r = cli_explain_store(cli, r);
	else
		r = choose_taker(cli, request, calf, &takers);
	if (r == CLI_OK)
		r = write_requests(cli, gate, request, &takers, &revision);
	if (r == CLI_OK)
		print(cli, &takers, revision);
	close(gate);
	return r;
}

/* Get the instance, and the calf or NULL. Returns CLI_OK or CLI_USAGE. */
static int parse_word(const struct cli *cli, const char *word, char instance[INSTANCE_NAME_MAX + 1],
		      const char **calfp)
{
	const char *slash = strchr(word, '/');
	size_t length = slash ? (size_t)(slash - word) : strlen(word);

	if (length > INSTANCE_NAME_MAX)
		return cli_usage(cli, "invalid instance name", word);
	memcpy(instance, word, length);
	instance[length] = '\0';
	if (!instance_is_name(instance))
		return cli_usage(cli, "invalid instance name", word);
	if (slash && (!slash[1] || strchr(slash + 1, '/')))
		return cli_usage(cli, "not INSTANCE or INSTANCE/CALF", word);
	*calfp = slash ? slash + 1 : NULL;
	return CLI_OK;
}

int cli_request(struct cli *cli, const char *request, const char *const *words)
{
	char instance[INSTANCE_NAME_MAX + 1], given[INSTANCE_NAME_MAX + 1];
	const char *calf = NULL;
	int worst = CLI_OK;

	if (!words[0])
		return request_of(cli, request, NULL);
	/* a wrong word means that nothing is requested */
	memcpy(given, cli->instance, sizeof(given));
	for (size_t i = 0; words[i]; i++) {
		if (parse_word(cli, words[i], instance, &calf) != CLI_OK)
			return CLI_USAGE;
		if (given[0] && strcmp(given, instance) != 0)
			return cli_usage(cli, "another instance than --instance", words[i]);
	}
	for (size_t i = 0; words[i]; i++) {
		int r;

		(void)parse_word(cli, words[i], cli->instance, &calf);
		r = request_of(cli, request, calf);
		worst = r > worst ? r : worst;
	}
	return worst;
}
