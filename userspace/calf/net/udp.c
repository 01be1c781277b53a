/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/net/udp.h"

#include <string.h>

#include "userspace/calf/net/eth.h"
#include "userspace/calf/net/net.h"

/* Return the sum of the pseudo header for a datagram of `size` bytes. */
static uint32_t pseudo_header_sum(const struct ipv4_header *ip, size_t size)
{
	struct bytes_reader source, destination;
	uint32_t sum = IPV4_PROTOCOL_UDP + (uint32_t)size;

	bytes_reader_init(&source, &ip->source, sizeof(ip->source));
	bytes_reader_init(&destination, &ip->destination, sizeof(ip->destination));
	return ipv4_checksum_add(ipv4_checksum_add(sum, source), destination);
}

/*
 * Check a checksum other than 0. A sender with an offload leaves the bare sum
 * of the pseudo header in the field. If no device on the way completes it, as
 * between containers or virtual machines of one host, the mark that says so is
 * lost with the kernel's packet: all that arrives here are the octets.
 */
static bool is_right(const struct ipv4_header *ip, struct bytes_reader datagram, uint16_t checksum)
{
	uint32_t pseudo = pseudo_header_sum(ip, bytes_left(&datagram));

	return ipv4_checksum_fold(ipv4_checksum_add(pseudo, datagram)) == 0 ||
	       (checksum ^ ipv4_checksum_fold(pseudo)) == UINT16_MAX;
}

int udp_parse(struct bytes_reader *datagram, const struct ipv4_header *ip,
	      struct udp_header *header)
{
	struct bytes_reader at = *datagram, whole = *datagram;
	uint16_t checksum;
	size_t size;

	header->source_port = bytes_be16(&at);
	header->destination_port = bytes_be16(&at);
	size = bytes_be16(&at);
	checksum = bytes_be16(&at);
	if (at.failed)
		return NET_TRUNCATED;
	if (size < UDP_HEADER_SIZE || size > bytes_left(datagram))
		return NET_UDP_LENGTH;
	if (checksum != 0 && !is_right(ip, bytes_sub(&whole, size), checksum))
		return NET_UDP_CHECKSUM;
	*datagram = bytes_sub(&at, size - UDP_HEADER_SIZE);
	return NET_OK;
}

static void put_header(struct bytes_writer *writer, const struct udp_header *header, size_t size,
		       uint16_t checksum)
{
	bytes_put_be16(writer, header->source_port);
	bytes_put_be16(writer, header->destination_port);
	bytes_put_be16(writer, (uint16_t)size);
	bytes_put_be16(writer, checksum);
}

void udp_put(struct bytes_writer *datagram, const struct ipv4_header *ip,
	     const struct udp_header *header, const void *data, size_t data_size)
{
	size_t size = UDP_HEADER_SIZE + data_size;
	uint8_t bytes[UDP_HEADER_SIZE];
	struct bytes_reader reader;
	struct bytes_writer writer;
	uint16_t checksum;
	uint32_t sum;

	if (data_size > UINT16_MAX - IPV4_HEADER_SIZE - UDP_HEADER_SIZE) {
		datagram->failed = true;
		return;
	}
	bytes_writer_init(&writer, bytes, sizeof(bytes));
	put_header(&writer, header, size, 0);
	bytes_reader_init(&reader, bytes, sizeof(bytes));
	sum = ipv4_checksum_add(pseudo_header_sum(ip, size), reader);
	bytes_reader_init(&reader, data, data_size);
	checksum = ipv4_checksum_fold(ipv4_checksum_add(sum, reader));
	/* A checksum of 0 is sent as 0xffff, because 0 means that there is
	 * none. */
	put_header(datagram, header, size, checksum != 0 ? checksum : UINT16_MAX);
	bytes_put(datagram, data, data_size);
}

int udp_frame_parse(struct bytes_reader *frame, struct udp_frame *headers)
{
	struct eth_header eth;
	int r = eth_parse(frame, &eth);

	if (r != NET_OK)
		return r;
	memcpy(headers->destination_mac, eth.destination, sizeof(eth.destination));
	memcpy(headers->source_mac, eth.source, sizeof(eth.source));
	if (eth.type != ETH_TYPE_IPV4)
		return NET_TYPE;
	r = ipv4_parse(frame, &headers->ip);
	if (r != NET_OK)
		return r;
	if (headers->ip.protocol != IPV4_PROTOCOL_UDP)
		return NET_TYPE;
	return udp_parse(frame, &headers->ip, &headers->udp);
}

void udp_frame_put(struct bytes_writer *frame, const struct udp_frame *headers, const void *data,
		   size_t size)
{
	struct eth_header eth = { .type = ETH_TYPE_IPV4 };

	memcpy(eth.destination, headers->destination_mac, sizeof(eth.destination));
	memcpy(eth.source, headers->source_mac, sizeof(eth.source));
	eth_put(frame, &eth);
	ipv4_put(frame, &headers->ip, UDP_HEADER_SIZE + size);
	udp_put(frame, &headers->ip, &headers->udp, data, size);
}
