/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/common/await.h"
#include "userspace/common/calf_check.h"
#include "userspace/common/clock.h"
#include "userspace/common/log.h"
#include "userspace/common/sanitise.h"
#include "userspace/priv/check/check.h"
#include "userspace/priv/confine/confine.h"
#include "userspace/priv/sealed.h"

#define ANSWER_NS (5 * NS_PER_S)
#define ANSWER_SIZE 512
/* No file and no other process is within reach, so it need not be a user of its own. */
#define NOBODY 65534
#define EXIT_NOT_STARTED 126

/* What the calf reads before it has seen a network: a line "PATH=VALUE" for each of its
 * options that has a value, and one for the MAC address, which may be any. Returns a sealed
 * memfd or a negative errno. */
static int seal_values(const struct description *description,
		       const struct configuration *configuration)
{
	static const char mac[] = "/mac=02:00:00:00:00:01\n";
	size_t size = sizeof(mac) + (size_t)description->n_options * (KV_PATH_SIZE + KV_VALUE_SIZE);
	char *text = malloc(size), *at = text, path[KV_PATH_SIZE];
	struct sealed_part part = { .data = text };
	int fd;

	if (!text)
		return -ENOMEM;
	at = stpcpy(at, mac);
	for (uint32_t i = 0; i < description->n_options; i++) {
		const char *name = description->options[i].name;
		const struct configuration_option *option =
			configuration_find_option(configuration, description->name, name);

		description_option_path(description, name, path);
		if (option)
			at += snprintf(at, size - (size_t)(at - text), "%s=%s\n", path,
				       option->value);
	}
	part.size = (size_t)(at - text);
	fd = sealed_create("calfpen-values", &part, 1);
	free(text);
	if (fd >= 0 && lseek(fd, 0, SEEK_SET) < 0)
		fd = -errno;
	return fd;
}

/* In the child. Returns only on failure. */
static void execute(int program, int values, int answer)
{
	char name[] = "calf", argument[] = CALF_CHECK_ARGUMENT;
	char *argv[] = { name, argument, NULL }, *no_environment[] = { NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	program = fcntl(program, F_DUPFD_CLOEXEC, 16);
	values = fcntl(values, F_DUPFD_CLOEXEC, 16);
	answer = fcntl(answer, F_DUPFD_CLOEXEC, 16);
	if (null < 0 || program < 0 || dup2(values, 0) < 0 || dup2(answer, 1) < 0)
		return;
	if (geteuid() == 0 && confine_enter(ROLE_ASKED, NOBODY, NOBODY, false))
		return;
	/* What it logs is in the answer. */
	if (dup3(null, 2, 0) < 0)
		return;
	execveat(program, "", argv, no_environment, AT_EMPTY_PATH);
}

static int ask(const struct description *description, const struct configuration *configuration,
	       struct check_question *question)
{
	int answer[2], program, values = seal_values(description, configuration), r = 0;
	char path[PATH_MAX + NAME_MAX + 2];
	pid_t pid;

	if (values < 0) {
		log_error("cannot seal the options: %s", strerror(-values));
		return values;
	}
	(void)snprintf(path, sizeof(path), "%s/%s", description->directory,
		       description->executable);
	program = open(path, O_PATH | O_CLOEXEC);
	if (program < 0 || pipe2(answer, O_CLOEXEC | O_NONBLOCK)) {
		r = -errno;
		goto cleanup;
	}
	pid = fork();
	if (pid == 0) {
		execute(program, values, answer[1]);
		_exit(EXIT_NOT_STARTED);
	}
	r = pid < 0 ? -errno : 0;
	(void)close(answer[1]);
	if (r)
		(void)close(answer[0]);
	else
		*question = (struct check_question){ .pid = pid, .answer_fd = answer[0] };
cleanup:
	(void)close(values);
	if (program >= 0)
		(void)close(program);
	if (r)
		log_error("%s: cannot ask it about its options: %s", path, strerror(-r));
	return r;
}

int check_begin(struct check_question *questions, const struct description *descriptions,
		uint32_t n_descriptions, const struct configuration *configuration)
{
	int r = 0;

	for (uint32_t i = 0; i < n_descriptions; i++)
		questions[i] = (struct check_question){ .pid = 0 };
	for (uint32_t i = 0; i < n_descriptions && !r; i++)
		if (descriptions[i].checks_options)
			r = ask(&descriptions[i], configuration, &questions[i]);
	return r;
}

/* Returns what follows "PREFIX: " in the answer, or NULL. */
static const char *reason_after(const char *answer, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(answer, prefix, length) == 0 && strncmp(answer + length, ": ", 2) == 0 ?
		       answer + length + 2 :
		       NULL;
}

/* Returns the option that the answer "/config/CALF/NAME: reason" is about, or NULL. */
static const struct configuration_option *find_subject(const struct description *description,
						       const struct configuration *configuration,
						       const char *answer, const char **reasonp)
{
	char path[KV_PATH_SIZE];

	for (uint32_t i = 0; i < description->n_options; i++) {
		const char *name = description->options[i].name, *reason;

		description_option_path(description, name, path);
		reason = reason_after(answer, path);
		if (!reason)
			continue;
		*reasonp = reason;
		return configuration_find_option(configuration, description->name, name);
	}
	return NULL;
}

static void log_refusal(const struct description *description,
			const struct configuration *configuration, const char *file,
			const char *answer)
{
	char directory[KV_PATH_SIZE];
	const char *reason = answer, *of_all;
	const struct configuration_option *option =
		find_subject(description, configuration, answer, &reason);

	(void)snprintf(directory, sizeof(directory), DESCRIPTION_OPTIONS_DIRECTORY "/%s",
		       description->name);
	of_all = reason_after(answer, directory);
	if (option && option->line)
		log_error("%s:%u: option \"%s\": %s", file, option->line, option->name, reason);
	else if (option)
		log_error("%s/" DESCRIPTION_FILE ": default of option \"%s\": %s",
			  description->directory, option->name, reason);
	else
		log_error("%s: options of %s: %s", file[0] ? file : description->directory,
			  description->name, of_all ? of_all : answer);
}

static void read_answer(int fd, char answer[static ANSWER_SIZE])
{
	char bytes[ANSWER_SIZE - 1];
	ssize_t n = read(fd, bytes, sizeof(bytes)); /* written before it exited */

	sanitise(answer, ANSWER_SIZE, bytes, n > 0 ? (size_t)n : 0);
	if (!answer[0])
		(void)snprintf(answer, ANSWER_SIZE, "the calf refuses them without a reason");
}

static int conclude(const struct description *description, struct check_question *question,
		    const struct configuration *configuration, const char *file,
		    const struct await_limit *limit)
{
	char answer[ANSWER_SIZE];
	int status, r = await_child(question->pid, &status, limit);

	if (r) {
		if (r != -ECANCELED)
			log_error("%s/%s: does not answer whether its options are good: %s",
				  description->directory, description->executable, strerror(-r));
		return r;
	}
	question->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == CALF_CHECK_ACCEPTED)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == CALF_CHECK_REFUSED) {
		read_answer(question->answer_fd, answer);
		log_refusal(description, configuration, file, answer);
		return -EINVAL;
	}
	log_error("%s/%s: asked about its options, it %s %d", description->directory,
		  description->executable,
		  WIFSIGNALED(status) ? "was killed by signal" : "exited with code",
		  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return -EIO;
}

static void release(struct check_question *question)
{
	if (question->pid > 0) {
		(void)kill(question->pid, SIGKILL);
		(void)waitpid(question->pid, NULL, 0);
	}
	if (question->answer_fd > 0)
		(void)close(question->answer_fd);
	*question = (struct check_question){ .pid = 0 };
}

int check_end(struct check_question *questions, const struct description *descriptions,
	      uint32_t n_descriptions, const struct configuration *configuration, const char *file,
	      int stop_fd)
{
	const struct await_limit forever = { .stop_fd = stop_fd, .until_ns = UINT64_MAX };
	const struct await_limit limit = await_within(&forever, ANSWER_NS);
	int r = 0;

	for (uint32_t i = 0; i < n_descriptions; i++) {
		if (questions[i].pid > 0 && !r)
			r = conclude(&descriptions[i], &questions[i], configuration, file, &limit);
		release(&questions[i]);
	}
	return r;
}
