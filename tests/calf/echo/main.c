/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calf-echo: sends a BOOTP request from port 1068 to port 1067 five times a second, and
 * counts what it gets: replies to its port in /echo/own, all other frames in /echo/foreign.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/calf/net/net.h"
#include "userspace/calf/net/udp.h"
#include "userspace/calf/sdk/calf.h"
#include "userspace/common/clock.h"
#include "userspace/common/log.h"
#include "userspace/common/value.h"

#define LOCAL_PORT 1068
#define REMOTE_PORT 1067
#define INTERVAL_NS (NS_PER_S / 5)
#define MESSAGE_SIZE 300

static struct calf calf;
static struct loop_timer timer;
static uint8_t mac[6];
static uint32_t xid; /* one transaction, because few may begin */
static uint32_t n_own, n_foreign;

static void on_written(struct calf *self, int status, const char *text, size_t length, void *path)
{
	(void)self;
	(void)length;
	if (status != CALF_OK)
		log_error("%s: %s", (const char *)path, text);
}

static void tell(const char *path, uint32_t number)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%" PRIu32, number);
	(void)calf_store_write(&calf, path, text, CALF_ANY, on_written, (void *)(uintptr_t)path);
}

static void send_request(void)
{
	struct udp_frame headers = {
		.destination_mac = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		.ip = { .destination.s_addr = INADDR_BROADCAST,
			.protocol = IPV4_PROTOCOL_UDP,
			.ttl = 64 },
		.udp = { .source_port = LOCAL_PORT, .destination_port = REMOTE_PORT },
	};
	uint8_t message[MESSAGE_SIZE], bytes[UDP_FRAME_HEADERS + MESSAGE_SIZE];
	struct bytes_writer writer;
	int r;

	memcpy(headers.source_mac, mac, sizeof(mac));
	bytes_writer_init(&writer, message, sizeof(message));
	bytes_put(&writer, "\1\1\6", 4); /* BOOTREQUEST, Ethernet, hops */
	bytes_put(&writer, &xid, sizeof(xid));
	bytes_put_zeros(&writer, 20);
	bytes_put(&writer, mac, sizeof(mac));
	bytes_put_zeros(&writer, 202);
	bytes_put(&writer, "\x63\x82\x53\x63\x35\1\1\xff", 8); /* DISCOVER */
	bytes_put_zeros(&writer, MESSAGE_SIZE - writer.at);
	bytes_writer_init(&writer, bytes, sizeof(bytes));
	udp_frame_put(&writer, &headers, message, sizeof(message));
	r = calf_send_frame(&calf, writer.data, writer.at);
	if (r < 0)
		log_warning("cannot send a frame: %s", strerrordesc_np(-r));
}

static int on_timer(struct loop *loop, uint64_t now_ns, void *data)
{
	(void)loop;
	(void)data;
	send_request();
	tell("/echo/own", n_own);
	tell("/echo/foreign", n_foreign);
	loop_timer_set(&timer, now_ns + INTERVAL_NS);
	return 0;
}

static void on_frame(struct calf *self, const uint8_t *frame, size_t size, void *data)
{
	struct bytes_reader reader;
	struct udp_frame headers;

	(void)self;
	(void)data;
	bytes_reader_init(&reader, frame, size);
	if (udp_frame_parse(&reader, &headers) == NET_OK &&
	    headers.udp.destination_port == LOCAL_PORT)
		n_own++;
	else
		n_foreign++;
}

static void on_mac(struct calf *self, int status, const char *text, size_t length, void *data)
{
	(void)length;
	(void)data;
	if (status != CALF_OK || value_parse_mac(text, mac)) {
		log_error("/mac: %s", text);
		calf_stop(self, -EINVAL);
		return;
	}
	loop_timer_set(&timer, self->loop.now_ns());
}

int main(void)
{
	log_init("echo", STDERR_FILENO, LOG_LEVEL_INFO);
	if (calf_init(&calf, &CALF_FDS_STANDARD) < 0 || calf_confine() < 0 ||
	    loop_add_timer(&calf.loop, &timer, on_timer, NULL) < 0 ||
	    calf_store_read(&calf, "/mac", on_mac, NULL) < 0)
		return EXIT_FAILURE;
	calf.random(&xid, sizeof(xid));
	calf_on_frame(&calf, on_frame, NULL);
	return calf_run(&calf) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
