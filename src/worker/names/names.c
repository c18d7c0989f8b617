// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * names.c - the door of the room: queries come in, answers go out
 *
 * Whatever way a query comes by, names_query() decides with query_answer(),
 * and hands what is left to the forwarder; names_send() sends an answer back
 * by the same way.
 */
#include "names/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "names/forward.h"
#include "names/lease.h"
#include "names/program.h"
#include "names/query.h"
#include "names/tcp_front.h"
#include "names/udp_front.h"

/**
 * struct names - the resolver of a sandbox
 * @loop:        Borrowed
 * @forward:     NULL where no upstream is ever asked
 * @program:     NAMES_PROGRAM: it answers; else NULL
 * @is_retired:  Only the leases are left
 */
struct names {
	struct loop *loop;
	const struct plan *plan;
	names_reply_fn *reply;
	void *ctx;
	struct leases leases;
	struct udp_front udp;
	struct tcp_front tcp;
	struct forward *forward;
	struct program *program;
	bool is_retired;
};

/** names_send() - An answer is there: send it */
static void names_send(void *ctx, const struct asker *who, const void *msg,
		       size_t len)
{
	struct names *n = ctx;

	loop_talk(n->loop);
	switch (who->kind) {
	case ASKER_PACKET:
		n->reply(n->ctx, &who->asked, &who->from, msg, len);
		break;
	case ASKER_SOCKET:
		udp_front_reply(&n->udp, who, msg, len);
		break;
	case ASKER_STREAM:
		tcp_front_reply(&n->tcp, who, msg, len);
		break;
	}
}

/** names_query() - A message came; see asker_fn */
static bool names_query(void *ctx, const struct asker *who, const void *msg,
			size_t len)
{
	struct names *n = ctx;
	uint8_t out[DNS_UDP_MAX];
	struct dns_query q;
	const int form = dns_query_get(msg, len, &q);
	size_t room = who->kind == ASKER_STREAM ? DNS_MESSAGE_MAX : q.udp_room;
	size_t out_len;
	int rc;

	if (form < 0)
		return false;
	loop_talk(n->loop); /* who asks waits for the answer */
	if (n->plan->names == NAMES_PROGRAM && form == DNS_NOERROR &&
	    !query_is_exposed(n->plan, &q)) {
		program_query(n->program, &q, who, msg, len);
		return true;
	}
	/* Answers of our own are short, whatever room there is. */
	rc = query_answer(n->plan, &n->leases, &q, form, out,
			  room < sizeof(out) ? room : sizeof(out), &out_len);
	if (rc == 0)
		names_send(n, who, out, out_len);
	else
		forward_query(n->forward, &q, who, room);
	return true;
}

int names_new(struct loop *loop, struct way *way, const struct plan *p,
	      names_reply_fn *reply, void *ctx, struct names **ret)
{
	struct names *n = calloc(1, sizeof(*n));
	int rc;

	if (!n)
		return -ENOMEM;
	n->loop = loop;
	n->plan = p;
	n->reply = reply;
	n->ctx = ctx;
	udp_front_init(&n->udp, way, names_query, n);
	tcp_front_init(&n->tcp, loop, names_query, n);
	rc = leases_init(&n->leases, LEASE_POOL);
	if (rc == 0 && (p->names == NAMES_FORWARD || p->names == NAMES_RESOLVE))
		rc = forward_new(way, p, names_send, n, &n->forward);
	if (rc == 0 && p->names == NAMES_PROGRAM)
		rc = program_new(loop, names_send, n, &n->program);
	if (rc < 0) {
		names_free(n);
		return rc;
	}
	*ret = n;
	return 0;
}

int names_remember(struct names *n, int fd)
{
	return leases_remember(&n->leases, fd);
}

void names_retire(struct names *n)
{
	if (n->is_retired)
		return;
	n->is_retired = true;
	forward_free(n->forward);
	program_free(n->program);
	n->program = NULL;
	tcp_front_fini(&n->tcp);
	udp_front_fini(&n->udp);
}

void names_free(struct names *n)
{
	if (!n)
		return;
	names_retire(n);
	leases_fini(&n->leases);
	free(n);
}

void names_datagram(struct names *n, const struct addr *from,
		    const struct addr *to, const void *msg, size_t len)
{
	const struct asker who = {
		.kind = ASKER_PACKET,
		.from = *from,
		.asked = *to,
	};

	(void)names_query(n, &who, msg, len);
}

int names_lead(struct names *n, names_lead_fn *fn, void *ctx, int fd)
{
	if (!n->program)
		return -EPROTO;
	n->tcp.lead = fn;
	n->tcp.lead_ctx = ctx;
	return program_reach(n->program, fd);
}

void names_serve(struct names *n, int fd)
{
	if (n->is_retired)
		(void)close(fd); /* the next worker serves who comes again */
	else
		tcp_front_accept(&n->tcp, fd);
}

void names_accept(struct names *n, int fd)
{
	if (n->tcp.lead)
		n->tcp.lead(n->tcp.lead_ctx, fd);
	else
		names_serve(n, fd);
}

int names_listen_udp(struct names *n, int fd)
{
	return udp_front_add(&n->udp, fd);
}

int names_listen_tcp(struct names *n, int fd)
{
	return tcp_front_add(&n->tcp, fd);
}

bool names_is_leasable(const struct addr *a)
{
	return lease_is_leasable(a);
}

bool names_of_lease(struct names *n, const struct addr *a, char *ret)
{
	const char *name = leases_name(&n->leases, a);

	if (!name)
		return false;
	memcpy(ret, name, strlen(name) + 1);
	return true;
}

void names_hold(struct names *n, const struct addr *a)
{
	leases_hold(&n->leases, a);
}

void names_drop(struct names *n, const struct addr *a)
{
	leases_drop(&n->leases, a);
}
