/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the uplink's MTU from /mtu. A value below 576 is ignored (a server's
 * mistake); one above the device's maximum is reduced to it. Below 1280 the kernel
 * would disable IPv6 on the device, so if it has IPv6, it gets 1280, and the routes
 * get the value. Before a change,
 * RUN_DIRECTORY/mtu.saved gets the original MTU, the one about to be set and the
 * one set before (if the process is killed in between, the device has either of
 * the two). When the key is deleted, the original is restored, unless another
 * program has changed the MTU since.
 *
 * While the uplink is a port of a bridge, bond or the like, no frame reaches the
 * host's stack through it, so address and routes are of no use: an error.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/log.h"
#include "userspace/common/value.h"
#include "userspace/priv/handlers/file.h"
#include "userspace/priv/handlers/link.h"
#include "userspace/priv/handlers/state.h"
#include "userspace/priv/netlink/netlink.h"

#define MTU_MIN 576
#define IPV6_MTU_MIN 1280 /* RFC 8200, section 5 */
#define MTU_MAX 65535
#define SAVED_SIZE 64

struct saved_mtu {
	int ifindex; /* 0: nothing is saved */
	uint32_t original;
	uint32_t set;
	uint32_t previous; /* set before that */
};

static const struct handler_family link_families[] = {
	{ "/mtu", FAMILY_TYPE(VALUE_U16), 0 },
};

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

/* 0: not to be set. */
struct mtus {
	uint32_t device;
	uint32_t routes; /* if lower than that of the device */
};

/* Find the MTUs that /mtu requires on this device. */
static int find_mtus(struct handler_context *context, const struct wanted *wanted,
		     const struct netlink_link *link, struct mtus *mtusp)
{
	const struct kv_value *value = wanted_get(wanted, "/mtu");
	uint32_t mtu = 0;

	if (value && context->options->use_mtu && value_parse_uint(value->text, 0, MTU_MAX, &mtu))
		return handler_fail(context, -EBADMSG, "/mtu is \"%s\"", value->text);
	if (link->max_mtu && mtu > link->max_mtu)
		mtu = link->max_mtu;
	*mtusp = (struct mtus){ .device = mtu < MTU_MIN ? 0 : mtu };
	if (mtusp->device && mtusp->device < IPV6_MTU_MIN && link->has_ipv6) {
		mtusp->routes = mtusp->device;
		mtusp->device = IPV6_MTU_MIN;
	}
	return 0;
}

uint32_t link_route_mtu(struct handler_context *context, const struct wanted *wanted)
{
	const struct kv_value *value = wanted_get(wanted, "/mtu");
	struct mtus mtus = { 0 };
	struct netlink_link link;
	uint32_t mtu;

	/* Usually the device need not be read. */
	if (!value || value_parse_uint(value->text, MTU_MIN, IPV6_MTU_MIN - 1, &mtu) ||
	    netlink_link_get(context->netlink, context->uplink_ifindex, &link) ||
	    find_mtus(context, wanted, &link, &mtus))
		return 0;
	return mtus.routes;
}

static void report(struct handler_context *context, uint32_t routes)
{
	struct link_state *state = &context->state->link;

	if (routes)
		handler_note(context,
			     "IPv6 requires an MTU of %d; the routes have %" PRIu32 " instead",
			     IPV6_MTU_MIN, routes);
	if (routes && routes != state->logged_route_mtu)
		log_warning("the MTU of the uplink is %d instead of %" PRIu32
			    ", because IPv6 requires it; the routes have %" PRIu32 " instead",
			    IPV6_MTU_MIN, routes, routes);
	state->logged_route_mtu = routes;
}

static int check_port(struct handler_context *context, const struct netlink_link *link)
{
	struct netlink_link master;
	int r;

	if (!link->is_port)
		return 0;
	r = netlink_link_get(context->netlink, link->master, &master);
	return handler_fail_plainly(context, -EBUSY,
				    "%s is a port of %s, which takes its frames; its address and "
				    "routes are of no use until it is released",
				    link->name, r ? "another interface" : master.name);
}

static int set_or_restore(struct handler_context *context, const char *path,
			  const struct netlink_link *link, uint32_t mtu)
{
	struct saved_mtu saved;
	int r = saved_read(context, path, &saved);

	if (r)
		return r;
	return mtu ? configure(context, path, saved, link->mtu, mtu) :
		     restore(context, path, saved, link->mtu);
}

static int link_apply(struct handler_context *context, const struct wanted *wanted)
{
	struct netlink_link link;
	struct mtus mtus = { 0 };
	char path[PATH_MAX];
	int r = saved_path(context, path);

	if (r)
		return r;
	r = netlink_link_get(context->netlink, context->uplink_ifindex, &link);
	if (r)
		return handler_fail(context, r, "cannot read the uplink");
	r = find_mtus(context, wanted, &link, &mtus);
	if (r)
		return r;
	context->state->link.device_mtu = mtus.device;
	report(context, mtus.routes);
	r = set_or_restore(context, path, &link, mtus.device);
	return handler_first(r, check_port(context, &link));
}

static int link_check(struct handler_context *context, const struct wanted *wanted)
{
	struct netlink_link link;
	struct mtus mtus = { 0 };
	int r = netlink_link_get(context->netlink, context->uplink_ifindex, &link);

	if (r)
		return handler_fail(context, r, "cannot read the uplink");
	r = find_mtus(context, wanted, &link, &mtus);
	if (r)
		return r;
	if (mtus.device != context->state->link.device_mtu) /* IPv6 was enabled or disabled */
		return HANDLER_APPLY;
	if (!mtus.device || mtus.device == link.mtu)
		return 0;
	return handler_drift(context, "the MTU was changed from %" PRIu32 " to %" PRIu32,
			     mtus.device, link.mtu);
}

const struct handler handler_link = {
	.name = "link",
	.effect = "the MTU of the uplink",
	.families = link_families,
	.n_families = sizeof(link_families) / sizeof(link_families[0]),
	.apply = link_apply,
	.check = link_check,
};
