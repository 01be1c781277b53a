/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/watcher/list.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "userspace/common/gate.h"
#include "userspace/common/log.h"
#include "userspace/common/path.h"

#define KEYS_MAX (KV_KEYS_MAX + KV_KEYS_SLACK)
/* While the store is busy or our own rate is used up. */
#define WAIT_NS 2000000
#define WAITS_MAX 2500 /* of all reads together: 5 s */

static int compare(const struct kv_key *a, const struct kv_key *b)
{
	return strncmp(a->path, b->path, KV_PATH_SIZE);
}

static void swap(struct kv_key *a, struct kv_key *b)
{
	struct kv_key between = *a;

	*a = *b;
	*b = between;
}

static void sift_down(struct kv_key *keys, uint32_t i, uint32_t n)
{
	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= n)
			return;
		if (child + 1 < n && compare(&keys[child], &keys[child + 1]) < 0)
			child++;
		if (compare(&keys[i], &keys[child]) >= 0)
			return;
		swap(&keys[i], &keys[child]);
		i = child;
	}
}

/* Heap sort, because it works in place: qsort() would allocate memory and ask for
 * the memory size of the machine. */
uint32_t watcher_list_sort(struct kv_key *keys, uint32_t n_keys)
{
	uint32_t i, n = 0;

	for (i = n_keys / 2; i-- > 0;)
		sift_down(keys, i, n_keys);
	for (i = n_keys; i > 1; i--) {
		swap(&keys[0], &keys[i - 1]);
		sift_down(keys, 0, i - 1);
	}
	for (i = 0; i < n_keys; i++)
		if (!n || compare(&keys[n - 1], &keys[i]))
			keys[n++] = keys[i];
	return n;
}

/* If a key is removed during the iteration, the kernel restarts it: keys may
 * appear twice, but every key that is not changed meanwhile appears. */
static int list_keys(int kv_fd, struct kv_key *keys, uint32_t *n_keysp)
{
	const struct kv_key *previous = NULL;
	uint32_t n = 0;
	int r;

	while (n < KEYS_MAX) {
		r = bpf_map_get_next_key(kv_fd, previous, &keys[n]);
		if (r == -ENOENT) {
			*n_keysp = n;
			return 0;
		}
		if (r < 0)
			return r;
		previous = &keys[n++];
	}
	return -E2BIG;
}

static int read_key(int gate_fd, const char *path, struct kv_value *value, unsigned int *n_waitsp)
{
	const struct timespec wait = { .tv_nsec = WAIT_NS };
	int r;

	for (;;) {
		r = gate_read(gate_fd, path, value);
		if ((r != -EBUSY && r != -EDQUOT) || *n_waitsp == WAITS_MAX)
			return r;
		(*n_waitsp)++;
		(void)ppoll(NULL, 0, &wait, NULL);
	}
}

int watcher_list(struct wanted *wanted, int gate_fd, int kv_fd, int ctl_fd)
{
	static struct kv_key keys[KEYS_MAX];
	static struct kv_value value;
	static struct kv_ctl ctl;
	unsigned int n_waits = 0;
	uint32_t i, n_keys = 0, zero = 0;
	int r;

	wanted_clear(wanted);
	r = bpf_map_lookup_elem(ctl_fd, &zero, &ctl);
	if (!r)
		r = list_keys(kv_fd, keys, &n_keys);
	if (r)
		return r;
	n_keys = watcher_list_sort(keys, n_keys);
	for (i = 0; i < n_keys; i++) {
		if (!path_key_is_canonical(&keys[i])) {
			log_error("the store contains a key that is not canonical; ignoring it");
			continue;
		}
		r = read_key(gate_fd, keys[i].path, &value, &n_waits);
		if (r == -ENOENT) /* removed meanwhile; the ring has the event */
			continue;
		if (!r)
			r = wanted_set(wanted, &keys[i], &value);
		if (r) {
			log_error("cannot read %s: %s", keys[i].path, strerror(-r));
			wanted_clear(wanted);
			return r;
		}
	}
	wanted->revision = ctl.revision;
	return 0;
}
