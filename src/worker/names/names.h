/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * names.h - the sandbox's DNS: queries in, answers out
 *
 * A query is answered locally (special names, exposed names, leases) or by an
 * upstream through the way out; never by the host's resolver.
 */
#include "base/addr.h"
#include "base/loop.h"
#include "bus/plan.h"
#include "dial/way.h"

#define NAMES_LEASES	  131072 /* IPv4: what 198.18.0.0/15 holds, about */
#define NAMES_INFLIGHT	  1024	 /* upstream queries at once */
#define NAMES_TCP_CLIENTS 128

struct names;

/**
 * names_reply_fn - Send an answer to a query that came by names_datagram()
 * @ctx:   As given to names_new()
 * @from:  The address that was asked
 * @to:    Who asked
 */
typedef void names_reply_fn(void *ctx, const struct addr *from,
			    const struct addr *to, const void *msg, size_t len);

/**
 * names_new() - Make the resolver of a sandbox
 * @loop, @way, @p:  Borrowed; outlive it
 * @reply, @ctx:     See names_reply_fn
 * @ret:             Owned by the caller
 *
 * Return: 0 or -ENOMEM
 */
int names_new(struct loop *loop, struct way *way, const struct plan *p,
	      names_reply_fn *reply, void *ctx, struct names **ret);
void names_free(struct names *n);

/** names_remember() - Lend what the worker before has lent; see
 * leases_remember(). To be called before anything is asked */
int names_remember(struct names *n, int fd);

/** names_retire() - Answer nobody any more; leases stay, for flows that are
 * open */
void names_retire(struct names *n);

/** names_datagram() - A query came as a UDP packet. The reply, if there will
 * be one, may be given before this returns */
void names_datagram(struct names *n, const struct addr *from,
		    const struct addr *to, const void *msg, size_t len);

/**
 * names_lead_fn - Lead a TCP client of port 53 to the program that answers
 * @fd:  Connected; taken. names_serve() gets it when the program is not there
 */
typedef void names_lead_fn(void *ctx, int fd);

/** names_lead() - With NAMES_PROGRAM: who leads, to be set before anything is
 * asked; and @fd, a socket connected to the program, borrowed. Return: 0 or
 * -errno */
int names_lead(struct names *n, names_lead_fn *fn, void *ctx, int fd);

/** names_serve() - Serve a client here that was to be led; takes @fd */
void names_serve(struct names *n, int fd);

/** names_accept() - Serve DNS over TCP (RFC 7766, pipelined) on a connected
 * non-blocking socket; takes @fd */
void names_accept(struct names *n, int fd);

/** names_listen_udp() / names_listen_tcp() - Serve a bound socket (with
 * IP_PKTINFO or IPV6_RECVPKTINFO set) or listener; takes @fd. Return: 0 or
 * -errno (@fd is closed then) */
int names_listen_udp(struct names *n, int fd);
int names_listen_tcp(struct names *n, int fd);

/**
 * names_is_leasable() - Is this address in the ranges leases come from?
 *
 * Such an address never leaves as an address: it is a name, or refused.
 */
bool names_is_leasable(const struct addr *a);

/**
 * names_of_lease() - The name behind a leased address
 * @a:    Port is ignored
 * @ret:  Room for NAME_MAX_LEN + 1
 *
 * Return: whether there is such a lease
 */
bool names_of_lease(struct names *n, const struct addr *a, char *ret);

/** names_hold() / names_drop() - A flow to this lease begins, ends: a held
 * lease is never taken for another name. Addresses without a lease: no-op */
void names_hold(struct names *n, const struct addr *a);
void names_drop(struct names *n, const struct addr *a);
