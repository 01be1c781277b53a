/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the uplink's MTU from /mtu. A value below 576 is ignored (a server's
 * mistake); one above the device's maximum is reduced to it. Before a change,
 * RUN_DIRECTORY/mtu.saved gets the original MTU, the one about to be set and the
 * one set before (if the process is killed in between, the device has either of
 * the two). When the key is deleted, the original is restored, unless another
 * program has changed the MTU since.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/value.h"
#include "userspace/priv/handlers/file.h"
#include "userspace/priv/handlers/handler.h"
#include "userspace/priv/netlink/netlink.h"

#define MTU_MIN 576
#define MTU_MAX 65535
#define SAVED_SIZE 64

struct saved_mtu {
	int ifindex; /* 0: nothing is saved */
	uint32_t original;
	uint32_t set;
	uint32_t previous; /* set before that */
};

static bool link_concerns(const char *path)
{
	return !strcmp(path, "/mtu");
}

static int saved_path(struct handler_context *context, char path[static PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/mtu.saved", context->run_directory);

	return n < 0 || n >= PATH_MAX ? handler_fail(context, -ENAMETOOLONG, "run directory") : 0;
}

/* Read what is saved for this interface, if anything; a note of an earlier
 * interface is ignored. An unreadable note is an error, not a missing note. */
static int saved_read(struct handler_context *context, const char *path, struct saved_mtu *savedp)
{
	struct saved_mtu saved = { 0 }, none = { 0 };
	char text[SAVED_SIZE];
	int n = file_read(path, text, sizeof(text));

	*savedp = none;
	if (n < 0 && n != -ENOENT && n != -EFBIG)
		return handler_fail(context, n, "%s", path);
	if (n >= 0 &&
	    sscanf(text, "%d %" SCNu32 " %" SCNu32 " %" SCNu32, &saved.ifindex, /* NOLINT */
		   &saved.original, &saved.set, &saved.previous) == 4 &&
	    saved.ifindex == context->uplink_ifindex)
		*savedp = saved;
	return 0;
}

static int set_mtu(struct handler_context *context, uint32_t mtu)
{
	int r = netlink_link_set_mtu(context->netlink, context->uplink_ifindex, mtu);

	return r ? handler_fail(context, r, "cannot set MTU %" PRIu32, mtu) : 0;
}

static int restore(struct handler_context *context, const char *path, struct saved_mtu saved,
		   uint32_t present)
{
	int r = 0;

	if (saved.ifindex && (present == saved.set || present == saved.previous) &&
	    present != saved.original)
		r = set_mtu(context, saved.original);
	return r ? r : file_remove(path);
}

static int configure(struct handler_context *context, const char *path, struct saved_mtu saved,
		     uint32_t present, uint32_t mtu)
{
	char text[SAVED_SIZE];
	int n, r;

	if (present == mtu)
		return 0;
	n = snprintf(text, sizeof(text), "%d %" PRIu32 " %" PRIu32 " %" PRIu32 "\n",
		     context->uplink_ifindex, saved.ifindex ? saved.original : present, mtu,
		     present);
	r = file_write(path, text, (size_t)n);
	if (r)
		return handler_fail(context, r, "%s", path);
	return set_mtu(context, mtu);
}

/* Find the MTU that /mtu requires on this device; 0: none. */
static int find_mtu(struct handler_context *context, const struct wanted *wanted,
		    const struct netlink_link *link, uint32_t *mtup)
{
	const struct kv_value *value = wanted_get(wanted, "/mtu");
	uint32_t mtu = 0;

	if (value && context->configuration->use_mtu &&
	    value_parse_uint(value->text, 0, MTU_MAX, &mtu))
		return handler_fail(context, -EBADMSG, "/mtu is \"%s\"", value->text);
	if (link->max_mtu && mtu > link->max_mtu)
		mtu = link->max_mtu;
	*mtup = mtu < MTU_MIN ? 0 : mtu;
	return 0;
}

static int link_apply(struct handler_context *context, const struct wanted *wanted)
{
	struct netlink_link link;
	struct saved_mtu saved;
	char path[PATH_MAX];
	uint32_t mtu = 0;
	int r = saved_path(context, path);

	if (r)
		return r;
	r = netlink_link_get(context->netlink, context->uplink_ifindex, &link);
	if (r)
		return handler_fail(context, r, "cannot read the uplink");
	r = find_mtu(context, wanted, &link, &mtu);
	if (r)
		return r;
	r = saved_read(context, path, &saved);
	if (r)
		return r;
	if (!mtu)
		return restore(context, path, saved, link.mtu);
	return configure(context, path, saved, link.mtu, mtu);
}

static int link_check(struct handler_context *context, const struct wanted *wanted)
{
	struct netlink_link link;
	uint32_t mtu = 0;
	int r = netlink_link_get(context->netlink, context->uplink_ifindex, &link);

	if (r)
		return handler_fail(context, r, "cannot read the uplink");
	r = find_mtu(context, wanted, &link, &mtu);
	if (r || !mtu || mtu == link.mtu)
		return r;
	return handler_drift(context, "the MTU was changed from %" PRIu32 " to %" PRIu32, mtu,
			     link.mtu);
}

const struct handler handler_link = {
	.name = "link",
	.concerns = link_concerns,
	.apply = link_apply,
	.check = link_check,
};
