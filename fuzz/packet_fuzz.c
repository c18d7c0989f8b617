// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * packet_fuzz.c - any octets as a packet, and what we would answer to it
 *
 * What is read must lie inside the packet; what is built must be a packet
 * itself, with good sums.
 */
#include "base/bytes.h"
#include "wire/packet.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint8_t out[PACKET_MAX];

/** sum_of() - RFC 1071, octet by octet */
static uint32_t sum_of(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/** expect_packet() - Is this a good one from @from to @to? */
static void expect_packet(size_t len, const struct addr *from,
			  const struct addr *to)
{
	struct packet p;
	uint32_t sum = 0;
	size_t head;

	if (len == 0)
		return;
	assert(packet_get(out, len, &p) == 0);
	assert(addr_same_host(&p.src, from) && addr_same_host(&p.dst, to));
	head = p.src.family == AF_INET6 ? 40 : 20;
	assert(head == 40 || sum_of(0, out, head) == 0xffff);
	if (p.proto != IPPROTO_ICMP) {
		sum = sum_of(p.proto, p.src.ip, 16);
		sum = sum_of(sum, p.dst.ip, 16) + (uint32_t)(len - head);
	}
	assert(sum_of(sum, out + head, len - head) == 0xffff);
}

static void answer_tcp(const struct packet *p)
{
	size_t len = packet_put_rst(out, sizeof(out), p);

	assert((len == 0) == !!(p->tcp_flags & TCP_RST));
	expect_packet(len, &p->dst, &p->src);
	len = packet_put_bare_syn(out, PACKET_SYN_ROOM, p);
	assert(len == p->raw_len - p->payload_len);
	expect_packet(len, &p->src, &p->dst);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct packet p;
	const int err = packet_get(data, len, &p);

	if (err < 0 && err != -EOPNOTSUPP)
		return 0;
	assert(p.raw == data && p.raw_len == len);
	for (unsigned int why = 0; why < UNREACH_KINDS; why++)
		expect_packet(packet_put_unreach(out, sizeof(out), why, &p),
			      &p.dst, &p.src);
	if (err < 0)
		return 0;
	assert(p.payload >= data && p.payload + p.payload_len == data + len);
	if (p.proto == IPPROTO_TCP)
		answer_tcp(&p);
	expect_packet(packet_put_udp(out, sizeof(out), &p.dst, &p.src,
				     p.payload, p.payload_len),
		      &p.dst, &p.src);
	expect_packet(packet_put_unreach_udp(out, sizeof(out), UNREACH_PORT,
					     &p.src, &p.dst, p.payload_len),
		      &p.dst, &p.src);
	expect_packet(packet_put_echo_reply(out, sizeof(out), &p, p.payload,
					    p.payload_len),
		      &p.dst, &p.src);
	return 0;
}
