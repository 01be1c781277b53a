/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/queue.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct queue queue;

/* The first message, with its kind in front, or "". */
static const char *first(void)
{
	static char text[128];
	const char *bytes;
	size_t length = 0;
	uint32_t kind = 0;

	bytes = queue_first(&queue, &length, &kind);
	text[0] = '\0';
	if (bytes)
		(void)snprintf(text, sizeof(text), "%u:%.*s", kind, (int)length, bytes);
	return text;
}

static int push(uint32_t kind, const char *text)
{
	return queue_push(&queue, kind, text, strlen(text));
}

Test(queue, in_order)
{
	cr_assert_eq(queue_init(&queue, 256), 0);
	cr_expect(queue_is_empty(&queue));
	cr_expect_str_eq(first(), "");
	queue_pop(&queue);
	cr_expect_eq(push(1, "one"), 0);
	cr_expect_eq(push(2, "a second one"), 0);
	cr_expect_str_eq(first(), "1:one");
	queue_pop(&queue);
	cr_expect_str_eq(first(), "2:a second one");
	queue_pop(&queue);
	cr_expect(queue_is_empty(&queue));
	queue_deinit(&queue);
	cr_expect(queue_is_empty(&queue));
	cr_expect_eq(push(1, "x"), -ENOBUFS);
	queue_deinit(&queue);
}

Test(queue, full)
{
	static char large[256];
	unsigned int n = 0;

	cr_assert_eq(queue_init(&queue, 256), 0);
	cr_expect_eq(queue_push(&queue, 0, large, 256), -ENOBUFS, "with its header");
	cr_expect_eq(queue_push(&queue, 0, large, 248), 0, "as large as possible");
	cr_expect_eq(push(0, ""), -ENOBUFS);
	queue_pop(&queue);
	while (!push(7, "eight by"))
		n++;
	cr_expect_eq(n, 16u);
	queue_pop(&queue);
	cr_expect_eq(push(8, "eight by"), 0);
	cr_expect_eq(push(8, "eight by"), -ENOBUFS);
	for (unsigned int i = 0; i < 15; i++) {
		cr_expect_str_eq(first(), "7:eight by");
		queue_pop(&queue);
	}
	cr_expect_str_eq(first(), "8:eight by");
}

#define MODEL_MAX 64

/* Beside a list: whatever is pushed comes out, in order and whole, and only what does not
 * fit is refused. */
Test(queue, random_lengths)
{
	static char model[MODEL_MAX][48];
	unsigned int n = 0, seed = 1, n_refused = 0;
	char text[48];

	cr_assert_eq(queue_init(&queue, 256), 0);
	for (int i = 0; i < 200000; i++) {
		if (rand_r(&seed) % 2) {
			int length = rand_r(&seed) % 39;

			memset(text, 'a' + i % 26, sizeof(text));
			text[length] = '\0';
			if (push((uint32_t)i % 3, text)) {
				n_refused++;
				cr_assert_gt(n, 3u, "there is room");
			} else {
				(void)snprintf(model[n++], sizeof(model[0]), "%d:%.38s", i % 3,
					       text);
			}
		} else if (n) {
			cr_assert_str_eq(first(), model[0]);
			queue_pop(&queue);
			memmove(model[0], model[1], --n * sizeof(model[0]));
		}
		cr_assert_eq(queue_is_empty(&queue), n == 0);
		cr_assert_str_eq(first(), n ? model[0] : "");
	}
	cr_expect_gt(n_refused, 1000u);
}

/* It would send them, too. */
Test(queue, U34_a_child_has_none_of_the_messages)
{
	int status;
	pid_t pid;

	cr_assert_eq(queue_init(&queue, 1 << 20), 0);
	cr_assert_eq(push(1, "one"), 0);
	pid = fork();
	if (pid == 0)
		_exit(queue_is_empty(&queue) && !push(2, "own") && !strcmp(first(), "2:own") ? 0 :
											       1);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
	cr_expect_str_eq(first(), "1:one");
}
