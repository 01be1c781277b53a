/* SPDX-License-Identifier: Apache-2.0 */
/* The saved store: what is restored, and every way it can be damaged. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <zlib.h>

#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "tests/unit/support-persist.h"

static struct wanted wanted;

static void setup(void)
{
	scratch_make();
	test_fill(&wanted);
	capture_begin();
}

static void teardown(void)
{
	wanted_deinit(&wanted);
	scratch_remove();
}

TestSuite(persist, .init = setup, .fini = teardown);

static size_t read_file(uint8_t *bytes, size_t size)
{
	int fd = open(scratch_path("store"), O_RDONLY | O_CLOEXEC);
	ssize_t n;

	cr_assert_geq(fd, 0);
	n = read(fd, bytes, size);
	cr_assert_geq(n, 0);
	close(fd);
	return (size_t)n;
}

static void expect_entry(struct persist_snapshot *snapshot, const char *path, uint64_t revision,
			 const char *text)
{
	struct persist_entry entry;

	cr_assert(persist_next(snapshot, &entry));
	cr_expect_str_eq(entry.key.path, path);
	cr_expect_eq(entry.revision, revision);
	cr_expect_eq(entry.wall_ns, TEST_WALL_OFFSET_NS + revision * S);
	cr_expect_eq(entry.length, strlen(text));
	cr_expect_eq(memcmp(entry.text, text, entry.length), 0);
}

Test(persist, there_and_back)
{
	struct persist_snapshot snapshot;
	struct persist_entry entry;
	struct stat status;

	cr_assert_eq(test_save(scratch, &wanted), 0);
	cr_assert_eq(stat(scratch_path("store"), &status), 0);
	cr_expect_eq(status.st_mode & 07777, 0600);
	cr_expect_eq(access(scratch_path(".store.calfpen"), F_OK), -1);
	cr_assert_eq(persist_load(scratch, &snapshot), 0);
	cr_expect_eq(snapshot.revision, 7);
	cr_expect_eq(snapshot.n_entries, 4);
	expect_entry(&snapshot, "/lease/state", 2, "bound");
	expect_entry(&snapshot, "/lease/t1", 3, "60");
	expect_entry(&snapshot, "/x/001", 4, "");
	expect_entry(&snapshot, "/x/002", 5, "with  blanks and ~");
	cr_expect_not(persist_next(&snapshot, &entry));
	persist_snapshot_deinit(&snapshot);
	persist_snapshot_deinit(&snapshot);
	cr_expect_str_eq(capture_text(), "");
}

Test(persist, nothing_to_keep)
{
	struct persist_snapshot snapshot;
	struct persist_entry entry;

	cr_expect_eq(persist_load(scratch, &snapshot), -ENOENT);
	cr_expect_eq(persist_load("/nonexistent/x", &snapshot), -ENOENT);
	cr_expect_eq(test_save("/nonexistent/x", &wanted), -ENOENT);
	cr_assert_eq(persist_save(scratch, &wanted, NULL, 0, 0), 0);
	cr_assert_eq(persist_load(scratch, &snapshot), 0);
	cr_expect_eq(snapshot.revision, 7);
	cr_expect_eq(snapshot.n_entries, 0);
	cr_expect_not(persist_next(&snapshot, &entry));
	persist_snapshot_deinit(&snapshot);
	wanted_clear(&wanted);
	cr_assert_eq(test_save(scratch, &wanted), 0);
	cr_assert_eq(persist_load(scratch, &snapshot), 0);
	cr_expect_eq(snapshot.revision, 0);
	persist_snapshot_deinit(&snapshot);
	cr_expect_str_eq(capture_text(), "");
}

/* As many keys as there can be, each as long as it can be. */
Test(persist, full_store)
{
	struct persist_snapshot snapshot;
	struct persist_entry entry;
	char path[KV_PATH_SIZE], text[KV_VALUE_SIZE];
	unsigned int i, n = 0;

	wanted_clear(&wanted);
	memset(text, '~', KV_VALUE_MAX);
	text[KV_VALUE_MAX] = '\0';
	for (i = 0; i < PERSIST_ENTRIES_MAX; i++) {
		(void)snprintf(path, sizeof(path), "/x/%031u", i);
		test_set(&wanted, path, text, S);
	}
	cr_assert_eq(test_save(scratch, &wanted), 0);
	cr_assert_eq(persist_load(scratch, &snapshot), 0, "%s", capture_text());
	while (persist_next(&snapshot, &entry))
		n += entry.length == KV_VALUE_MAX;
	cr_expect_eq(n, PERSIST_ENTRIES_MAX);
	persist_snapshot_deinit(&snapshot);
}

/* A key that was written while the store was listed is newer than the list. */
Test(persist, key_newer_than_the_list)
{
	struct persist_snapshot snapshot;

	wanted.revision = 4;
	cr_assert_eq(test_save(scratch, &wanted), 0);
	cr_assert_eq(persist_load(scratch, &snapshot), 0, "%s", capture_text());
	cr_expect_eq(snapshot.revision, 5);
	persist_snapshot_deinit(&snapshot);
}

/* persist_check() of an exact copy on the heap: a sanitizer sees one byte too many. */
static const char *check(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct persist_snapshot snapshot = { .revision = 77 };
	const char *reason;

	cr_assert_not_null(copy);
	memcpy(copy, bytes, size);
	reason = persist_check(&snapshot, copy, size);
	cr_expect(!reason || snapshot.revision == 77, "written on failure");
	free(copy);
	return reason;
}

Test(persist, every_byte_flipped)
{
	static const uint8_t patterns[] = { 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40,
					    0x80, 0xff, 0x0f, 0xf0, 0x55, 0xaa };
	uint8_t bytes[4096];
	size_t size, i, j, n = 0;

	cr_assert_eq(test_save(scratch, &wanted), 0);
	size = read_file(bytes, sizeof(bytes));
	cr_assert_null(check(bytes, size));
	for (i = 0; i < size; i++) {
		for (j = 0; j < sizeof(patterns); j++) {
			bytes[i] ^= patterns[j];
			n += !check(bytes, size);
			bytes[i] ^= patterns[j];
		}
	}
	cr_expect_eq(n, 0, "%zu of %zu were not seen", n, size * sizeof(patterns));
	/* bursts over the borders of words */
	for (i = 0; i + 4 <= size; i++) {
		for (j = 0; j < 4; j++)
			bytes[i + j] ^= patterns[j + 6];
		cr_expect_not_null(check(bytes, size), "burst at %zu", i);
		for (j = 0; j < 4; j++)
			bytes[i + j] ^= patterns[j + 6];
	}
	cr_assert_null(check(bytes, size));
}

Test(persist, every_truncation_and_more)
{
	uint8_t bytes[4096] = { 0 };
	size_t size, cut;

	cr_assert_eq(test_save(scratch, &wanted), 0);
	size = read_file(bytes, sizeof(bytes));
	for (cut = 0; cut < size; cut++)
		cr_expect_not_null(check(bytes, cut), "cut at %zu", cut);
	for (cut = size + 1; cut <= size + 64; cut++)
		cr_expect_not_null(check(bytes, cut), "%zu more", cut - size);
}

/* A snapshot put together by hand, with the right checksum. */
struct forged {
	uint8_t bytes[65536];
	size_t size;
};

static void put(struct forged *forged, const void *from, size_t size)
{
	cr_assert_leq(forged->size + size, sizeof(forged->bytes));
	memcpy(forged->bytes + forged->size, from, size);
	forged->size += size;
}

#define PUT(_type, _value)                        \
	do {                                      \
		_type it = (_type)(_value);       \
		put(&forged, &it, sizeof(_type)); \
	} while (0)

static struct forged forged;

static void begin(uint32_t version, uint32_t n_entries, uint64_t revision)
{
	forged.size = 0;
	put(&forged, PERSIST_MAGIC, 8);
	PUT(uint32_t, version);
	PUT(uint32_t, n_entries);
	PUT(uint64_t, revision);
	PUT(uint64_t, 0);
}

static void entry_of(uint64_t revision, const char *path, size_t path_length, const char *text,
		     size_t length)
{
	PUT(uint64_t, revision);
	PUT(uint64_t, 1);
	PUT(uint16_t, path_length);
	PUT(uint16_t, length);
	put(&forged, path, path_length);
	put(&forged, text, length);
}

static const char *end(void)
{
	uint64_t size = forged.size + PERSIST_TRAILER_SIZE;

	memcpy(forged.bytes + 24, &size, sizeof(size));
	PUT(uint32_t, crc32(0, forged.bytes, (uInt)forged.size));
	return check(forged.bytes, forged.size);
}

static const char *with(uint64_t revision, const char *path, const char *text)
{
	begin(PERSIST_VERSION, 1, 9);
	entry_of(revision, path, strlen(path), text, strlen(text));
	return end();
}

#define EXPECT_REASON(_call, _reason)                                       \
	do {                                                                \
		const char *got = _call;                                    \
		cr_expect(got && !strcmp(got, _reason), "%s: %s", (#_call), \
			  got ? got : "accepted");                          \
	} while (0)

Test(persist, forged)
{
	static char long_text[KV_VALUE_SIZE + 1];
	char long_path[KV_PATH_SIZE + 1];

	memset(long_text, 'x', KV_VALUE_SIZE);
	memset(long_path, 'x', KV_PATH_SIZE);
	long_path[0] = long_path[32] = '/';
	long_path[KV_PATH_SIZE] = '\0';
	cr_expect_null(with(9, "/a", "b"));
	cr_expect_null(with(1, "/a/b", ""));
	EXPECT_REASON(with(0, "/a", "b"), "an entry is newer than the store");
	EXPECT_REASON(with(10, "/a", "b"), "an entry is newer than the store");
	EXPECT_REASON(with(UINT64_MAX, "/a", "b"), "an entry is newer than the store");
	EXPECT_REASON(with(1, "", "b"), "a path is not canonical");
	EXPECT_REASON(with(1, "a", "b"), "a path is not canonical");
	EXPECT_REASON(with(1, "/a/", "b"), "a path is not canonical");
	EXPECT_REASON(with(1, "/../a", "b"), "a path is not canonical");
	EXPECT_REASON(with(1, "/A", "b"), "a path is not canonical");
	EXPECT_REASON(with(1, "/a\x80", "b"), "a path is not canonical");
	EXPECT_REASON(with(1, long_path, "b"), "an entry is too long");
	EXPECT_REASON(with(1, "/a", long_text), "an entry is too long");
	EXPECT_REASON(with(1, "/a", "\n"), "a value is not printable");
	EXPECT_REASON(with(1, "/a", "\x7f"), "a value is not printable");
	EXPECT_REASON(with(1, "/a", "x\x1b[2J"), "a value is not printable");

	begin(PERSIST_VERSION, 1, 9);
	entry_of(1, "/a\0b", 4, "x", 1);
	EXPECT_REASON(end(), "a path is not canonical");
	begin(PERSIST_VERSION, 1, 9);
	entry_of(1, "/a", 2, "x\0y", 3);
	EXPECT_REASON(end(), "a value is not printable");
}

Test(persist, forged_numbers)
{
	static const uint32_t counts[] = { 0, 1, 3, PERSIST_ENTRIES_MAX };
	size_t i;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		begin(PERSIST_VERSION, counts[i], 9);
		entry_of(1, "/a", 2, "x", 1);
		entry_of(2, "/b", 2, "x", 1);
		EXPECT_REASON(end(), (counts[i] < 2 ? "data after the last entry" :
						      "an entry is truncated"));
	}
	begin(PERSIST_VERSION, PERSIST_ENTRIES_MAX + 1, 9);
	EXPECT_REASON(end(), "more entries than a store can hold");
	begin(PERSIST_VERSION, UINT32_MAX, 9);
	EXPECT_REASON(end(), "more entries than a store can hold");
	begin(PERSIST_VERSION, 2, 9);
	entry_of(1, "/b", 2, "x", 1);
	entry_of(2, "/a", 2, "x", 1);
	EXPECT_REASON(end(), "paths are not in order");
	begin(PERSIST_VERSION, 2, 9);
	entry_of(1, "/a", 2, "x", 1);
	entry_of(2, "/a", 2, "x", 1);
	EXPECT_REASON(end(), "paths are not in order");
	begin(PERSIST_VERSION, 0, INT64_MAX);
	cr_expect_null(end());
	begin(PERSIST_VERSION, 0, 1ull << 63);
	EXPECT_REASON(end(), "its revision is out of range");
	begin(PERSIST_VERSION, 0, UINT64_MAX);
	EXPECT_REASON(end(), "its revision is out of range");
	begin(PERSIST_VERSION + 1, 0, 9);
	EXPECT_REASON(end(), "its layout is newer than this program");
	begin(PERSIST_VERSION - 1, 0, 9);
	EXPECT_REASON(end(), "its layout is older than this program");
	begin(PERSIST_VERSION, 0, 9);
	forged.bytes[0] = 'c';
	EXPECT_REASON(end(), "it does not start with the magic number of a snapshot");
}

/* Lengths of an entry that reach beyond the file, each of them. */
Test(persist, forged_lengths)
{
	unsigned int length;

	for (length = 0; length <= UINT16_MAX; length += 13) {
		begin(PERSIST_VERSION, 1, 9);
		entry_of(1, "/a", 2, "x", 1);
		memcpy(forged.bytes + PERSIST_HEADER_SIZE + 16, &length, 2);
		cr_expect_not_null(end());
		begin(PERSIST_VERSION, 1, 9);
		entry_of(1, "/a", 2, "x", 1);
		memcpy(forged.bytes + PERSIST_HEADER_SIZE + 18, &length, 2);
		cr_expect_not_null(end());
	}
}

static void expect_set_aside(const char *reason, int number)
{
	struct persist_snapshot snapshot = PERSIST_SNAPSHOT_NULL(snapshot);
	char expected[512], name[32];
	struct stat status;

	capture_begin();
	cr_expect_eq(persist_load(scratch, &snapshot), -EBADMSG, "%s", reason);
	(void)snprintf(expected, sizeof(expected),
		       "%s/store is damaged: %s; renamed to store.damaged-%d\n", scratch, reason,
		       number);
	cr_expect_str_eq(capture_text(), expected);
	(void)snprintf(name, sizeof(name), "store.damaged-%d", number);
	cr_expect_eq(lstat(scratch_path(name), &status), 0);
	cr_expect_eq(lstat(scratch_path("store"), &status), -1);
	cr_expect_null(snapshot.bytes);
}

Test(persist, damage_is_set_aside)
{
	uint8_t bytes[4096];
	size_t size;

	cr_assert_eq(test_save(scratch, &wanted), 0);
	size = read_file(bytes, sizeof(bytes));
	bytes[size / 2] ^= 1;
	scratch_write("store", bytes, size, 0600);
	expect_set_aside("its checksum is wrong", 1);
	scratch_write("store", "", 0, 0600);
	expect_set_aside("impossible size for a snapshot", 2);
	scratch_write("store", bytes, size - 1, 0600);
	expect_set_aside("its size differs from the size in its header", 3);
	cr_assert_eq(symlink("/etc/passwd", scratch_path("store")), 0);
	expect_set_aside("Too many levels of symbolic links", 4);
	cr_assert_eq(mkfifo(scratch_path("store"), 0600), 0);
	expect_set_aside("not a regular file, or not owned by this user", 5);
	cr_assert_eq(mkdir(scratch_path("store"), 0700), 0);
	expect_set_aside("not a regular file, or not owned by this user", 6);
	scratch_write("store", "", 0, 0600);
	cr_assert_eq(truncate(scratch_path("store"), 1ll << 40), 0);
	expect_set_aside("impossible size for a snapshot", 7);
	begin(PERSIST_VERSION + 1, 0, 9);
	cr_assert_not_null(end());
	scratch_write("store", forged.bytes, forged.size, 0600);
	expect_set_aside("its layout is newer than this program", 8);
	/* and a good one is saved and loaded next to them */
	capture_begin();
	cr_assert_eq(test_save(scratch, &wanted), 0);
	cr_assert_eq(access(scratch_path("store.damaged-1"), F_OK), 0);
}

Test(persist, set_aside_without_end)
{
	int i;

	for (i = 1; i <= 98; i++) {
		scratch_write("store", "x", 1, 0600);
		expect_set_aside("impossible size for a snapshot", i);
	}
	for (i = 0; i < 3; i++) {
		scratch_write("store", "x", 1, 0600);
		expect_set_aside("impossible size for a snapshot", 99);
	}
}
