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
#define ALL_OF_THEM "/config: "
/* No file and no other process is within reach, so it need not be a user of its own. */
#define NOBODY 65534
#define EXIT_NOT_STARTED 126

/* A line "PATH=VALUE" for each key; the MAC address may be any. Returns a sealed memfd
 * or a negative errno. */
static int seal_values(const struct configuration *configuration)
{
	static const char mac[] = "/mac=02:00:00:00:00:01\n";
	size_t size = sizeof(mac) + configuration->n_options * sizeof(configuration->options[0]);
	char *text = malloc(size), *at = text;
	struct sealed_part part = { .data = text };
	int fd;

	if (!text)
		return -ENOMEM;
	at = stpcpy(at, mac);
	for (uint32_t i = 0; i < configuration->n_options; i++) {
		const struct configuration_option *option = &configuration->options[i];

		at += snprintf(at, size - (size_t)(at - text),
			       DESCRIPTION_OPTION_DIRECTORY "%s=%s\n", option->name, option->value);
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

static int ask(const struct description *description, int values, struct check_question *question)
{
	char path[PATH_MAX + NAME_MAX + 2];
	int answer[2], program, r = 0;
	pid_t pid;

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
	if (program >= 0)
		(void)close(program);
	if (r)
		log_error("%s: cannot ask it about its options: %s", path, strerror(-r));
	return r;
}

int check_begin(struct check_question *questions, const struct description *descriptions,
		uint32_t n_descriptions, const struct configuration *configuration)
{
	int values, r = 0;

	for (uint32_t i = 0; i < n_descriptions; i++)
		questions[i] = (struct check_question){ .pid = 0 };
	values = seal_values(configuration);
	if (values < 0) {
		log_error("cannot seal the options: %s", strerror(-values));
		return values;
	}
	for (uint32_t i = 0; i < n_descriptions && !r; i++)
		if (descriptions[i].checks_options)
			r = ask(&descriptions[i], values, &questions[i]);
	(void)close(values);
	return r;
}

/* The line of the option that the answer "/config/NAME: reason" is about. */
static const struct configuration_option *find_subject(const struct configuration *configuration,
						       const char *answer, const char **reasonp)
{
	char name[sizeof(configuration->options[0].name)];
	const char *colon = strstr(answer, ": ");
	size_t length;

	if (!colon || strncmp(answer, DESCRIPTION_OPTION_DIRECTORY,
			      strlen(DESCRIPTION_OPTION_DIRECTORY)) != 0)
		return NULL;
	answer += strlen(DESCRIPTION_OPTION_DIRECTORY);
	length = (size_t)(colon - answer);
	if (length >= sizeof(name))
		return NULL;
	memcpy(name, answer, length);
	name[length] = '\0';
	*reasonp = colon + 2;
	return configuration_find_option(configuration, name);
}

static void log_refusal(const struct description *description,
			const struct configuration *configuration, const char *file,
			const char *answer)
{
	const char *reason = answer;
	const struct configuration_option *option = find_subject(configuration, answer, &reason);

	if (option && option->line)
		log_error("%s:%u: option \"%s\": %s", file, option->line, option->name, reason);
	else if (option)
		log_error("%s/" DESCRIPTION_FILE ": default of option \"%s\": %s",
			  description->directory, option->name, reason);
	else
		log_error("%s: options: %s", file[0] ? file : description->directory,
			  strncmp(answer, ALL_OF_THEM, strlen(ALL_OF_THEM)) != 0 ?
				  answer :
				  answer + strlen(ALL_OF_THEM));
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
