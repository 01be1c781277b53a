/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/socket.h>

#include "tests/unit/capture.h"
#include "tests/unit/dhcp4-support.h"
#include "tests/unit/ignore-response.h"
#include "tests/unit/refusal.h"
#include "userspace/calf/dhcp4/stale_keys.h"

#define S 1000000000ull

static struct calf calf;
static struct stale_keys stale;
static int control_fd;
static uint64_t clock_ns = 5 * S;

static int n_done;

static void done(void *data)
{
	cr_assert_eq(data, &stale);
	n_done++;
}

static bool has(enum lease_slot slot)
{
	return stale.keys.at[slot] != 0;
}

static uint64_t test_clock(void)
{
	return clock_ns;
}

static void setup(void)
{
	int frames[2], control[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, frames), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, control), 0);
	control_fd = control[1];
	capture_begin();
	cr_assert_eq(calf_init(&calf, &(struct calf_fds){ frames[0], control[0], -1 }), 0);
	calf.loop.now_ns = test_clock;
	support_policy.n_options = 2;
	memcpy(support_policy.options, "\xf5\x2b", 2);
	cr_assert_eq(stale_keys_read(&stale, &calf, &support_policy, done, &stale), 0);
}

TestSuite(stale_keys, .init = setup);

static uint8_t frame[WIRE_FRAME_MAX];
static size_t frame_size;
static struct wire_request request;

/* The one request that is there; false: none. */
static bool asked(void)
{
	ssize_t n = recv(control_fd, frame, sizeof(frame), MSG_DONTWAIT);

	if (n <= 0)
		return false;
	cr_assert_eq(wire_frame_size(frame, (size_t)n), n, "one at a time");
	frame_size = (size_t)n;
	cr_assert_eq(wire_decode_request(frame, (size_t)n, &request), 0);
	return true;
}

static void write_response(int size)
{
	cr_assert(size > 0);
	cr_assert_eq(write(control_fd, frame, (size_t)size), size);
	cr_assert_eq(loop_run_once(&calf.loop, 0), 0);
}

/* The change is made. */
static void respond_ok(void)
{
	write_response(wire_encode_response(request.id, WIRE_OK, WIRE_CODE_NONE, "", 0, 0, frame,
					    sizeof(frame)));
}

static void refuse(const struct refusal *refusal)
{
	refusal_write(control_fd, request.id, refusal);
	cr_assert_eq(loop_run_once(&calf.loop, 0), 0);
}

static void list(const char *path, bool more)
{
	struct wire_entry entry = { .tag = WIRE_ENTRY_LISTED };

	snprintf(entry.path.path, sizeof(entry.path.path), "%s", path);
	write_response(wire_encode_entries(request.id, &entry, path[0] != '\0', 1, more, frame,
					   sizeof(frame)));
}

static void assert_lists(void)
{
	cr_assert(asked());
	cr_assert_eq(request.tag, WIRE_LIST);
	cr_assert_str_eq(request.path.path, "");
}

/* A commit that deletes exactly this. */
static void assert_deletes(const char *path)
{
	struct wire_change change;

	cr_assert(asked());
	cr_assert_eq(request.tag, WIRE_COMMIT);
	cr_assert_eq(request.n_changes, 1);
	cr_assert_eq(wire_request_change(frame, frame_size, &request, 0, &change), 0);
	cr_assert_eq(change.tag, WIRE_CHANGE_DELETE);
	cr_assert_str_eq(change.path.path, path);
}

static void later(void)
{
	cr_assert_not(asked());
	clock_ns += S;
	cr_assert_eq(loop_run_once(&calf.loop, 0), 0);
}

Test(stale_keys, nothing_there)
{
	assert_lists();
	cr_assert_eq(n_done, 0);
	list("", false);
	cr_assert_eq(n_done, 1);
	for (int slot = 0; slot < _LEASE_SLOT_N; slot++)
		cr_assert_not(has((enum lease_slot)slot));
	cr_assert_not(asked());
	later();
	cr_assert_not(asked(), "that was all");
}

Test(stale_keys, keys_of_a_former_lease)
{
	assert_lists();
	list("/mac", true);
	list("/ip", true);
	list("/lease/time", true);
	list("/route/003", true);
	list("/config/dhcp4/mtu_min", true);
	cr_assert_eq(n_done, 0);
	list("/option/043", false);
	cr_assert_eq(n_done, 1);
	cr_assert(has(LEASE_IP) && has(LEASE_TIME) && has(LEASE_ROUTE + 2) &&
		  has(LEASE_OPTION + 1));
	cr_assert_not(has(LEASE_GATEWAY) || has(LEASE_ROUTE) || has(LEASE_OPTION));
	cr_assert_not(asked(), "nothing is to be deleted");
}

Test(stale_keys, what_is_asked_for_stays)
{
	assert_lists();
	list("/option/245", true);
	list("/option/252", true);
	list("/option/043", false);
	assert_deletes("/option/252");
	respond_ok();
	later();
	cr_assert_not(asked());
	cr_assert_str_eq(capture_text(), "");
}

Test(stale_keys, busy_store_is_asked_again)
{
	assert_lists();
	list("/ip", true);
	refuse(&refusal_busy);
	cr_assert_eq(n_done, 0);
	later();
	assert_lists();
	list("/option/001", false);
	cr_assert_eq(n_done, 1);
	cr_assert_not(has(LEASE_IP), "it is gone meanwhile");
	assert_deletes("/option/001");
	refuse(&refusal_quota);
	later();
	assert_lists();
	list("/option/001", false);
	assert_deletes("/option/001");
	respond_ok();
	later();
	cr_assert_not(asked());
	cr_assert_eq(n_done, 1, "once is enough");
}

/* Too many requests are unanswered to list, and then to commit. */
Test(stale_keys, no_room_for_a_request)
{
	uint32_t n = 0;

	assert_lists();
	while (calf_store_read(&calf, "/mac", ignore_response, NULL) == 0)
		n++;
	/* The list's own place is free when it is over: take that, too. */
	calf.store.pending[0].call(&calf, CALF_LATER, "", 0, calf.store.pending[0].data);
	clock_ns += S;
	cr_assert_eq(loop_run_once(&calf.loop, 0), 0);
	cr_assert(stale.retry.deadline_ns == clock_ns + S / 10, "asked again");
	cr_assert_eq(commit_delete(&stale.commit, "/option/001"), 0);
	clock_ns += S / 2;
	calf.store.pending[0].call(&calf, CALF_OK, "", 0, calf.store.pending[0].data);
	cr_assert(stale.retry.deadline_ns == clock_ns + S / 10, "and again");
	cr_assert(n > 0);
}

Test(stale_keys, refused)
{
	assert_lists();
	refuse(&refusal_denied);
	cr_assert_str_eq(capture_text(), "cannot list the store: denied\n");
	cr_assert_eq(n_done, 1);
	cr_assert(has(LEASE_IP) && has(LEASE_ROUTE + 63), "all may be there");
	later();
	cr_assert_not(asked());
}

Test(stale_keys, deletion_is_refused)
{
	assert_lists();
	list("/option/001", false);
	assert_deletes("/option/001");
	refuse(&refusal_denied);
	cr_assert(strstr(capture_text(), "cannot delete stale options: denied\n"));
	later();
	cr_assert_not(asked());
}

/* More than one commit can hold: the rest is looked for again. */
Test(stale_keys, more_than_a_commit_holds)
{
	assert_lists();
	for (int code = 100; code < 100 + KV_CHANGES_MAX + 1; code++) {
		char path[KV_PATH_SIZE];

		snprintf(path, sizeof(path), "/option/%03d", code == 245 ? 1 : code);
		list(path, code < 100 + KV_CHANGES_MAX);
	}
	cr_assert(asked());
	cr_assert_eq(request.n_changes, KV_CHANGES_MAX);
	respond_ok();
	assert_lists();
	list("/option/228", false);
	assert_deletes("/option/228");
}
