/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * dial.h - walk a chain hop by hop to a connected outer stream
 */
#include "dial/way.h"

struct dial;

/**
 * dial_fn - Called once, from the loop, never from within dial_start()
 * @ctx:    As given
 * @err:    0, or why not: -ECONNREFUSED, -EHOSTUNREACH, -ENETUNREACH, -EACCES,
 *          -ETIMEDOUT (the far end did not answer in time), -EIO (a hop spoke
 *          garbage or hung up), -EAFNOSUPPORT (the way cannot carry such an
 *          address), -EMFILE and kin
 * @s:      Stream, moved to the callee, on success; else empty. Nothing that
 *          belongs to the far end's bytes has been read from it
 * @bound:  What the last hop said it bound (UDP ASSOCIATE needs it); with
 *          HOP_DIRECT the peer's address
 *
 * The dial is gone when this is called.
 */
typedef void dial_fn(void *ctx, int err, struct stream s,
		     const struct addr *bound);

/** enum dial_goal - what to ask of the last hop */
enum dial_goal {
	DIAL_CONNECT,
	DIAL_ASSOCIATE, /* SOCKS5 UDP ASSOCIATE; @to is ignored */
	DIAL_RESOLVE,	/* Tor's RESOLVE: which address has the name @to? */
	DIAL_REVERSE,	/* Tor's RESOLVE_PTR: which name has the address @to? */
	DIAL_SPARE,	/* nothing yet; of dial_spare.c alone */
};

/**
 * struct dial_found - what the last hop answered to a look-up
 * @is_heard:  It did answer, if only to say no; the rest has a meaning
 * @code:      As sent: an enum socks5_code, or another octet
 * @dest:      An address or a name; may be neither, also with SOCKS5_OK
 */
struct dial_found {
	bool is_heard;
	uint8_t code;
	struct dest dest;
};

/**
 * dial_start() - Begin
 * @w:     Way out
 * @goal:  DIAL_CONNECT; or DIAL_ASSOCIATE when way_has_udp() and the last hop
 *         is SOCKS5
 * @to:    Destination; copied. A name goes to the last hop as a name. With
 *         HOP_DIRECT it must have an address, or the way a resolver (then all
 *         addresses of the name are tried in turn)
 * @fn:    Told the end
 * @ctx:   For @fn
 * @ret:   Handle for dial_cancel(); valid until @fn is called
 *
 * Where way_forwards() is true the stream ends at the last proxy, and success
 * means that the proxy was reached, not the far end.
 *
 * Failures of a hop (not of the far end) are logged here, one warning that
 * names the hop, each kind at most once in 5 s per way.
 *
 * Return: 0; -EAGAIN when @dial_max dials are under way; -ENOMEM. @fn is not
 * called then
 */
int dial_start(struct way *w, enum dial_goal goal, const struct dest *to,
	       dial_fn *fn, void *ctx, struct dial **ret);

/**
 * dial_look_up() - Have the last hop look a name or an address up
 * @w:      Way out whose last hop is SOCKS5
 * @goal:   DIAL_RESOLVE or DIAL_REVERSE
 * @to:     The name, or the address; copied
 * @found:  Zeroed now, filled in before @fn is called; lives until then
 * @fn:     Told the end; the stream is of no use any more
 * @ctx:    For @fn
 * @ret:    As with dial_start()
 *
 * Return: as dial_start()
 */
int dial_look_up(struct way *w, enum dial_goal goal, const struct dest *to,
		 struct dial_found *found, dial_fn *fn, void *ctx,
		 struct dial **ret);

/** dial_cancel() - Give up; @fn is not called any more */
void dial_cancel(struct dial *d);

/** dial_spares_drop() - Close what waits for the next dials of a way */
void dial_spares_drop(struct way *w);
