// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * packet.c - read whole IP packets
 *
 * The gate, udp and icmp come in with packet_get() for what the TUN gave.
 * Packets for the other direction are built in packet_put.c.
 */
#include "wire/packet.h"

#include "base/bytes.h"

#include <errno.h>
#include <netinet/in.h>

#define IP4_SIZE     20
#define IP4_FRAGMENT 0x3fff /* more fragments, or an offset */
#define TCP_SIZE     20

static int tcp_get(struct rd *r, struct packet *p)
{
	const size_t whole = rd_left(r);
	size_t head;

	p->src.port = rd_be16(r);
	p->dst.port = rd_be16(r);
	p->tcp_seq = rd_be32(r);
	p->tcp_ack = rd_be32(r);
	head = (size_t)(rd_u8(r) >> 4) * 4;
	p->tcp_flags = rd_u8(r);
	rd_skip(r, 6); /* window, checksum, urgent pointer */
	if (r->ran_out || head < TCP_SIZE || head > whole)
		return -EPROTO;
	rd_skip(r, head - TCP_SIZE);
	return 0;
}

static int udp_get(struct rd *r, struct packet *p)
{
	const size_t whole = rd_left(r);
	size_t len;

	p->src.port = rd_be16(r);
	p->dst.port = rd_be16(r);
	len = rd_be16(r);
	rd_skip(r, 2); /* checksum */
	return r->ran_out || len != whole ? -EPROTO : 0;
}

static int icmp_get(struct rd *r, struct packet *p)
{
	p->icmp_type = rd_u8(r);
	p->icmp_code = rd_u8(r);
	rd_skip(r, 2); /* checksum */
	p->icmp_id = rd_be16(r);
	p->icmp_seq = rd_be16(r);
	return r->ran_out ? -EPROTO : 0;
}

/** above_get() - The protocol above IP; any but these is left as payload */
static int above_get(struct rd *r, struct packet *p)
{
	const uint8_t icmp =
		p->src.family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	int err = 0;

	if (p->proto == IPPROTO_TCP)
		err = tcp_get(r, p);
	else if (p->proto == IPPROTO_UDP)
		err = udp_get(r, p);
	else if (p->proto == icmp)
		err = icmp_get(r, p);
	if (err < 0)
		return err;
	p->payload_len = rd_left(r);
	p->payload = rd_bytes(r, p->payload_len);
	return 0;
}

/** ip4_get() - The header. Return: 0, -EPROTO, -EOPNOTSUPP */
static int ip4_get(struct rd *r, struct packet *p)
{
	const size_t head = (size_t)(rd_u8(r) & 15) * 4;
	const uint8_t *src;
	const uint8_t *dst;
	uint16_t fragment;
	uint16_t len;

	rd_skip(r, 1); /* type of service */
	len = rd_be16(r);
	rd_skip(r, 2); /* identification */
	fragment = rd_be16(r) & IP4_FRAGMENT;
	rd_skip(r, 1); /* time to live */
	p->proto = rd_u8(r);
	rd_skip(r, 2); /* checksum */
	src = rd_bytes(r, 4);
	dst = rd_bytes(r, 4);
	if (!src || !dst || len != p->raw_len || head < IP4_SIZE || head > len)
		return -EPROTO;
	p->src = addr_from_ip4(src, 0);
	p->dst = addr_from_ip4(dst, 0);
	return head > IP4_SIZE || fragment ? -EOPNOTSUPP : 0;
}

/** is_extension() - An IPv6 extension header (RFC 7045, 4)? ESP is not one
 * here: like any protocol above IP it hides what is behind it */
static bool is_extension(uint8_t next_header)
{
	switch (next_header) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_FRAGMENT:
	case IPPROTO_AH:
	case IPPROTO_DSTOPTS:
	case IPPROTO_MH:
	case 139: /* host identity protocol */
	case 140: /* shim6 */
		return true;
	default:
		return false;
	}
}

/** ip6_get() - The header. Return: 0, -EPROTO, -EOPNOTSUPP */
static int ip6_get(struct rd *r, struct packet *p)
{
	const uint8_t *src;
	const uint8_t *dst;
	uint16_t len;

	rd_skip(r, 4); /* version, traffic class, flow label */
	len = rd_be16(r);
	p->proto = rd_u8(r);
	rd_skip(r, 1); /* hop limit */
	src = rd_bytes(r, 16);
	dst = rd_bytes(r, 16);
	if (!src || !dst || len != rd_left(r))
		return -EPROTO;
	p->src = addr_from_ip6(src, 0);
	p->dst = addr_from_ip6(dst, 0);
	return is_extension(p->proto) ? -EOPNOTSUPP : 0;
}

int packet_get(const void *buf, size_t len, struct packet *ret)
{
	struct packet got = { .raw = buf, .raw_len = len };
	struct rd peek = rd_of(buf, len);
	struct rd r = rd_of(buf, len);
	int err;

	switch (rd_u8(&peek) >> 4) {
	case 4:
		err = ip4_get(&r, &got);
		break;
	case 6:
		err = ip6_get(&r, &got);
		break;
	default:
		return -EPROTO;
	}
	if (!err)
		err = above_get(&r, &got);
	if (!err || err == -EOPNOTSUPP)
		*ret = got;
	return err;
}
