/* SPDX-License-Identifier: Apache-2.0 */
/* list, watch and conditions of libcalf against a scripted gateway. */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/capture.h"
#include "tests/unit/refusal.h"
#include "userspace/calf/sdk/calf.h"

static struct calf calf;
static int gateway_fd;
static char told[4096]; /* the arguments of the callbacks, as text */

__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
	size_t length = strlen(told);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(told + length, sizeof(told) - length, format, arguments);
	va_end(arguments);
}

static void on_response(struct calf *calf_p, int status, const char *text, size_t length,
			void *data)
{
	cr_assert_eq(text[length], '\0');
	tell("%s%d %s@%" PRIu64 "\n", data ? (const char *)data : "", status, text,
	     calf_store_revision(calf_p));
}

static void on_entry(struct calf *calf_p, const struct calf_entry *entry, void *data)
{
	static const char *const kinds[] = { "value", "deleted", "listed", "synced", "resync" };

	cr_assert_eq(calf_p, &calf);
	cr_assert_eq(entry->text[entry->length], '\0');
	tell("%s%s %s@%" PRIu64 " %s\n", data ? (const char *)data : "", kinds[entry->kind],
	     entry->path, entry->revision, entry->text);
}

static void setup(void)
{
	int frames[2], control[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, frames), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, control), 0);
	gateway_fd = control[1];
	capture_begin();
	cr_assert_eq(calf_init(&calf, &(struct calf_fds){ frames[0], control[0], -1 }), 0);
}

TestSuite(sdk_watch, .init = setup);

static int run(void)
{
	told[0] = '\0';
	return loop_run_once(&calf.loop, 0);
}

static void respond(int32_t id, const char *text, uint64_t revision)
{
	uint8_t frame[WIRE_RESPONSE_MAX];
	int size = wire_encode_response(id, WIRE_OK, WIRE_CODE_NONE, text, strlen(text), revision,
					frame, sizeof(frame));

	cr_assert_eq(write(gateway_fd, frame, (size_t)size), size);
}

static void respond_entry(int32_t id, enum wire_entry_tag tag, const char *path, uint64_t revision,
			  const char *text, bool more)
{
	struct wire_entry entry = { .tag = (uint16_t)tag, .revision = revision };
	uint8_t frame[WIRE_RESPONSE_MAX];
	int size;

	snprintf(entry.path.path, sizeof(entry.path.path), "%s", path);
	entry.value = (struct wire_data){ (const uint8_t *)text, strlen(text) };
	size = wire_encode_entries(id, &entry, 1, 7, more, frame, sizeof(frame));
	cr_assert_gt(size, 0);
	cr_assert_eq(write(gateway_fd, frame, (size_t)size), size);
}

static struct wire_request asked(void)
{
	static uint8_t frame[WIRE_FRAME_MAX];
	struct wire_request request;
	ssize_t n = recv(gateway_fd, frame, sizeof(frame), MSG_DONTWAIT);

	cr_assert_gt(n, 0);
	cr_assert_eq(wire_decode_request(frame, (size_t)n, &request), 0);
	return request;
}

Test(sdk_watch, conditions)
{
	static struct commit commit;
	struct wire_request request;

	cr_assert_eq(calf_store_write(&calf, "/a", "x", CALF_ABSENT, on_response, NULL), 0);
	request = asked();
	cr_assert_eq(request.tag, WIRE_WRITE);
	cr_assert_eq(request.revision, UINT64_MAX);
	cr_assert_eq(request.value.size, 1);
	respond(1, "", 12);
	cr_assert_eq(run(), 0);
	cr_assert_str_eq(told, "0 @12\n");

	cr_assert_eq(calf_store_delete(&calf, "/a", 12, on_response, NULL), 0);
	request = asked();
	cr_assert_eq(request.tag, WIRE_DELETE);
	cr_assert_eq(request.revision, 12);
	refusal_write(gateway_fd, 2, &refusal_conflict);
	cr_assert_eq(run(), 0);
	snprintf(told + 200, 64, "%d changed@0\n", CALF_CONFLICT);
	cr_assert_str_eq(told, told + 200);

	commit_init(&commit);
	cr_assert_eq(commit_delete(&commit, "/a"), 0);
	commit.condition = 9;
	cr_assert_eq(calf_store_commit(&calf, &commit, on_response, NULL), 0);
	request = asked();
	cr_assert_eq(request.tag, WIRE_COMMIT);
	cr_assert_eq(request.revision, 9);
	cr_assert_eq(calf_store_write(&calf, "/a", "x", CALF_ANY, on_response, NULL), 0);
	cr_assert_eq(asked().revision, 0);
	cr_assert_eq(calf_store_revision(&calf), 0, "outside of a call");
}

Test(sdk_watch, read_with_revision)
{
	cr_assert_eq(calf_store_read_revision(&calf, "/a", on_response, NULL), 0);
	cr_assert_neq(asked().revision, 0);
	respond(1, "x", 5);
	cr_assert_eq(run(), 0);
	cr_assert_str_eq(told, "0 x@5\n");
	cr_assert_eq(calf_store_read(&calf, "/a", on_response, NULL), 0);
	cr_assert_eq(asked().revision, 0);
}

Test(sdk_watch, bounds)
{
	char text[KV_VALUE_SIZE + 1];

	memset(text, 'x', sizeof(text));
	text[KV_VALUE_SIZE] = '\0';
	cr_assert_eq(calf_store_write(&calf, "/a", text, CALF_ANY, on_response, NULL), -EMSGSIZE);
	cr_assert_eq(calf_store_write(&calf, "a", "x", CALF_ANY, on_response, NULL), -EILSEQ);
	cr_assert_eq(calf_store_watch(&calf, "/a/", on_entry, on_response, NULL), -EILSEQ);
	cr_assert_eq(calf.store.n_pending, 0);
	for (int i = 0; i < CALF_PENDING_MAX; i++)
		cr_assert_eq(calf_store_list(&calf, "", on_entry, on_response, NULL), 0);
	cr_assert_eq(calf_store_list(&calf, "", on_entry, on_response, NULL), -ENOBUFS);
}

Test(sdk_watch, list)
{
	cr_assert_eq(calf_store_list(&calf, "/b", on_entry, on_response, NULL), 0);
	cr_assert_str_eq(asked().path.path, "/b");
	respond_entry(1, WIRE_ENTRY_LISTED, "/b/c", 3, "", true);
	cr_assert_eq(run(), 0);
	cr_assert_str_eq(told, "listed /b/c@3 \n");
	respond_entry(1, WIRE_ENTRY_LISTED, "/b/d", 4, "", false);
	cr_assert_eq(run(), 0);
	cr_assert_str_eq(told, "listed /b/d@4 \n0 @7\n");
	cr_assert_eq(calf.store.n_pending, 0);
}

/* A gateway refuses it as it refuses a read; it is not an empty list. */
Test(sdk_watch, list_of_an_unknown_path)
{
	cr_assert_eq(calf_store_list(&calf, "/xxxxxx", on_entry, on_response, NULL), 0);
	refusal_write(gateway_fd, 1, &refusal_denied);
	cr_assert_eq(run(), 0);
	snprintf(told + 200, 64, "%d denied@0\n", -EREMOTEIO);
	cr_assert_str_eq(told, told + 200);
	cr_assert_eq(calf.store.n_pending, 0);
}

Test(sdk_watch, list_that_is_refused_in_the_middle)
{
	cr_assert_eq(calf_store_list(&calf, "", on_entry, on_response, NULL), 0);
	respond_entry(1, WIRE_ENTRY_LISTED, "/b/c", 3, "", true);
	refusal_write(gateway_fd, 1, &refusal_busy);
	cr_assert_eq(run(), 0);
	snprintf(told + 200, 64, "listed /b/c@3 \n%d busy@0\n", CALF_LATER);
	cr_assert_str_eq(told, told + 200);
	cr_assert_eq(calf.store.n_pending, 0);
}

static char first[] = "1: ", second[] = "2: ";

Test(sdk_watch, watch)
{
	cr_assert_eq(calf_store_watch(&calf, "", on_entry, on_response, first), 0);
	cr_assert_eq(calf_store_watch(&calf, "/b", on_entry, on_response, second), 0);
	respond_entry(1, WIRE_ENTRY_VALUE, "/a", 3, "x", true);
	respond_entry(1, WIRE_ENTRY_SYNCED, "", 4, "", true);
	respond_entry(2, WIRE_ENTRY_SYNCED, "", 4, "", true);
	respond_entry(1, WIRE_ENTRY_DELETED, "/a", 5, "", true);
	respond_entry(1, WIRE_ENTRY_RESYNC, "", 0, "", true);
	cr_assert_eq(run(), 0);
	cr_assert_str_eq(told, "1: value /a@3 x\n1: synced @4 \n2: synced @4 \n1: deleted /a@5 \n"
			       "1: resync @0 \n");
	cr_assert_eq(calf.store.n_pending, 2, "a watch stays");
}

Test(sdk_watch, watch_that_is_refused)
{
	cr_assert_eq(calf_store_watch(&calf, "/b", on_entry, on_response, NULL), 0);
	refusal_write(gateway_fd, 1, &refusal_watches);
	cr_assert_eq(run(), 0);
	snprintf(told + 200, 64, "%d watches enough@0\n", CALF_REFUSED);
	cr_assert_str_eq(told, told + 200);
	cr_assert_eq(calf.store.n_pending, 0);
}

/* An entry callback may send a request; the watch continues. */
static void ask_again(struct calf *calf_p, const struct calf_entry *entry, void *data)
{
	on_entry(calf_p, entry, data);
	cr_assert_eq(calf_store_read(calf_p, "/a", on_response, NULL), 0);
}

Test(sdk_watch, request_from_within_an_entry)
{
	cr_assert_eq(calf_store_watch(&calf, "", ask_again, on_response, NULL), 0);
	respond_entry(1, WIRE_ENTRY_VALUE, "/a", 3, "x", true);
	respond(2, "x", 0);
	respond_entry(1, WIRE_ENTRY_VALUE, "/a", 4, "y", true);
	cr_assert_eq(run(), 0);
	cr_assert_str_eq(told, "value /a@3 x\n0 x@0\nvalue /a@4 y\n");
	cr_assert_eq(calf.store.n_pending, 2);
}

Test(sdk_watch, ids_wrap_around_a_watch)
{
	cr_assert_eq(calf_store_watch(&calf, "", on_entry, on_response, NULL), 0);
	cr_assert_eq(asked().id, 1);
	calf.store.last_id = INT32_MAX;
	cr_assert_eq(calf_store_read(&calf, "/a", on_response, NULL), 0);
	cr_assert_eq(asked().id, 2);
}

/* The gateway must not send these: the calf stops and is restarted. */
Test(sdk_watch, responses_out_of_place)
{
	static const struct {
		enum wire_request_tag asked;
		int entry; /* -1: ok */
		bool more;
	} rows[] = {
		{ WIRE_READ, WIRE_ENTRY_VALUE, true },
		{ WIRE_READ, WIRE_ENTRY_LISTED, false },
		{ WIRE_LIST, -1, false },
		{ WIRE_LIST, WIRE_ENTRY_VALUE, true },
		{ WIRE_LIST, WIRE_ENTRY_SYNCED, false },
		{ WIRE_WATCH, -1, false },
		{ WIRE_WATCH, WIRE_ENTRY_VALUE, false },
		{ WIRE_WATCH, WIRE_ENTRY_LISTED, true },
		{ WIRE_WATCH, 9, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		setup();
		if (rows[i].asked == WIRE_READ)
			calf_store_read(&calf, "/a", on_response, NULL);
		else if (rows[i].asked == WIRE_LIST)
			calf_store_list(&calf, "", on_entry, on_response, NULL);
		else
			calf_store_watch(&calf, "", on_entry, on_response, NULL);
		if (rows[i].entry < 0)
			respond(1, "", 0);
		else
			respond_entry(1, (enum wire_entry_tag)rows[i].entry, "/a", 1, "",
				      rows[i].more);
		cr_assert_eq(run(), -EPROTO, "row %zu", i);
		cr_assert_str_eq(told, "");
	}
}
