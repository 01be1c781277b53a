/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: rtnetlink requests with libnl's core: messages, attributes and the socket.
 * Its route objects are not used because they support neither IFA_PROTO nor dump
 * filters. Replies are matched by sequence number; errors are the kernel's own.
 * There is no policy here: the callers decide what belongs to calfpen.
 */
#include "userspace/priv/netlink/netlink-private.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#define RECEIVE_SIZE 32768 /* the kernel's largest part of a dump */
#define EXCHANGES_MAX 5	   /* attempts if a dump is interrupted or a reply missed */
#define RECEIVES_MAX 64	   /* reads of an event socket at a time; others wait, too */
#define EVENTS_SIZE 262144 /* bytes of events that the kernel buffers */

struct netlink {
	struct nl_sock *sock;
	struct nl_cb *cb;
	/* of the request under way */
	struct nl_msg *msg;
	bool failed; /* building it failed */
	bool is_listening;
	bool is_dirty; /* the last reply was not read to its end */
	uint32_t sequence;
	bool done;
	bool interrupted;
	int error;
	netlink_parse_fn parse;
	void *data;
};

static int errno_from_nl(int code)
{
	switch (code < 0 ? -code : code) {
	case NLE_SUCCESS:
		return 0;
	case NLE_NOMEM:
	case NLE_MSGSIZE:
		return -ENOBUFS;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_AGAIN:
	case NLE_INTR:
		return -EAGAIN;
	case NLE_MSG_TRUNC:
	case NLE_MSG_OVERFLOW:
		return -EMSGSIZE;
	case NLE_AF_NOSUPPORT:
	case NLE_PROTO_MISMATCH:
		return -EAFNOSUPPORT;
	default:
		return -EIO;
	}
}

static int on_valid(struct nl_msg *msg, void *data)
{
	struct netlink *netlink = data;

	if (netlink->parse && !netlink->error)
		netlink->error = netlink->parse(nlmsg_hdr(msg), netlink->data);
	return NL_OK;
}

/* An acknowledgement, or the end of a dump, which carries its error. */
static int on_done(struct nl_msg *msg, void *data)
{
	struct netlink *netlink = data;
	struct nlmsghdr *header = nlmsg_hdr(msg);
	int error = 0;

	if (header->nlmsg_type == NLMSG_DONE && nlmsg_datalen(header) >= (int)sizeof(error))
		memcpy(&error, nlmsg_data(header), sizeof(error));
	if (error < 0 && !netlink->error)
		netlink->error = error;
	netlink->done = true;
	return NL_STOP;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *reply, void *data)
{
	struct netlink *netlink = data;

	(void)from;
	netlink->error = reply->error;
	netlink->done = true;
	return NL_STOP;
}

static int on_interrupted(struct nl_msg *msg, void *data)
{
	struct netlink *netlink = data;

	(void)msg;
	netlink->interrupted = true;
	return NL_OK;
}

/* Skip the rest of an earlier exchange that failed half-way. */
static int on_sequence(struct nl_msg *msg, void *data)
{
	const struct netlink *netlink = data;

	if (netlink->is_listening)
		return NL_OK;
	return nlmsg_hdr(msg)->nlmsg_seq == netlink->sequence ? NL_OK : NL_SKIP;
}

static struct netlink *netlink_alloc(void)
{
	struct netlink *netlink = calloc(1, sizeof(*netlink));

	if (!netlink)
		return NULL;
	netlink->sock = nl_socket_alloc();
	netlink->cb = nl_cb_alloc(NL_CB_DEFAULT);
	if (!netlink->sock || !netlink->cb)
		return netlink_free(netlink);
	nl_socket_disable_msg_peek(netlink->sock);
	nl_socket_set_msg_buf_size(netlink->sock, RECEIVE_SIZE);
	nl_cb_set(netlink->cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_sequence, netlink);
	nl_cb_set(netlink->cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, netlink);
	nl_cb_set(netlink->cb, NL_CB_ACK, NL_CB_CUSTOM, on_done, netlink);
	nl_cb_set(netlink->cb, NL_CB_FINISH, NL_CB_CUSTOM, on_done, netlink);
	nl_cb_set(netlink->cb, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_interrupted, netlink);
	nl_cb_err(netlink->cb, NL_CB_CUSTOM, on_error, netlink);
	return netlink;
}

int netlink_new(struct netlink **netlinkp)
{
	struct netlink *netlink = netlink_alloc();
	int one = 1, r;

	if (!netlink)
		return -ENOMEM;
	r = errno_from_nl(nl_connect(netlink->sock, NETLINK_ROUTE));
	/* Without strict checking the kernel does not filter dumps [4.20]. */
	if (!r && setsockopt(nl_socket_get_fd(netlink->sock), SOL_NETLINK, NETLINK_GET_STRICT_CHK,
			     &one, sizeof(one)) < 0)
		r = -errno;
	if (r)
		netlink_free(netlink);
	else
		*netlinkp = netlink;
	return r;
}

int netlink_listen(struct netlink **netlinkp, bool only_links)
{
	static const int groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE,
				      RTNLGRP_IPV4_RULE };
	size_t i, n_groups = only_links ? 1 : sizeof(groups) / sizeof(groups[0]);
	struct netlink *netlink = netlink_alloc();
	int r;

	if (!netlink)
		return -ENOMEM;
	netlink->is_listening = true;
	r = nl_connect(netlink->sock, NETLINK_ROUTE);
	if (!r)
		r = nl_socket_set_buffer_size(netlink->sock, EVENTS_SIZE, 0);
	if (!r)
		r = nl_socket_set_nonblocking(netlink->sock);
	for (i = 0; !r && i < n_groups; i++)
		r = nl_socket_add_membership(netlink->sock, groups[i]);
	if (r)
		netlink_free(netlink);
	else
		*netlinkp = netlink;
	return errno_from_nl(r);
}

int netlink_fd(const struct netlink *netlink)
{
	return nl_socket_get_fd(netlink->sock);
}

uint32_t netlink_port(const struct netlink *netlink)
{
	return nl_socket_get_local_port(netlink->sock);
}

struct netlink *netlink_free(struct netlink *netlink)
{
	if (!netlink)
		return NULL;
	nl_cb_put(netlink->cb);
	nl_socket_free(netlink->sock);
	free(netlink);
	return NULL;
}

void netlink_begin(struct netlink *netlink, int type, int flags, const void *header, size_t size)
{
	void *to;

	netlink->msg = nlmsg_alloc_simple(type, flags);
	to = netlink->msg ? nlmsg_reserve(netlink->msg, size, NLMSG_ALIGNTO) : NULL;
	netlink->failed = !to;
	if (to)
		memcpy(to, header, size);
}

void netlink_put(struct netlink *netlink, int type, const void *data, size_t size)
{
	if (!netlink->failed && nla_put(netlink->msg, type, (int)size, data) < 0)
		netlink->failed = true;
}

struct nlattr *netlink_nest_begin(struct netlink *netlink, int type)
{
	struct nlattr *nest = netlink->failed ? NULL : nla_nest_start(netlink->msg, type);

	netlink->failed |= !nest;
	return nest;
}

void netlink_nest_end(struct netlink *netlink, struct nlattr *nest)
{
	if (!netlink->failed)
		(void)nla_nest_end(netlink->msg, nest);
}

/*
 * Discard the rest of a reply that could not be read. Until a dump is read to its
 * end, the kernel refuses any other on this socket.
 */
static void clean(struct netlink *netlink)
{
	static char bytes[RECEIVE_SIZE];
	struct iovec part = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	int i, error = 0;

	for (i = 0; i < RECEIVES_MAX && error != EAGAIN; i++)
		if (recvmsg(nl_socket_get_fd(netlink->sock), &message, MSG_DONTWAIT) < 0)
			error = errno;
	netlink->is_dirty = error != EAGAIN;
}

static int exchange(struct netlink *netlink)
{
	struct nlmsghdr *header = nlmsg_hdr(netlink->msg);
	int r;

	if (netlink->is_dirty)
		clean(netlink);
	netlink->done = false;
	netlink->interrupted = false;
	netlink->error = 0;
	header->nlmsg_seq = NL_AUTO_SEQ;
	r = nl_send_auto(netlink->sock, netlink->msg);
	netlink->sequence = header->nlmsg_seq;
	while (r >= 0 && !netlink->done)
		r = nl_recvmsgs(netlink->sock, netlink->cb);
	netlink->is_dirty = !netlink->done;
	if (!netlink->done && r < 0)
		return errno_from_nl(r);
	if (!netlink->error && netlink->interrupted)
		return -EAGAIN;
	return netlink->error;
}

int netlink_run(struct netlink *netlink, netlink_parse_fn parse, void *data)
{
	int i, r = netlink->failed ? -ENOMEM : -EAGAIN;

	netlink->parse = parse;
	netlink->data = data;
	for (i = 0; r == -EAGAIN && i < EXCHANGES_MAX; i++)
		r = exchange(netlink);
	netlink->parse = NULL;
	nlmsg_free(netlink->msg);
	netlink->msg = NULL;
	return r;
}

/* Is there anything to receive? libnl would first allocate memory for it. Returns 1,
 * 0, or as netlink_receive(). */
static int peek(const struct netlink *netlink)
{
	char byte;
	struct iovec part = { .iov_base = &byte, .iov_len = sizeof(byte) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (recvmsg(nl_socket_get_fd(netlink->sock), &message, MSG_PEEK | MSG_DONTWAIT) >= 0)
		return 1;
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	return errno == ENOBUFS ? NETLINK_LOST : -errno;
}

int netlink_receive(struct netlink *netlink, netlink_parse_fn parse, void *data)
{
	int i, r = peek(netlink);

	if (r != 1)
		return r;

	netlink->parse = parse;
	netlink->data = data;
	netlink->error = 0;
	for (i = 0; i < RECEIVES_MAX && r >= 0 && !netlink->error; i++)
		r = nl_recvmsgs(netlink->sock, netlink->cb);
	netlink->parse = NULL;
	if (netlink->error)
		return netlink->error;
	if (r >= 0)
		return NETLINK_MORE;
	if (r == -NLE_NOMEM) /* libnl's code for ENOBUFS */
		return NETLINK_LOST;
	return r == -NLE_AGAIN ? 0 : errno_from_nl(r);
}

const void *netlink_header(struct nlmsghdr *header, size_t size)
{
	return nlmsg_datalen(header) >= (int)size ? nlmsg_data(header) : NULL;
}

int netlink_parse(struct nlmsghdr *header, size_t size, struct nlattr **tb, int max)
{
	return nlmsg_parse(header, (int)size, tb, max, NULL) < 0 ? -EPROTO : 0;
}

int netlink_parse_nested(struct nlattr *attribute, struct nlattr **tb, int max)
{
	return nla_parse_nested(tb, max, attribute, NULL) < 0 ? -EPROTO : 0;
}

int netlink_check_lengths(struct nlattr *const *tb, const struct netlink_length *lengths, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct nlattr *attribute = tb[lengths[i].type];

		if (attribute && nla_len(attribute) != (int)lengths[i].size)
			return -EPROTO;
	}
	return 0;
}

int netlink_get(const struct nlattr *attribute, void *to, size_t size)
{
	if (!attribute || nla_len(attribute) != (int)size)
		return 0;
	memcpy(to, nla_data(attribute), size);
	return 1;
}

void netlink_get_text(const struct nlattr *attribute, char *to, size_t size)
{
	to[0] = '\0';
	if (attribute)
		(void)nla_strlcpy(to, attribute, size);
}

uint32_t netlink_get_u32_at(const struct nlattr *attribute, size_t i, uint32_t otherwise)
{
	uint32_t number = otherwise;

	if (attribute && (size_t)nla_len(attribute) >= (i + 1) * sizeof(number))
		memcpy(&number, (const char *)nla_data(attribute) + i * sizeof(number),
		       sizeof(number));
	return number;
}

uint32_t netlink_get_u32(const struct nlattr *attribute, uint32_t otherwise)
{
	uint32_t number = otherwise;

	(void)netlink_get(attribute, &number, sizeof(number));
	return number;
}

struct in_addr netlink_get_in_addr(const struct nlattr *attribute)
{
	struct in_addr address = { 0 };

	(void)netlink_get(attribute, &address, sizeof(address));
	return address;
}
