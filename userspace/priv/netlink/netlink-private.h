/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How netlink_{link,address,route,events}.c speak to the kernel; libnl itself is
 * seen by netlink.c only. One request at a time is put together and run:
 * begin, put..., run. A failure while it is put together is kept and comes
 * out of run.
 */
#ifndef CALFPEN_PRIV_NETLINK_NETLINK_PRIVATE_H
#define CALFPEN_PRIV_NETLINK_NETLINK_PRIVATE_H

#include <linux/netlink.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/priv/netlink/netlink.h"

/* Called for each message of the answer; negative: the outcome of run. */
typedef int (*netlink_parse_fn)(struct nlmsghdr *header, void *data);

/* A message of this type with its fixed header (copied) and NLM_F_* flags. */
void netlink_begin(struct netlink *netlink, int type, int flags, const void *header, size_t size);
void netlink_put(struct netlink *netlink, int type, const void *data, size_t size);
/* An attribute made of attributes; NULL if that failed, which end bears. */
struct nlattr *netlink_nest_begin(struct netlink *netlink, int type);
void netlink_nest_end(struct netlink *netlink, struct nlattr *nest);
/*
 * Send, read until the end of the answer: 0 or the kernel's negative errno.
 * A dump that the kernel says has changed under way is asked for again:
 * `parse` (NULL: none) may then see an entry twice, but none is left out.
 */
int netlink_run(struct netlink *netlink, netlink_parse_fn parse, void *data);

/* Hand what has come to an event socket to `parse`; as netlink_events(). */
int netlink_receive(struct netlink *netlink, netlink_parse_fn parse, void *data);

/* answers */

/* The fixed header of a message, `size` bytes, or NULL if it is shorter. */
const void *netlink_header(struct nlmsghdr *header, size_t size);
/* Attributes behind a fixed header of `size` bytes into tb[max + 1], NULL
 * where there is none: 0 or -EPROTO. */
int netlink_parse(struct nlmsghdr *header, size_t size, struct nlattr **tb, int max);
/* Copy an attribute of exactly `size` bytes: 1, or 0 with `to` untouched. */
int netlink_get(const struct nlattr *attribute, void *to, size_t size);
/* Copy a text, cut at size - 1 bytes and NUL-terminated; empty if none. */
void netlink_get_text(const struct nlattr *attribute, char *to, size_t size);
uint32_t netlink_get_u32(const struct nlattr *attribute, uint32_t otherwise);
struct in_addr netlink_get_in_addr(const struct nlattr *attribute); /* 0: none */

/* A message of the kernel as a struct, *p written on success only: 1, 0 if it
 * is about something else (another address family), or -EPROTO. */
int netlink_link_read(struct nlmsghdr *header, struct netlink_link *linkp);
int netlink_address_read(struct nlmsghdr *header, int *ifindexp, struct netlink_address *addressp);
int netlink_route_read(struct nlmsghdr *header, struct netlink_route *routep);

#endif
