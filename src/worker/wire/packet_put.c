// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * packet_put.c - build whole IP packets
 *
 * The gate, udp and icmp come in with packet_put_*() for what the TUN shall
 * take. Each packet is built by put_begin(), the octets of its protocol, and
 * put_end(), which sums it.
 */
#include "wire/packet.h"

#include "base/bytes.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define IP4_SIZE	 20
#define IP6_SIZE	 40
#define IP4_DF		 0x4000
#define HOP_LIMIT	 64
#define TCP_SIZE	 20
#define UDP_SIZE	 8
#define ICMP_SIZE	 8

#define ICMP4_ECHO_REPLY 0
#define ICMP4_UNREACH	 3
#define ICMP6_UNREACH	 1
#define ICMP6_ECHO_REPLY 129

/* What an unreachable quotes at most: 576 and 1280 octets in all. */
#define ICMP4_QUOTE_MAX	 (576 - IP4_SIZE - ICMP_SIZE)
#define ICMP6_QUOTE_MAX	 (1280 - IP6_SIZE - ICMP_SIZE)

/**
 * sum_add() - Add octets to a ones' complement sum (RFC 1071)
 *
 * The sum does not depend on byte order nor on the width of its words (RFC
 * 1071, 2), so that 64 bits are read at once as the machine has them; two
 * accumulators of 32-bit halves need no carry within a packet's size.
 */
static uint64_t sum_add(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *at = data;
	uint64_t high = 0;
	uint64_t word;

	for (; len >= sizeof(word); len -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		sum += (uint32_t)word;
		high += word >> 32;
		at += sizeof(word);
	}
	word = 0;
	if (len > 0)
		memcpy(&word, at, len);
	return sum + high + (uint32_t)word + (word >> 32);
}

/** sum_put() - Fold a sum to 16 bits and store its complement */
static void sum_put(uint64_t sum, uint8_t *field, bool zero_means_none)
{
	uint16_t folded;

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	folded = (uint16_t)~sum;
	if (folded == 0 && zero_means_none)
		folded = 0xffff;
	memcpy(field, &folded, sizeof(folded));
}

/** sum_pseudo() - The pseudo header (RFC 9293, 3.1; RFC 8200, 8.1) */
static uint64_t sum_pseudo(const struct addr *from, const struct addr *to,
			   uint8_t proto, size_t len)
{
	uint64_t sum = htons(proto) + (uint64_t)htons((uint16_t)len);

	sum = sum_add(sum, from->ip, addr_size(from));
	return sum_add(sum, to->ip, addr_size(to));
}

/**
 * struct put - a packet being built
 * @w:      Behind what has been written
 * @proto:  Above IP
 * @above:  Where it begins
 * @field:  Its checksum, zero until put_end(); NULL when out of room
 * @sum:    Of the pseudo header, or 0 if the protocol has none
 */
struct put {
	struct wr w;
	uint8_t proto;
	const uint8_t *above;
	uint8_t *field;
	uint64_t sum;
};

static void put_ip4(struct wr *w, uint8_t proto, const struct addr *from,
		    const struct addr *to, uint16_t len)
{
	const uint8_t *const head = w->at;
	uint8_t *field;

	wr_be16(w, 4 << 12 | (IP4_SIZE / 4) << 8);
	wr_be16(w, (uint16_t)(IP4_SIZE + len));
	wr_be16(w, 0); /* identification: none needed with DF (RFC 6864, 4.1) */
	wr_be16(w, IP4_DF);
	wr_u8(w, HOP_LIMIT);
	wr_u8(w, proto);
	field = wr_room(w, 2);
	if (field)
		memset(field, 0, 2);
	wr_bytes(w, from->ip, 4);
	wr_bytes(w, to->ip, 4);
	if (!w->ran_out)
		sum_put(sum_add(0, head, IP4_SIZE), field, false);
}

static void put_ip6(struct wr *w, uint8_t proto, const struct addr *from,
		    const struct addr *to, uint16_t len)
{
	wr_be32(w, 6u << 28);
	wr_be16(w, len);
	wr_u8(w, proto);
	wr_u8(w, HOP_LIMIT);
	wr_bytes(w, from->ip, 16);
	wr_bytes(w, to->ip, 16);
}

/** put_ip() - An IP header; runs out if it could not say @len or the families
 * do not go together */
static void put_ip(struct wr *w, uint8_t proto, const struct addr *from,
		   const struct addr *to, size_t len)
{
	if (from->family == AF_INET && to->family == AF_INET &&
	    len <= PACKET_MAX - IP4_SIZE)
		put_ip4(w, proto, from, to, (uint16_t)len);
	else if (from->family == AF_INET6 && to->family == AF_INET6 &&
		 len <= PACKET_MAX - IP6_SIZE)
		put_ip6(w, proto, from, to, (uint16_t)len);
	else
		w->ran_out = true;
}

static void put_begin(struct put *p, struct wr w, uint8_t proto,
		      const struct addr *from, const struct addr *to,
		      size_t len)
{
	*p = (struct put){ .w = w, .proto = proto };
	put_ip(&p->w, proto, from, to, len);
	p->above = p->w.at;
	if (proto != IPPROTO_ICMP)
		p->sum = sum_pseudo(from, to, proto, len);
}

/** put_field() - Leave room for the checksum here */
static void put_field(struct put *p)
{
	p->field = wr_room(&p->w, 2);
	if (p->field)
		memset(p->field, 0, 2);
}

/** put_end() - Sum it. Return: octets of the packet, or 0 if out of room */
static size_t put_end(struct put *p)
{
	if (p->w.ran_out)
		return 0;
	p->sum = sum_add(p->sum, p->above, (size_t)(p->w.at - p->above));
	sum_put(p->sum, p->field, p->proto == IPPROTO_UDP);
	return wr_used(&p->w);
}

size_t packet_put_udp(void *buf, size_t room, const struct addr *from,
		      const struct addr *to, const void *data, size_t len)
{
	struct put p;

	if (len > PACKET_UDP_MAX)
		return 0;
	put_begin(&p, wr_of(buf, room), IPPROTO_UDP, from, to, UDP_SIZE + len);
	wr_be16(&p.w, from->port);
	wr_be16(&p.w, to->port);
	wr_be16(&p.w, (uint16_t)(UDP_SIZE + len));
	put_field(&p);
	wr_bytes(&p.w, data, len);
	return put_end(&p);
}

size_t packet_put_rst(void *buf, size_t room, const struct packet *seg)
{
	const bool has_ack = seg->tcp_flags & TCP_ACK;
	struct put p;
	uint32_t next = seg->tcp_seq + (uint32_t)seg->payload_len;

	if (seg->proto != IPPROTO_TCP || seg->tcp_flags & TCP_RST)
		return 0;
	if (seg->tcp_flags & TCP_SYN)
		next++;
	if (seg->tcp_flags & TCP_FIN)
		next++;
	put_begin(&p, wr_of(buf, room), IPPROTO_TCP, &seg->dst, &seg->src,
		  TCP_SIZE);
	wr_be16(&p.w, seg->dst.port);
	wr_be16(&p.w, seg->src.port);
	wr_be32(&p.w, has_ack ? seg->tcp_ack : 0);
	wr_be32(&p.w, has_ack ? 0 : next);
	wr_u8(&p.w, (TCP_SIZE / 4) << 4);
	wr_u8(&p.w, has_ack ? TCP_RST : TCP_RST | TCP_ACK);
	wr_be16(&p.w, 0); /* window */
	put_field(&p);
	wr_be16(&p.w, 0); /* urgent pointer */
	return put_end(&p);
}

/** unreach_put() - About a packet from @from to @to that began with @quote */
static size_t unreach_put(struct wr w, enum unreach why,
			  const struct addr *from, const struct addr *to,
			  const void *quote, size_t len)
{
	static const uint8_t code[UNREACH_KINDS][2] = {
		[UNREACH_NET] = { 0, 0 },
		[UNREACH_HOST] = { 1, 3 },
		[UNREACH_PORT] = { 3, 4 },
		[UNREACH_ADMIN] = { 13, 1 },
	};
	const bool is_v6 = from->family == AF_INET6;
	const size_t max = is_v6 ? ICMP6_QUOTE_MAX : ICMP4_QUOTE_MAX;
	struct put p;

	if (len > max)
		len = max;
	put_begin(&p, w, is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, to, from,
		  ICMP_SIZE + len);
	wr_u8(&p.w, is_v6 ? ICMP6_UNREACH : ICMP4_UNREACH);
	wr_u8(&p.w, code[why][is_v6]);
	put_field(&p);
	wr_be32(&p.w, 0); /* unused */
	wr_bytes(&p.w, quote, len);
	return put_end(&p);
}

size_t packet_put_unreach(void *buf, size_t room, enum unreach why,
			  const struct packet *of)
{
	return unreach_put(wr_of(buf, room), why, &of->src, &of->dst, of->raw,
			   of->raw_len);
}

size_t packet_put_unreach_udp(void *buf, size_t room, enum unreach why,
			      const struct addr *from, const struct addr *to,
			      size_t len)
{
	uint8_t quote[IP6_SIZE + UDP_SIZE];
	struct wr q = wr_of(quote, sizeof(quote));

	if (len > PACKET_UDP_MAX)
		return 0;
	put_ip(&q, IPPROTO_UDP, from, to, UDP_SIZE + len);
	wr_be16(&q, from->port);
	wr_be16(&q, to->port);
	wr_be16(&q, (uint16_t)(UDP_SIZE + len));
	wr_be16(&q, 0); /* checksum: nobody can know it any more */
	if (q.ran_out)
		return 0;
	return unreach_put(wr_of(buf, room), why, from, to, quote, wr_used(&q));
}

size_t packet_put_echo_reply(void *buf, size_t room,
			     const struct packet *request, const void *data,
			     size_t len)
{
	const bool is_v6 = request->src.family == AF_INET6;
	struct put p;

	if (request->proto != (is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP) ||
	    len > PACKET_MAX)
		return 0;
	put_begin(&p, wr_of(buf, room), request->proto, &request->dst,
		  &request->src, ICMP_SIZE + len);
	wr_u8(&p.w, is_v6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY);
	wr_u8(&p.w, 0);
	put_field(&p);
	wr_be16(&p.w, request->icmp_id);
	wr_be16(&p.w, request->icmp_seq);
	wr_bytes(&p.w, data, len);
	return put_end(&p);
}

/* The IP header is written anew: nothing of it tells but its addresses. */
size_t packet_put_bare_syn(void *buf, size_t room, const struct packet *syn)
{
	const bool is_v6 = syn->src.family == AF_INET6;
	const size_t ip = is_v6 ? IP6_SIZE : IP4_SIZE;
	struct put p;
	struct rd tcp;
	size_t len;

	if (syn->proto != IPPROTO_TCP ||
	    syn->raw_len < ip + TCP_SIZE + syn->payload_len)
		return 0;
	len = syn->raw_len - ip - syn->payload_len;
	tcp = rd_of(syn->raw, ip + len);
	rd_skip(&tcp, ip);
	put_begin(&p, wr_of(buf, room), IPPROTO_TCP, &syn->src, &syn->dst, len);
	wr_bytes(&p.w, rd_bytes(&tcp, 16), 16);
	put_field(&p);
	rd_skip(&tcp, 2);
	wr_bytes(&p.w, rd_bytes(&tcp, len - 18), len - 18);
	return put_end(&p);
}
