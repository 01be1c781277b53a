/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests and messages for link.c, address.c, route.c and events.c; only netlink.c
 * uses libnl itself. One request at a time is built and run: begin, put..., run. An
 * error while it is built is returned by run.
 */
#ifndef CALFPEN_PRIV_NETLINK_NETLINK_PRIVATE_H
#define CALFPEN_PRIV_NETLINK_NETLINK_PRIVATE_H

#include <linux/netlink.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/priv/netlink/netlink.h"

/* Called for each message of the reply. A negative return value becomes that of
 * netlink_run(). */
typedef int (*netlink_parse_fn)(struct nlmsghdr *header, void *data);

/* Begin a message of this type with its fixed header (copied) and NLM_F_* flags. */
void netlink_begin(struct netlink *netlink, int type, int flags, const void *header, size_t size);
void netlink_put(struct netlink *netlink, int type, const void *data, size_t size);
/* Begin a nested attribute. Returns NULL on failure, which netlink_nest_end()
 * accepts. */
struct nlattr *netlink_nest_begin(struct netlink *netlink, int type);
void netlink_nest_end(struct netlink *netlink, struct nlattr *nest);
/*
 * Send the request and read until the end of the reply. A dump that the kernel
 * reports as changed meanwhile is requested again: `parse` (NULL: none) may then see
 * an entry twice, but none is missing. Returns 0 or the kernel's negative errno.
 */
int netlink_run(struct netlink *netlink, netlink_parse_fn parse, void *data);

/* Pass the pending messages of an event socket to `parse`. Returns as
 * netlink_events(). */
int netlink_receive(struct netlink *netlink, netlink_parse_fn parse, void *data);

/* replies */

/* Returns the fixed header of a message, `size` bytes, or NULL if it is shorter. */
const void *netlink_header(struct nlmsghdr *header, size_t size);
/* Store the attributes after a fixed header of `size` bytes in tb[max + 1], NULL for
 * those that are absent. Returns 0 or -EPROTO. */
int netlink_parse(struct nlmsghdr *header, size_t size, struct nlattr **tb, int max);
/* The same for the attributes inside of one. */
int netlink_parse_nested(struct nlattr *attribute, struct nlattr **tb, int max);
/* The only length that an attribute has. */
struct netlink_length {
	int type;
	size_t size;
};
/* Check the attributes of these n types that tb has: one of another length would otherwise
 * look as if it were absent. Returns 0 or -EPROTO. */
int netlink_check_lengths(struct nlattr *const *tb, const struct netlink_length *lengths, size_t n);
/* Copy an attribute of exactly `size` bytes. Returns 1, or 0 with `to` unchanged. */
int netlink_get(const struct nlattr *attribute, void *to, size_t size);
/* Copy a text, truncated to size - 1 bytes and NUL-terminated; empty if absent. */
void netlink_get_text(const struct nlattr *attribute, char *to, size_t size);
/* Return element `i` of an array, or `otherwise` if it is shorter. */
uint32_t netlink_get_u32_at(const struct nlattr *attribute, size_t i, uint32_t otherwise);
uint32_t netlink_get_u32(const struct nlattr *attribute, uint32_t otherwise);
struct in_addr netlink_get_in_addr(const struct nlattr *attribute); /* 0: none */

/* Parse a message of the kernel; the results are written only on success. Returns 1,
 * 0 if it is about something else (another address family), or -EPROTO, also for a prefix
 * longer than an address, with which nobody could calculate. */
int netlink_link_read(struct nlmsghdr *header, struct netlink_link *linkp);
int netlink_address_read(struct nlmsghdr *header, int *ifindexp, struct netlink_address *addressp);
int netlink_route_read(struct nlmsghdr *header, struct netlink_route *routep);
/* An IPv6 address with a scope beyond the link; others are something else. */
int netlink_address_read_ipv6(struct nlmsghdr *header, int *ifindexp, struct in6_addr *addressp);
/* A policy rule: which table it looks up, and the prefix length that it suppresses,
 * UINT32_MAX if none. */
int netlink_rule_read(struct nlmsghdr *header, uint32_t *tablep, uint32_t *lengthp);

#endif
