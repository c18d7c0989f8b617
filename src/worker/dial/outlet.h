/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * outlet.h - UDP of one inner endpoint through a way out, full cone
 *
 * SOCKS5: one association (a dial with DIAL_ASSOCIATE, a UDP socket connected
 * to the proxy's relay). The relay's address is the proxy's own address with
 * the port of BND.PORT: whatever BND.ADDR says, nothing is sent anywhere else
 * (a unix-socket proxy: loopback). Direct: one unconnected socket a family.
 */
#include "dial/way.h"

#define OUTLET_QUEUE 16 /* datagrams kept while the association is made */

struct outlet;

/**
 * struct outlet_user - who owns an outlet
 * @datagram:  A peer's datagram. @from: who sent it, as far as the proxy says:
 *             an address, or a name if the proxy answers with names
 * @refused:   The far end or the way refused what was sent to @to: -errno as
 *             in dial_fn. @to may be NULL: everything queued was lost (the
 *             association could not be made)
 * @closed:    The outlet cannot go on (its TCP died, the dial failed): the
 *             owner calls outlet_close(); a later datagram opens a new one
 *
 * All are called from the loop, never from within outlet_open() or
 * outlet_send().
 */
struct outlet_user {
	void (*datagram)(struct outlet_user *u, const struct dest *from,
			 const void *data, size_t len);
	void (*refused)(struct outlet_user *u, const struct addr *to, int err,
			size_t len);
	void (*closed)(struct outlet_user *u, int err);
};

/**
 * outlet_open() - Begin
 * @w:     Way out with way_has_udp()
 * @u:     Borrowed until outlet_close()
 * @ret:   Owned by the caller
 *
 * Return: 0, -EOPNOTSUPP if the way has no UDP, -EAGAIN, -ENOMEM, -EMFILE
 */
int outlet_open(struct way *w, struct outlet_user *u, struct outlet **ret);

/**
 * outlet_send() - Send, or queue while the association is being made
 * @to:    Name or address; a name needs SOCKS5, or a way with a
 *         resolver (answers are remembered for the outlet's life)
 *
 * Return: 0 (which for UDP promises nothing), -EMSGSIZE, -EOPNOTSUPP (a name
 * on a direct way without resolver), -EAFNOSUPPORT, -ENOBUFS (the queue is
 * full), or -errno
 */
int outlet_send(struct outlet *o, const struct dest *to, const void *data,
		size_t len);

/** outlet_close() - Free; NULL is fine. May be called from the callbacks */
void outlet_close(struct outlet *o);
