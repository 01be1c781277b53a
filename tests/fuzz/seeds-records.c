/* SPDX-License-Identifier: Apache-2.0 */
/* Write the seeds for the corpus of ring records: one of each kind that the gate
 * writes. */
#include <string.h>

#include "maps/kv.h"
#include "tests/fuzz/seeds.h"

static uint8_t bytes[1 + sizeof(struct kv_event) + KV_REQUEST_MAX];
static size_t used, n_saved;

static void put(const void *from, size_t size)
{
	memcpy(bytes + used, from, size);
	used += size;
}

static void put_change(const char *path, uint16_t operation, const char *text)
{
	struct kv_change change = { .operation = operation,
				    .length = (uint16_t)strlen(text),
				    .noted = KV_NOTE(strrchr(path, '/') + 1 - path, strlen(path)) };
	uint32_t size = KV_CHANGE_SIZE(change.length);

	memset(bytes + used, 0, size);
	memcpy(change.path, path, strlen(path));
	memcpy(bytes + used, &change, sizeof(change));
	memcpy(bytes + used + sizeof(change), text, strlen(text));
	used += size;
}

static void begin(uint8_t kind)
{
	used = 0;
	put(&kind, 1);
}

static void save_commit(const char *corpora, uint16_t verb, uint32_t n)
{
	struct kv_event event = { .type = KV_RECORD_COMMIT,
				  .revision = 17,
				  .subject = KV_SUBJECT_CALF,
				  .verb = verb,
				  .n_changes = n };

	event.size = (uint32_t)(used - 1 - sizeof(event));
	memcpy(bytes + 1, &event, sizeof(event));
	save(corpora, "fuzz-records", "commit", n_saved++, bytes, used);
}

int main(int argc, char **argv)
{
	static const struct kv_event no_event;
	struct kv_denial denial = { .type = KV_RECORD_DENIAL,
				    .verdict = -13,
				    .sequence = 1,
				    .subject = KV_SUBJECT_CALF,
				    .verb = KV_VERB_READ,
				    .path = "/status/dns" };
	struct kv_watch_event event = { .type = KV_RECORD_CHANGE, .sequence = 1, .revision = 9 };

	if (argc != 2) {
		fprintf(stderr, "Usage: seeds-records CORPORA\n");
		return 2;
	}
	begin(0);
	put(&no_event, sizeof(no_event));
	put_change("/ip", KV_CHANGE_WRITE, "192.0.2.5/24");
	save_commit(argv[1], KV_VERB_WRITE, 1);
	put_change("/psk", KV_CHANGE_SECRET, "");
	save_commit(argv[1], KV_VERB_COMMIT, 2);
	put_change("/nameserver/001", KV_CHANGE_DELETE, "");
	put_change("/x/a.b/c-d/e_f", KV_CHANGE_WRITE, "");
	put_change("/x/y", KV_CHANGE_WRITE, "\"a\\b\" 12345678901234567890");
	save_commit(argv[1], KV_VERB_COMMIT, 5);
	begin(0);
	put(&no_event, sizeof(no_event));
	put_change("/ip", KV_CHANGE_DELETE, "");
	save_commit(argv[1], KV_VERB_DELETE, 1);
	begin(1);
	put(&denial, sizeof(denial));
	save(argv[1], "fuzz-records", "denial", 0, bytes, used);
	begin(1);
	memset(denial.path, 0, sizeof(denial.path));
	put(&denial, sizeof(denial));
	save(argv[1], "fuzz-records", "denial", 1, bytes, used);
	begin(2);
	event.size = KV_CHANGE_SIZE(4);
	put(&event, sizeof(event));
	put_change("/link", KV_CHANGE_WRITE, "down");
	save(argv[1], "fuzz-records", "watch", 0, bytes, used);
	return 0;
}
