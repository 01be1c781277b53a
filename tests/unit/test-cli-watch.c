/* SPDX-License-Identifier: Apache-2.0 */
/* The pure part of `calfpen watch`: the list, records, and output. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "tests/unit/cli-capture.h"
#include "userspace/cli/watch.h"

static struct watch_view view;
static struct watch_output output;
static uint64_t sequence;

static void begin(uint64_t begun, uint64_t synced)
{
	struct cli_key *keys = calloc(STORE_KEYS_MAX, sizeof(*keys));

	keys[0] = (struct cli_key){ { "/b" }, { .revision = 3, .length = 1, .text = "3" } };
	keys[1] = (struct cli_key){ { "/d" }, { .revision = 5, .length = 1, .text = "5" } };
	watch_view_begin(&view, keys, 2, begun, synced);
}

static void setup(void)
{
	capture();
	view = (struct watch_view){ .directory = "/" };
	output = (struct watch_output){ .file = out_file, .fd = -1, .signal_fd = -1 };
	sequence = 100;
}

static void teardown(void)
{
	captured(0);
	watch_view_deinit(&view);
}

TestSuite(cli_watch, .init = setup, .fini = teardown);

/* Process a record as the gate writes it; `text` is NULL for a deletion. */
static int record(uint64_t revision, const char *path, const char *text)
{
	struct {
		struct kv_watch_event event;
		struct kv_change change;
		char text[KV_VALUE_SIZE];
	} it = {
		.event = { .type = KV_RECORD_CHANGE, .sequence = sequence++, .revision = revision },
		.change = { .operation = text ? KV_CHANGE_WRITE : KV_CHANGE_DELETE },
	};

	it.change.length = (uint16_t)(text ? strlen(text) : 0);
	it.change.noted = KV_NOTE(strrchr(path, '/') + 1 - path, strlen(path));
	snprintf(it.change.path, sizeof(it.change.path), "%s", path);
	snprintf(it.text, sizeof(it.text), "%s", text ? text : "");
	it.event.size = KV_CHANGE_SIZE(it.change.length);
	return watch_view_record(&view, &output, &it, sizeof(it.event) + it.event.size);
}

/* The same of a secret, whose text the record does not have. */
static int record_secret(uint64_t revision, const char *path)
{
	struct {
		struct kv_watch_event event;
		struct kv_change change;
		uint64_t none;
	} it = {
		.event = { .type = KV_RECORD_CHANGE,
			   .size = KV_CHANGE_SIZE(0),
			   .sequence = sequence++,
			   .revision = revision },
		.change = { .operation = KV_CHANGE_SECRET,
			    .noted = KV_NOTE(strrchr(path, '/') + 1 - path, strlen(path)) },
	};

	snprintf(it.change.path, sizeof(it.change.path), "%s", path);
	return watch_view_record(&view, &output, &it, sizeof(it));
}

static const char *printed(void)
{
	cr_assert_eq(watch_flush(&output), 0);
	fflush(out_file);
	return out_text;
}

Test(cli_watch, state_then_events)
{
	begin(5, 5);
	cr_assert_eq(watch_view_announce(&view, &output), 0);
	cr_assert_eq(watch_view_announce(&view, &output), 0, "once");
	record(6, "/a", "new");
	record(7, "/b", NULL);
	record(7, "/c", "");
	cr_assert_str_eq(printed(), "3 set /b 3\n5 set /d 5\nsynced 5\n"
				    "6 set /a new\n7 del /b\n7 set /c \n");
}

/* Changes made while the keys were listed are merged: sorted, none twice, none
 * missing. */
Test(cli_watch, changes_during_the_listing)
{
	begin(2, 9);
	record(2, "/old", "before the beginning");
	record(3, "/b", "3");	  /* listed with it */
	record(4, "/d", NULL);	  /* listed after it was recreated */
	record(5, "/d", "5");	  /* the same */
	record(6, "/b", "newer"); /* not listed with it */
	record(7, "/a", "first"); /* not listed */
	record(7, "/z", "last");  /* not listed */
	record(8, "/gone", "x");  /* never listed */
	record(9, "/gone", NULL); /* so it is not there */
	record(9, "/never", NULL);
	cr_assert_not(view.is_lost);
	cr_assert_eq(watch_view_announce(&view, &output), 0);
	cr_assert_str_eq(printed(),
			 "7 set /a first\n6 set /b newer\n5 set /d 5\n7 set /z last\nsynced 9\n");
}

/* A record after the end of the list prints the state first. */
Test(cli_watch, event_before_the_announcement)
{
	begin(5, 6);
	record(6, "/a", "6");
	record(7, "/a", "7");
	record(8, "/a", NULL);
	cr_assert_str_eq(printed(), "6 set /a 6\n3 set /b 3\n5 set /d 5\nsynced 6\n"
				    "7 set /a 7\n8 del /a\n");
}

Test(cli_watch, from_and_prefix)
{
	view.from = 3;
	view.directory = "/d";
	begin(5, 5);
	record(6, "/da", "not below it");
	record(7, "/d/a", "x");
	record(8, "/c", "x");
	cr_assert_str_eq(printed(), "5 set /d 5\nsynced 5\n7 set /d/a x\n");
}

Test(cli_watch, json)
{
	output.json = true;
	begin(4, 4);
	record(5, "/a", "a \"b\" \\");
	record(6, "/a", NULL);
	watch_put_resync(&output);
	cr_assert_str_eq(
		printed(),
		"{\"event\":\"set\",\"revision\":3,\"path\":\"/b\",\"value\":\"3\"}\n"
		"{\"event\":\"set\",\"revision\":5,\"path\":\"/d\",\"value\":\"5\"}\n"
		"{\"event\":\"synced\",\"revision\":4}\n"
		"{\"event\":\"set\",\"revision\":5,\"path\":\"/a\",\"value\":\"a \\\"b\\\" \\\\\"}\n"
		"{\"event\":\"del\",\"revision\":6,\"path\":\"/a\"}\n"
		"{\"event\":\"resync\"}\n");
}

static const char types_json[] =
	"{\"calves\": [{\"keys\": [{\"path\": \"/ip\", \"type\": \"ipv4-net\", \"min\": 0, \"max\": 0,"
	" \"max_length\": 18, \"choices\": \"\"}]}]}";

/* The kernel checks classes only. */
Test(cli_watch, F1_values_of_another_type)
{
	json_t *state = json_loads(types_json, 0, NULL);

	cr_assert_not_null(state);
	cli_types_init(&view.types, state);
	json_decref(state);
	begin(4, 4);
	record(5, "/ip", "192.0.2.1/24");
	record(6, "/ip", "999.1.2.3/99 zz");
	record(7, "/ip", NULL);
	output.json = true;
	record(8, "/ip", "192.0.2.1/24");
	record(9, "/ip", "9");
	cr_assert_str_eq(
		printed(),
		"3 set /b 3\n5 set /d 5\nsynced 4\n5 set /ip 192.0.2.1/24\n"
		"6 set /ip 999.1.2.3/99 zz (not a valid ipv4-net)\n7 del /ip\n"
		"{\"event\":\"set\",\"revision\":8,\"path\":\"/ip\",\"value\":\"192.0.2.1/24\"}\n"
		"{\"event\":\"set\",\"revision\":9,\"path\":\"/ip\",\"value\":\"9\","
		"\"invalid\":\"not a valid ipv4-net\"}\n");
}

Test(cli_watch, gap)
{
	begin(5, 5);
	record(6, "/a", "x");
	sequence++;
	record(8, "/c", "x");
	cr_assert(view.is_lost);
	record(9, "/e", "x");
	cr_assert_null(strstr(printed(), "/c"), "nothing after a gap");
	cr_assert_null(strstr(printed(), "/e"));
	begin(9, 9);
	record(10, "/f", "x");
	cr_assert_not(view.is_lost, "started over");
	cr_assert_not_null(strstr(printed(), "10 set /f x\n"));
}

Test(cli_watch, records_of_another_form)
{
	struct {
		struct kv_watch_event event;
		struct kv_change change;
		char text[KV_VALUE_SIZE];
	} good = {
		.event = { KV_RECORD_CHANGE, KV_CHANGE_SIZE(1), 1, 6, 0 },
		.change = { .path = "/a",
			    .operation = KV_CHANGE_WRITE,
			    .length = 1,
			    .noted = KV_NOTE(1, 2) },
		.text = "x",
	}, bad;
	size_t size = sizeof(good.event) + good.event.size;

	for (int i = 0; i < 12; i++) {
		begin(5, 5);
		bad = good;
		bad.event.type += i == 0;
		bad.event.size += i == 1;
		if (i == 2 || i == 3)
			bad.change.length = i == 2 ? 9 : UINT16_MAX;
		bad.change.operation = i == 4 ? 0 : bad.change.operation;
		bad.change.path[0] = i == 5 ? 'x' : '/';
		bad.change.path[63] = i == 6 ? 'x' : 0;
		bad.change.noted += i == 9;
		bad.text[0] = i == 10 ? '\033' : 'x';
		bad.text[1] = i == 11 ? 'x' : '\0';
		watch_view_record(&view, &output, &bad, i == 7 ? 10 : i == 8 ? size - 1 : size);
		cr_assert(view.is_lost, "%d", i);
	}
	begin(5, 5);
	watch_view_record(&view, &output, &good, size);
	cr_assert_not(view.is_lost);
}

Test(cli_watch, secrets)
{
	begin(4, 6);
	record_secret(5, "/a");
	record(6, "/c", "1");
	record_secret(7, "/c");
	record(8, "/c", "shown");
	cr_assert_str_eq(printed(),
			 "5 set /a <secret>\n3 set /b 3\n6 set /c 1\n5 set /d 5\nsynced 6\n"
			 "7 set /c <secret>\n8 set /c shown\n");
}

Test(cli_watch, secrets_as_json)
{
	output.json = true;
	begin(4, 6);
	record_secret(5, "/b");
	record_secret(7, "/a");
	cr_assert_str_eq(printed(),
			 "{\"event\":\"set\",\"revision\":5,\"path\":\"/b\","
			 "\"value\":\"<secret>\",\"secret\":true}\n"
			 "{\"event\":\"set\",\"revision\":5,\"path\":\"/d\",\"value\":\"5\"}\n"
			 "{\"event\":\"synced\",\"revision\":6}\n"
			 "{\"event\":\"set\",\"revision\":7,\"path\":\"/a\","
			 "\"value\":\"<secret>\",\"secret\":true}\n");
}

/* A reader that does not read makes us wait, but we can still be stopped. */
Test(cli_watch, full_pipe_is_waited_for_until_a_signal)
{
	int fds[2], r = 0, n = 0;

	cr_assert_eq(pipe(fds), 0);
	output.fd = fds[1];
	output.signal_fd = eventfd(0, 0);
	while (poll(&(struct pollfd){ .fd = fds[1], .events = POLLOUT }, 1, 0) == 1)
		cr_assert_eq(write(fds[1], output.bytes, sizeof(output.bytes)), 4096);
	cr_assert_eq(watch_wait(&output, -1, -1, 0), 1, "neither a signal nor closed");
	cr_assert_eq(eventfd_write(output.signal_fd, 1), 0);
	for (; r == 0 && n < 1000; n++)
		r = watch_put_change(&output, 1, "/a", "some text that fills the buffer", NULL,
				     false);
	cr_assert_eq(r, WATCH_STOPPED);
	cr_assert_eq(watch_wait(&output, -1, -1, 1000), WATCH_STOPPED);
	close(output.signal_fd);
	output.signal_fd = -1;
	close(fds[0]);
	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(watch_wait(&output, -1, -1, 1000), -EPIPE);
	cr_assert_eq(watch_flush(&output), -EPIPE);
	close(fds[1]);
}

TestSuite(cli_watch_lock, .init = make_roots, .fini = scratch_remove);

Test(cli_watch_lock, needs_a_directory_of_the_instance)
{
	cr_assert_eq(mkdir(pins_root, 0700), 0);
	make_directory(pins_root, "x");
	cr_assert_eq(calfpen("watch", NULL), CLI_FAILURE);
	cr_assert_not_null(strstr(err_text, "/x/watch.lock: No such file or directory"));
}
