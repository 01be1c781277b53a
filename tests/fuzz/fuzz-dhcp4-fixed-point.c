/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: a parsed message that is written and parsed again is the same,
 * as a message and as keys of the store. The value of every key has the key's type,
 * otherwise the store would refuse the lease. A message that we build contains the
 * values that it was built from. The first byte is the policy.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fuzz/dhcp4-reply.h"
#include "userspace/calf/dhcp4/lease_keys.h"
#include "userspace/common/log.h"
#include "userspace/priv/description/description.h"

#define NOW_NS 1000000000000ull
#define WALL_S 1700000000

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct description description;

/* The shipped description, with a file that can stand in for its calf. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char directory[] = "/tmp/calfpen-fuzz-XXXXXX", yaml[64], executable[64];
	char *shipped = realpath("userspace/calf/dhcp4/calf.yaml", NULL);
	int fd;

	(void)argc;
	(void)argv;
	log_init("fuzz", STDERR_FILENO, LOG_LEVEL_ERROR);
	CHECK(shipped && mkdtemp(directory));
	snprintf(yaml, sizeof(yaml), "%s/calf.yaml", directory);
	snprintf(executable, sizeof(executable), "%s/calf-dhcp4", directory);
	CHECK(symlink(shipped, yaml) == 0);
	fd = open(executable, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	CHECK(fd >= 0 && close(fd) == 0);
	CHECK(description_load(directory, &description) == 0);
	unlink(yaml);
	unlink(executable);
	rmdir(directory);
	free(shipped);
	return 0;
}

static void check_same_routes(const struct message_parameters *a,
			      const struct message_parameters *b)
{
	CHECK(a->gateway.s_addr == b->gateway.s_addr);
	CHECK(a->n_spare_routers == b->n_spare_routers);
	CHECK(memcmp(a->spare_routers, b->spare_routers, sizeof(a->spare_routers)) == 0);
	CHECK(a->n_routes == b->n_routes);
	for (size_t i = 0; i < a->n_routes; i++) {
		CHECK(a->routes[i].destination.s_addr == b->routes[i].destination.s_addr);
		CHECK(a->routes[i].prefix_length == b->routes[i].prefix_length);
		CHECK(a->routes[i].onlink == b->routes[i].onlink);
		CHECK(a->routes[i].gateway.s_addr == b->routes[i].gateway.s_addr);
	}
}

static void check_same_options(const struct message_parameters *a,
			       const struct message_parameters *b)
{
	CHECK(a->n_options == b->n_options);
	for (size_t i = 0; i < a->n_options; i++) {
		CHECK(a->options[i].code == b->options[i].code);
		CHECK(a->options[i].size == b->options[i].size);
		CHECK(memcmp(a->option_bytes + a->options[i].at, b->option_bytes + b->options[i].at,
			     a->options[i].size) == 0);
	}
}

static void check_same_parameters(const struct message_parameters *a,
				  const struct message_parameters *b)
{
	CHECK(a->prefix_length == b->prefix_length);
	CHECK(a->mtu == b->mtu);
	check_same_routes(a, b);
	CHECK(a->n_name_servers == b->n_name_servers);
	CHECK(memcmp(a->name_servers, b->name_servers, 4u * a->n_name_servers) == 0);
	CHECK(a->n_time_servers == b->n_time_servers);
	CHECK(memcmp(a->time_servers, b->time_servers, 4u * a->n_time_servers) == 0);
	CHECK(strcmp(a->host_name, b->host_name) == 0);
	CHECK(strcmp(a->domain, b->domain) == 0);
	CHECK(strcmp(a->search, b->search) == 0);
	CHECK(strcmp(a->captive_portal, b->captive_portal) == 0);
	CHECK(a->n_resolvers == b->n_resolvers);
	for (size_t i = 0; i < a->n_resolvers; i++)
		CHECK(strcmp(a->resolvers[i], b->resolvers[i]) == 0);
	CHECK(a->has_ipv6_only == b->has_ipv6_only && a->ipv6_only_s == b->ipv6_only_s);
	check_same_options(a, b);
}

static void check_same(const struct message *a, const struct message *b)
{
	CHECK(a->type == b->type && a->xid == b->xid);
	CHECK(a->yiaddr.s_addr == b->yiaddr.s_addr);
	CHECK(memcmp(a->chaddr, b->chaddr, sizeof(a->chaddr)) == 0);
	CHECK(a->has_server == b->has_server && a->server.s_addr == b->server.s_addr);
	CHECK(a->has_lease_time == b->has_lease_time && a->lease_s == b->lease_s);
	CHECK(a->t1_s == b->t1_s && a->t2_s == b->t2_s);
	CHECK(a->has_rapid_commit == b->has_rapid_commit);
	CHECK(a->has_auto_configure == b->has_auto_configure);
	CHECK(a->has_client_id == b->has_client_id && a->client_id_size == b->client_id_size);
	CHECK(memcmp(a->client_id, b->client_id, sizeof(a->client_id)) == 0);
	CHECK(strcmp(a->text, b->text) == 0);
	check_same_parameters(&a->parameters, &b->parameters);
}

/* Convert to keys; every value must have the type of its key. */
static void project(const struct message *message, const struct message_policy *policy,
		    struct lease_keys *keys)
{
	static const struct client_config config;
	static const uint32_t random[2];
	static struct client_lease lease;

	client_lease_init(&lease, &config, message, NULL, NOW_NS, random);
	lease_project(&lease, CLIENT_BOUND, policy, NOW_NS, WALL_S, keys);
	for (int slot = 0; slot < _LEASE_SLOT_N; slot++) {
		const char *text = keys->text + keys->at[slot];
		const struct key_rule *key;
		char path[KV_PATH_SIZE];

		if (keys->at[slot] == 0)
			continue;
		CHECK(lease_path(keys, (enum lease_slot)slot, path));
		key = description_find_key(&description, path);
		CHECK(key && (key->access & KV_ACCESS_WRITE));
		CHECK(value_check(&key->rule, text, strlen(text)) == 0);
	}
}

static void check_reply(struct bytes_reader data, const struct message_policy *policy)
{
	static struct message first, second;
	static struct lease_keys first_keys, second_keys;
	static uint8_t buffer[REPLY_MAX];
	struct bytes_reader reader;

	if (message_parse(data, policy, &first) != REASON_NONE)
		return;
	bytes_reader_init(&reader, buffer, reply_build(&first, policy, buffer));
	CHECK(message_parse(reader, policy, &second) == REASON_NONE);
	check_same(&first, &second);
	project(&first, policy, &first_keys);
	project(&second, policy, &second_keys);
	CHECK(memcmp(&first_keys, &second_keys, sizeof(first_keys)) == 0);
}

/* Make a text of up to size - 1 printable octets. */
static void take_text(struct bytes_reader *data, char *text, size_t size)
{
	size_t length = bytes_u8(data) % size;

	for (size_t i = 0; i < length; i++)
		text[i] = (char)(0x21 + bytes_u8(data) % 0x5e);
	text[length] = '\0';
}

/* Build a message of ours from the octets, and read it as if a server had sent it. */
static void check_request(struct bytes_reader data, const struct message_policy *policy)
{
	static struct message_sender sender;
	static struct message message;
	struct message_request request = { 0 };
	uint8_t mac[6], buffer[MESSAGE_SIZE_MAX], bits = bytes_u8(&data);
	struct bytes_reader reader;
	size_t size;

	bytes_copy(&data, mac, sizeof(mac));
	message_sender_init(&sender, mac, policy);
	if (bits & 1)
		take_text(&data, sender.host_name, sizeof(sender.host_name));
	if (bits & 2)
		take_text(&data, sender.vendor_class, sizeof(sender.vendor_class));
	if (bits & 4)
		take_text(&data, sender.user_class, sizeof(sender.user_class));
	if (bits & 8) {
		sender.client_id_size = bytes_u8(&data);
		bytes_copy(&data, sender.client_id, sender.client_id_size);
	}
	request.type = (enum message_type)(1 + bytes_u8(&data) % MESSAGE_INFORM);
	request.broadcast = bits & 16;
	request.rapid_commit = bits & 32;
	request.has_server = bits & 64;
	request.xid = bytes_be32(&data);
	request.secs = bytes_be16(&data);
	bytes_copy(&data, &request.ciaddr, 4);
	bytes_copy(&data, &request.requested, 4);
	bytes_copy(&data, &request.server, 4);
	if (bits & 128)
		take_text(&data, request.text, sizeof(request.text));

	size = message_build(&sender, &request, buffer, sizeof(buffer));
	if (size == 0)
		return; /* does not fit */
	CHECK(size >= MESSAGE_SIZE_MIN && size <= MESSAGE_SIZE_MAX);
	CHECK(buffer[0] == 1);
	buffer[0] = 2;
	bytes_reader_init(&reader, buffer, size);
	CHECK(message_parse(reader, policy, &message) == REASON_NONE);
	CHECK(message.type == request.type && message.xid == request.xid);
	CHECK(memcmp(message.chaddr, mac, sizeof(mac)) == 0);
	CHECK(message.yiaddr.s_addr == 0 && message.lease_s == 0);
	CHECK(!message.has_server || message.server.s_addr == request.server.s_addr);
	CHECK(message.has_client_id == (sender.client_id_size > 0));
	CHECK(message.client_id_size == sender.client_id_size);
	CHECK(memcmp(message.client_id, sender.client_id, sender.client_id_size) == 0);
	CHECK(message.text[0] == '\0' || strcmp(message.text, request.text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct message_policy policy;
	struct bytes_reader data;

	if (size == 0)
		return 0;
	policy = dhcp4_policy(bytes[0]);
	bytes_reader_init(&data, bytes + 1, size - 1);
	check_reply(data, &policy);
	check_request(data, &policy);
	return 0;
}
