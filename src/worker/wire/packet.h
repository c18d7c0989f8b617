/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * packet.h - whole IP packets as the TUN gives and takes them
 *
 * RFC 791 (IPv4), RFC 8200 (IPv6), RFC 9293 (TCP), RFC 768 (UDP), RFC 792 and
 * RFC 4443 (ICMP). No fragments, no IPv4 options, no IPv6 extension headers:
 * such packets are refused, never reassembled.
 */
#include "base/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_MAX	65535
#define PACKET_UDP_MAX	65507 /* IPv4: 65535 - 20 - 8 */
#define PACKET_SYN_ROOM 128   /* IPv6 40 + TCP 60, rounded up */

#define TCP_FIN		0x01
#define TCP_SYN		0x02
#define TCP_RST		0x04
#define TCP_ACK		0x10

/**
 * struct packet - what a packet says; pointers are into the caller's buffer
 * @proto:        IPPROTO_*
 * @src, @dst:    With ports for TCP and UDP, else port 0
 * @tcp_flags:    TCP_*; TCP only
 * @tcp_seq, @tcp_ack:  TCP only
 * @icmp_type, @icmp_code:  ICMP and ICMPv6 only
 * @payload:      Behind the TCP, UDP or ICMP (8 octets) header; for any other
 *                protocol behind the IP header
 * @payload_len:  Octets
 * @raw, @raw_len: The whole packet
 */
struct packet {
	uint8_t proto;
	struct addr src;
	struct addr dst;
	uint8_t tcp_flags;
	uint32_t tcp_seq;
	uint32_t tcp_ack;
	uint8_t icmp_type;
	uint8_t icmp_code;
	uint16_t icmp_id;
	uint16_t icmp_seq;
	const uint8_t *payload;
	size_t payload_len;
	const uint8_t *raw;
	size_t raw_len;
};

/**
 * packet_get() - Read a packet
 * @buf:  From the TUN (IFF_NO_PI)
 * @len:  Octets read; must be what the IP header says
 * @ret:  Result
 *
 * Checksums are not verified: the sender is the kernel.
 *
 * Return: 0; -EPROTO if a length or version lies; -EOPNOTSUPP for fragments,
 * IPv4 options and IPv6 extension headers (@ret then has src, dst, proto, raw)
 */
int packet_get(const void *buf, size_t len, struct packet *ret);

/**
 * packet_put_udp() - Build a UDP datagram, checksum included
 * @buf:  Room
 * @room: Octets
 * @from, @to:  Same family, with ports
 * @data: Payload; may be NULL when @len is 0
 * @len:  Octets
 *
 * Return: octets of the packet, or 0 if it does not fit (or is over 65535, or
 * over 65507 of payload)
 */
size_t packet_put_udp(void *buf, size_t room, const struct addr *from,
		      const struct addr *to, const void *data, size_t len);

/**
 * packet_put_rst() - Refuse a TCP segment (RFC 9293, 3.5.2)
 * @buf, @room:  Room
 * @seg:  The segment refused; the RST goes from its dst to its src
 *
 * Return: octets of the packet, or 0 if it does not fit or @seg is a RST (which
 * is never answered with another)
 */
size_t packet_put_rst(void *buf, size_t room, const struct packet *seg);

/** enum unreach - why a packet got nowhere, and what connect(2) makes of it */
enum unreach {
	UNREACH_NET,   /* ENETUNREACH: v4 type 3 code 0, v6 type 1 code 0 */
	UNREACH_HOST,  /* EHOSTUNREACH: v4 3/1, v6 1/3 */
	UNREACH_PORT,  /* ECONNREFUSED: v4 3/3, v6 1/4 */
	UNREACH_ADMIN, /* v4 3/13 EHOSTUNREACH, v6 1/1 EACCES */
	UNREACH_KINDS
};

/**
 * packet_put_unreach() - Build an ICMP or ICMPv6 "destination unreachable"
 * @buf, @room:  Room
 * @why:  Code
 * @of:   The packet that got nowhere; quoted as far as the RFCs allow (v4: 576
 *        octets in all, RFC 1812, 4.3.2.3; v6: 1280, RFC 4443, 2.4)
 *
 * Sent from the destination of @of to its source.
 *
 * Return: octets of the packet, or 0 if it does not fit
 */
size_t packet_put_unreach(void *buf, size_t room, enum unreach why,
			  const struct packet *of);

/**
 * packet_put_unreach_udp() - The same for a datagram that is gone already
 * @from, @to:  Of the datagram: @from sent it
 *
 * Quotes the IP and UDP header only, with @len octets of payload claimed.
 */
size_t packet_put_unreach_udp(void *buf, size_t room, enum unreach why,
			      const struct addr *from, const struct addr *to,
			      size_t len);

/**
 * packet_put_echo_reply() - Answer an echo request
 * @request:  With icmp_id, icmp_seq; proto and addresses are turned round
 * @data, @len:  Payload to send back
 *
 * Return: octets of the packet, or 0 if it does not fit
 */
size_t packet_put_echo_reply(void *buf, size_t room,
			     const struct packet *request, const void *data,
			     size_t len);

/**
 * packet_put_bare_syn() - Copy a SYN without any data it carries
 * @buf:   Room, PACKET_SYN_ROOM suffices
 * @syn:   SYN; options are kept (TCP Fast Open data comes again, RFC 7413)
 *
 * Return: octets of the packet, or 0 if it does not fit
 */
size_t packet_put_bare_syn(void *buf, size_t room, const struct packet *syn);
