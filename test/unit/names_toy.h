/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * names_toy.h - a DNS server for tests, in the tested loop itself
 *
 * UDP and TCP on one port of the loopback. The first label of a question says
 * what it is answered with: see toy_answer().
 */
#include "dns_help.h"

#include "base/fd.h"
#include "base/loop.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define TOY_CONNS 16

struct toy;

struct toy_conn {
	struct toy *toy;
	struct watch watch;
	int fd;
	uint8_t in[8192];
	size_t in_len;
	uint8_t held[2048]; /* answer to "late", sent behind the next */
	size_t held_len;
};

/** struct toy - @udp, @tcp: questions that came; @conns: connections made */
struct toy {
	struct loop *loop;
	struct addr addr;
	struct watch udp_watch;
	struct watch tcp_watch;
	int udp_fd;
	int tcp_fd;
	unsigned int udp;
	unsigned int tcp;
	unsigned int conns;
	struct toy_conn conn[TOY_CONNS];
};

static inline bool toy_is(const struct dns_query *q, const char *label)
{
	return q->name.wire[0] == strlen(label) &&
	       !memcmp(q->name.wire + 1, label, strlen(label));
}

static inline void toy_records(struct wr *w, const struct dns_query *q,
			       bool is_tcp, uint16_t count[4], uint16_t *flags)
{
	static const char https[] = "\0\1\0\0\4\0\4\1\2\3\4";
	static const uint8_t soa[22] = { [21] = 30 };
	uint8_t text[200] = { sizeof(text) - 1 };

	if (toy_is(q, "nx")) {
		*flags |= DNS_NXDOMAIN;
		help_record_put(w, DNS_SOA, 900, soa, sizeof(soa));
		count[1]++;
	} else if (toy_is(q, "refuse")) {
		*flags |= DNS_REFUSED;
	} else if (toy_is(q, "big") && !is_tcp) {
		*flags |= DNS_TC;
	} else if (toy_is(q, "big") || toy_is(q, "wide")) {
		for (int i = 0; i < 30; i++)
			help_record_put(w, DNS_TXT, 300, text, sizeof(text));
		count[0] = 30;
	} else if (toy_is(q, "alias")) {
		help_record_put(w, DNS_A, 300, "\306\22\5\5", 4);
		count[0]++;
	} else if (q->type == DNS_HTTPS) {
		help_record_put(w, DNS_HTTPS, 300, https, sizeof(https) - 1);
		count[0]++;
	} else {
		help_record_put(w, DNS_A, 300, "\300\0\2\1", 4);
		count[0]++;
	}
}

/**
 * toy_answer() - What a question is answered with
 *
 * nx: NXDOMAIN, to be kept for 30 s; refuse: REFUSED; big: too long for UDP;
 * wide: the same, and sent all the same;
 * alias: an address that leases come from; silent: nothing; mute: nothing by
 * UDP; wrong: another question's answer; any other: 192.0.2.1
 *
 * Return: octets, 0 for no answer
 */
static inline size_t toy_answer(const struct dns_query *q, bool is_tcp,
				uint8_t *buf, size_t room)
{
	struct wr w = wr_of(buf, room);
	struct wr head = wr_of(buf, DNS_HEADER);
	struct dns_query asked = *q;
	uint16_t count[4] = { 0 };
	uint16_t flags = DNS_QR | DNS_RA;

	if (toy_is(q, "silent") || (toy_is(q, "mute") && !is_tcp))
		return 0;
	if (toy_is(q, "wrong"))
		asked.type = DNS_TXT;
	(void)wr_room(&w, DNS_HEADER);
	dns_question_put(&w, &asked);
	toy_records(&w, q, is_tcp, count, &flags);
	dns_opt_put(&w, q->wants_dnssec, DNS_NOERROR);
	wr_be16(&head, q->id);
	wr_be16(&head, flags);
	wr_be16(&head, 1);
	wr_be16(&head, count[0]);
	wr_be16(&head, count[1]);
	wr_be16(&head, 1);
	assert_false(w.ran_out);
	return wr_used(&w);
}

static inline void toy_udp(struct watch *w, uint32_t events)
{
	struct toy *t = container_of(w, struct toy, udp_watch);
	struct sockaddr_storage ss;
	socklen_t ss_len = sizeof(ss);
	uint8_t in[512];
	uint8_t out[8192];
	struct dns_query q;
	const ssize_t n =
		recvfrom(t->udp_fd, in, sizeof(in), 0, (void *)&ss, &ss_len);
	size_t len;

	(void)events;
	if (n < 0)
		return;
	t->udp++;
	assert_int_equal(dns_query_get(in, (size_t)n, &q), 0);
	assert_true(q.has_opt);
	len = toy_answer(&q, false, out, sizeof(out));
	if (len > 0)
		(void)sendto(t->udp_fd, out, len, 0, (void *)&ss, ss_len);
}

static inline void toy_conn_close(struct toy_conn *c)
{
	loop_unwatch(c->toy->loop, &c->watch);
	fd_close(&c->fd);
}

static inline void toy_conn_send(struct toy_conn *c, const uint8_t *msg,
				 size_t len)
{
	uint8_t out[8192];
	struct wr w = wr_of(out, sizeof(out));

	wr_be16(&w, (uint16_t)len);
	wr_bytes(&w, msg, len);
	assert_int_equal(send(c->fd, out, wr_used(&w), MSG_NOSIGNAL),
			 wr_used(&w));
}

/** toy_conn_answer() - "late" waits for the next; "once" ends with its own */
static inline void toy_conn_answer(struct toy_conn *c, const uint8_t *msg,
				   size_t len)
{
	uint8_t out[8192];
	struct dns_query q;

	c->toy->tcp++;
	assert_int_equal(dns_query_get(msg, len, &q), 0);
	len = toy_answer(&q, true, out, sizeof(out));
	if (toy_is(&q, "late")) {
		memcpy(c->held, out, len);
		c->held_len = len;
		return;
	}
	if (len > 0)
		toy_conn_send(c, out, len);
	if (len > 0 && c->held_len > 0)
		toy_conn_send(c, c->held, c->held_len);
	c->held_len = 0;
	if (toy_is(&q, "once"))
		toy_conn_close(c);
}

static inline void toy_conn_ready(struct watch *w, uint32_t events)
{
	struct toy_conn *c = container_of(w, struct toy_conn, watch);
	const ssize_t n =
		recv(c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len, 0);
	struct rd r;

	(void)events;
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			toy_conn_close(c);
		return;
	}
	c->in_len += (size_t)n;
	r = rd_of(c->in, c->in_len);
	while (c->fd >= 0) {
		struct rd whole = r;
		const uint16_t len = rd_be16(&whole);
		const uint8_t *msg = rd_bytes(&whole, len);

		if (!msg)
			break;
		r = whole;
		toy_conn_answer(c, msg, len);
	}
	c->in_len = rd_left(&r);
	memmove(c->in, r.at, c->in_len);
}

static inline void toy_accept(struct watch *w, uint32_t events)
{
	struct toy *t = container_of(w, struct toy, tcp_watch);
	const int fd = accept4(t->tcp_fd, NULL, NULL, SOCK_NONBLOCK);
	struct toy_conn *c = &t->conn[t->conns % TOY_CONNS];

	(void)events;
	if (fd < 0)
		return;
	t->conns++;
	if (c->toy)
		toy_conn_close(c);
	*c = (struct toy_conn){ .toy = t, .fd = fd };
	assert_int_equal(
		loop_watch(t->loop, &c->watch, fd, EPOLLIN, toy_conn_ready), 0);
}

static inline int toy_bind(struct toy *t, int type)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sock(&t->addr, &ss);
	const int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (bind(fd, (void *)&ss, len) < 0) {
		(void)close(fd);
		return -1;
	}
	assert_int_equal(getsockname(fd, (void *)&ss, &len), 0);
	addr_from_sock(&t->addr, &ss);
	return fd;
}

/** toy_start() - Serve at a free port of 127.0.0.1 */
static inline void toy_start(struct toy *t, struct loop *loop)
{
	*t = (struct toy){ .loop = loop, .udp_fd = -1, .tcp_fd = -1 };
	for (int i = 0; i < 50 && t->tcp_fd < 0; i++) {
		t->addr = addr_from_ip4("\177\0\0\1", 0);
		fd_close(&t->udp_fd);
		t->udp_fd = toy_bind(t, SOCK_DGRAM);
		t->tcp_fd = toy_bind(t, SOCK_STREAM);
	}
	assert_true(t->tcp_fd >= 0);
	assert_int_equal(listen(t->tcp_fd, 16), 0);
	assert_int_equal(
		loop_watch(loop, &t->udp_watch, t->udp_fd, EPOLLIN, toy_udp),
		0);
	assert_int_equal(
		loop_watch(loop, &t->tcp_watch, t->tcp_fd, EPOLLIN, toy_accept),
		0);
}

/** toy_deaf() - From now on UDP is refused */
static inline void toy_deaf(struct toy *t)
{
	loop_unwatch(t->loop, &t->udp_watch);
	fd_close(&t->udp_fd);
}

static inline void toy_stop(struct toy *t)
{
	toy_deaf(t);
	loop_unwatch(t->loop, &t->tcp_watch);
	fd_close(&t->tcp_fd);
	for (int i = 0; i < TOY_CONNS; i++)
		if (t->conn[i].toy)
			toy_conn_close(&t->conn[i]);
}
