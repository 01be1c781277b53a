/* SPDX-License-Identifier: Apache-2.0 */
/* The commands with real pinned maps, on a private bpffs. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <jansson.h>
#include <sched.h>
#include <sys/mount.h>

#include "maps/frame.h"
#include "maps/kv.h"
#include "maps/pins.h"
#include "tests/unit/cli-capture.h"
#include "tests/unit/cli-pins.h"
#include "userspace/cli/store.h"

TestSuite(cli_store, .init = pins_setup, .fini = pins_teardown);

static int pin_map(const char *name, enum bpf_map_type type, uint32_t key_size, uint32_t value_size,
		   uint32_t max_entries)
{
	char path[256];
	int fd;

	fd = bpf_map_create(type, name, key_size, value_size, max_entries, NULL);
	cr_assert_geq(fd, 0);
	snprintf(path, sizeof(path), "%s/x/%s", pins_root, name);
	cr_assert_eq(bpf_obj_pin(fd, path), 0);
	return fd;
}

static int pin_kv(void)
{
	return pin_map(PIN_KV, BPF_MAP_TYPE_HASH, sizeof(struct kv_key), sizeof(struct kv_value),
		       KV_KEYS_MAX + KV_KEYS_SLACK);
}

static void put(int fd, const char *path, const char *text)
{
	struct kv_key key = { 0 };
	struct kv_value value = {
		.revision = 7,
		.length = (uint16_t)strlen(text),
		.subject = KV_SUBJECT_CALF,
	};

	strcpy(key.path, path);
	strcpy(value.text, text);
	cr_assert_eq(bpf_map_update_elem(fd, &key, &value, BPF_ANY), 0);
}

Test(cli_store, map_of_another_version)
{
	pin_map(PIN_CTL, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct kv_ctl) - 8, 1);
	cr_assert_eq(calfpen("status", NULL), CLI_FAILURE);
	cr_assert_str_eq(err_text,
			 "calfpen: instance x was created by another version of calfpen\n");
}

Test(cli_store, nothing_is_pinned)
{
	static const char *const commands[][3] = {
		{ "ls" },
		{ "get", "/ip" },
		{ "set", "/ip", "x" },
		{ "del", "/ip" },
	};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const char *const *words = commands[i];

		cr_assert_eq(calfpen(words[0], words[1], words[2], NULL), CLI_FAILURE);
		cr_assert_str_eq(err_text, "calfpen: instance x has no store\n", "%s", words[0]);
	}
	make_directory(run_root, "x");
	cr_assert_eq(calfpen("watch", NULL), CLI_FAILURE);
	cr_assert_str_eq(err_text, "calfpen: instance x has no store\n");
}

Test(cli_store, memory)
{
	struct cli cli = { .pins_root = pins_root, .instance = "x" };
	struct cli_memory *memory;

	cr_assert_eq(cli_store_memory(&cli, &memory), 0, "none");
	free(memory);
	close(pin_map("b", BPF_MAP_TYPE_ARRAY, 4, 8192, 4));
	close(pin_map("a", BPF_MAP_TYPE_ARRAY, 4, 8, 1));
	close(pin_map(PIN_FRAME_PEERS, BPF_MAP_TYPE_ARRAY, 4, 8, 1));
	cr_assert_eq(cli_store_memory(&cli, &memory), 2, "those of the store");
	cr_assert_str_eq(memory[0].name, "a");
	cr_assert_str_eq(memory[1].name, "b");
	cr_assert_geq(memory[1].bytes, 4 * 8192);
	free(memory);
	snprintf(cli.instance, sizeof(cli.instance), "y");
	cr_assert_eq(cli_store_memory(&cli, &memory), -ENOENT);
}

/* The bpffs of an instance that runs was unmounted. */
Test(cli_store, U41_nothing_pinned_but_running)
{
	char expected[300], path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/x", pins_root);
	cr_assert_eq(rmdir(path), 0);
	make_directory(run_root, "a");
	make_directory(run_root, "b");
	fd = make_running("b");
	cr_expect_eq(calfpen("status", NULL), CLI_FAILURE);
	snprintf(expected, sizeof(expected),
		 "calfpen: instance b is starting (pid %d), and nothing is pinned yet; its "
		 "log says what it waits for\n",
		 getpid());
	cr_expect_str_eq(err_text, expected);
	scratch_write_text("run/b/state.json", "{\"version\": 1}", 0600);
	cr_expect_eq(calfpen("status", NULL), CLI_FAILURE);
	snprintf(expected, sizeof(expected),
		 "calfpen: instance b is running (pid %d), but nothing is pinned in %s: its "
		 "bpffs was unmounted or emptied; restart the instance\n",
		 getpid(), pins_root);
	cr_expect_str_eq(err_text, expected);
	close(fd);
	cr_assert_eq(unlink(scratch_path("run/b/state.json")), 0);
	cr_expect_eq(calfpen("status", NULL), CLI_FAILURE);
	snprintf(expected, sizeof(expected),
		 "calfpen: no instance: nothing is pinned in %s; start one with `calfpen run`\n",
		 pins_root);
	cr_expect_str_eq(err_text, expected);
}

Test(cli_store, status)
{
	int ctl_fd = pin_map(PIN_CTL, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct kv_ctl), 1);
	int kv_fd = pin_kv(), n_cpus = libbpf_num_possible_cpus();
	int counters_fd = pin_map(PIN_FRAME_COUNTERS, BPF_MAP_TYPE_PERCPU_ARRAY, 4,
				  sizeof(struct frame_counter), 3 * _FRAME_REASON_N);
	int watches_fd = pin_map(PIN_WATCHES, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct kv_watch),
				 KV_SUBJECTS_MAX);
	struct kv_watch watch = { .active = 1 };
	uint32_t operator_subject = KV_SUBJECT_OPERATOR;
	struct kv_ctl ctl = { .layout_version = KV_LAYOUT_VERSION, .revision = 3, .n_keys = 1 };
	struct frame_counter *per_cpu = calloc((size_t)n_cpus, sizeof(*per_cpu));
	char want[64];

	for (int i = 0; i < n_cpus; i++)
		per_cpu[i] = (struct frame_counter){ .packets = 2, .bytes = 100 };
	/* of two calves */
	for (uint32_t owner = 1; owner <= 2; owner++)
		cr_assert_eq(
			bpf_map_update_elem(counters_fd,
					    &(uint32_t){ FRAME_COUNTER(owner, FRAME_OUT_ACCEPTED) },
					    per_cpu, 0),
			0);
	cr_assert_eq(bpf_map_update_elem(ctl_fd, &(uint32_t){ 0 }, &ctl, 0), 0);
	put(kv_fd, "/status/address", "3");
	watch.n_lost = 5;
	cr_assert_eq(bpf_map_update_elem(watches_fd, &operator_subject, &watch, 0), 0);
	cr_assert_eq(calfpen("status", NULL), CLI_DEAD, "%s", err_text);
	cr_assert_not_null(strstr(out_text, "instance  x, not running\n"));
	cr_assert_not_null(strstr(out_text, "store     revision 3, 1 of 0 keys"));
	cr_assert_not_null(strstr(out_text, "handler   address: 3\n"));
	cr_assert_not_null(strstr(out_text, "subject   operator: 0 accepted, 0 reads, 0 refused, "
					    "has 0 keys of 0 bytes, watches, lost 5 events\n"),
			   "%s", out_text);
	cr_assert_not_null(strstr(out_text, " KiB in 3 maps, largest: kv "), "%s", out_text);
	snprintf(want, sizeof(want), "out_accepted          sent       %d packets, %d bytes\n",
		 4 * n_cpus, 200 * n_cpus);
	cr_assert_not_null(strstr(out_text, want), "%s", out_text);
	cr_assert_eq(calfpen("status", "--json", "--all", NULL), CLI_DEAD);
	cr_assert_not_null(strstr(out_text, "\"host_noise\""));
	ctl.layout_version++;
	cr_assert_eq(bpf_map_update_elem(ctl_fd, &(uint32_t){ 0 }, &ctl, 0), 0);
	cr_assert_eq(calfpen("status", NULL), CLI_FAILURE);
	cr_assert_not_null(strstr(err_text, "another version"));
	free(per_cpu);
}
