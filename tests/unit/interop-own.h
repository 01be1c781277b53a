/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client of tests/interop/README.md with our own codec: the same commands
 * over our own frames, so that every case runs over both.
 */
#ifndef CALFPEN_TESTS_INTEROP_OWN_H
#define CALFPEN_TESTS_INTEROP_OWN_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/common/wire.h"

struct own_client {
	int fd;
	size_t bytes_a_write;
	size_t n_queued;
	uint8_t queue[4 * WIRE_FRAME_MAX];
	uint8_t value[5 * WIRE_FRAME_MAX];
};

static inline char *own_word(char **line)
{
	char *word = strsep(line, " \n");

	return word ? word : (char *)"";
}

/* Bytes of a value as the commands write it. */
static inline size_t own_value(struct own_client *client, const char *word)
{
	size_t n = 0;

	if (word[0] == '*') {
		n = (size_t)atol(word + 1);
		memset(client->value, 'v', n);
	} else if (word[0] != '-') {
		for (; word[0] && word[1]; word += 2) {
			char digits[3] = { word[0], word[1], '\0' };

			client->value[n++] = (uint8_t)strtoul(digits, NULL, 16);
		}
	}
	return n;
}

static inline void own_path(char path[KV_PATH_SIZE], const char *word)
{
	if (strcmp(word, "-") == 0)
		path[0] = '\0';
	else
		snprintf(path, KV_PATH_SIZE, "/%s", word);
}

static inline int own_commit(struct own_client *client, int32_t id, uint64_t revision, char *rest,
			     uint8_t *frame, size_t size)
{
	static uint8_t packed[KV_REQUEST_MAX];
	uint32_t n_changes = (uint32_t)atol(own_word(&rest));
	size_t at = 0;

	for (uint32_t i = 0; i < n_changes; i++) {
		struct kv_change change = { .operation = KV_CHANGE_DELETE };
		size_t length = 0;

		if (strcmp(own_word(&rest), "write") == 0)
			change.operation = KV_CHANGE_WRITE;
		own_path(change.path, own_word(&rest));
		if (change.operation == KV_CHANGE_WRITE)
			length = own_value(client, own_word(&rest));
		change.length = (uint16_t)length;
		memset(packed + at, 0, KV_CHANGE_SIZE(length));
		memcpy(packed + at, &change, sizeof(change));
		memcpy(packed + at + sizeof(change), client->value, length);
		at += KV_CHANGE_SIZE(length);
	}
	return wire_encode_commit(id, packed, at, n_changes, revision, frame, size);
}

static inline void own_request(struct own_client *client, const char *verb, char *rest)
{
	static const char *const verbs[] = { "write", "read", "delete", "list", "watch" };
	uint8_t *frame = client->queue + client->n_queued;
	size_t size = sizeof(client->queue) - client->n_queued, length = 0;
	int32_t id = (int32_t)atol(own_word(&rest));
	uint64_t revision = strtoull(own_word(&rest), NULL, 10);
	char path[KV_PATH_SIZE];
	unsigned int tag = 0;
	int n;

	own_path(path, own_word(&rest));
	while (tag < WIRE_COMMIT && strcmp(verbs[tag], verb) != 0)
		tag++;
	if (tag == WIRE_WRITE)
		length = own_value(client, own_word(&rest));
	if (tag == WIRE_COMMIT)
		n = own_commit(client, id, revision, rest, frame, size);
	else
		n = wire_encode_request(id, (enum wire_request_tag)tag, path, client->value, length,
					revision, frame, size);
	if (n == -EMSGSIZE) { /* we do not even encode it: the table is enough */
		memcpy(frame, (const uint8_t[8]){ 0, 0, 0, 0, 0, 0x80, 0, 0 }, 8);
		n = 8;
	}
	if (n < 0)
		exit(3);
	client->n_queued += (size_t)n;
	printf("segments 1\n");
}

static inline void own_send(struct own_client *client)
{
	size_t at = 0;

	while (at < client->n_queued) {
		size_t size = client->n_queued - at;
		ssize_t n;

		if (client->bytes_a_write > 0 && size > client->bytes_a_write)
			size = client->bytes_a_write;
		n = write(client->fd, client->queue + at, size);
		if (n < 0)
			break;
		at += (size_t)n;
	}
	client->n_queued = 0;
}

static inline void own_print_data(const struct wire_data *data)
{
	for (size_t i = 0; i < data->size; i++)
		printf("%02x", data->bytes[i]);
	if (data->size == 0)
		printf("-");
}

static inline void own_print(const uint8_t *frame, size_t size)
{
	static const char *const kinds[] = { "value", "deleted", "listed", "synced", "resync" };
	struct wire_response response;

	if (wire_decode_response(frame, size, &response) < 0)
		exit(4);
	printf("%" PRId32, response.id);
	if (response.tag == WIRE_OK) {
		printf(" ok ");
		own_print_data(&response.value);
	} else if (response.tag == WIRE_ERROR) {
		printf(" error %u %.*s", response.code, (int)response.value.size,
		       response.value.bytes);
	} else {
		printf(" entries");
	}
	for (uint32_t i = 0; i < response.n_entries; i++) {
		struct wire_entry entry;

		if (wire_response_entry(frame, size, &response, i, &entry) < 0)
			exit(5);
		printf(" %s:%s", entry.tag < 5 ? kinds[entry.tag] : "unknown",
		       entry.path.path + (entry.path.path[0] == '/'));
		if (entry.tag == WIRE_ENTRY_VALUE) {
			printf(":");
			own_print_data(&entry.value);
		}
	}
	if (response.revision != 0 && response.tag < WIRE_ENTRIES)
		printf(" @%" PRIu64, response.revision);
	printf("%s\n", response.more ? " more" : "");
}

static inline void own_expect(struct own_client *client, int n)
{
	static uint8_t frame[WIRE_FRAME_MAX];

	for (int i = 0; i < n; i++) {
		size_t at = 0, size = 4;

		while (at < size || wire_frame_size(frame, at) > (int)at) {
			ssize_t n_read = read(client->fd, frame + at, size - at);
			int frame_size;

			if (n_read <= 0) {
				printf("closed\n");
				return;
			}
			at += (size_t)n_read;
			frame_size = wire_frame_size(frame, at);
			if (frame_size > 0)
				size = (size_t)frame_size;
			else if (at == size)
				size += 4;
		}
		own_print(frame, at);
	}
}

/* Do what descriptor 0 says until its end. */
static inline int own_client_main(int fd)
{
	static struct own_client client;
	static char line[1 << 20];

	client.fd = fd;
	while (fgets(line, sizeof(line), stdin)) {
		char *rest = line;
		const char *verb = own_word(&rest);

		if (strcmp(verb, "cut") == 0)
			client.bytes_a_write = (size_t)atol(own_word(&rest));
		else if (strcmp(verb, "send") == 0)
			own_send(&client);
		else if (strcmp(verb, "expect") == 0)
			own_expect(&client, atoi(own_word(&rest)));
		else if (strcmp(verb, "segment") != 0)
			own_request(&client, verb, rest);
	}
	return fflush(stdout) == 0 ? 0 : 1;
}

#endif
