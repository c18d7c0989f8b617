/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/loop.h"
#include "wire/packet.h"

/** tun_fn - One packet left the sandbox; @p and what it points to are lent */
typedef void tun_fn(void *ctx, const struct packet *p);

/**
 * struct tun - the worker's end of nsp0
 * @fd:    -1: there is none, and @fn is given what is written
 * @room:  One packet to write; lent by tun_room() until tun_put()
 */
struct tun {
	struct watch watch;
	int fd;
	tun_fn *fn;
	void *ctx;
	uint8_t *in;
	uint8_t *room;
};

/**
 * tun_start() - Begin to read packets
 * @t:   Zeroed
 * @fd:  Non-blocking, borrowed
 * @fn:  Told each packet that is whole and neither fragment nor with options;
 *       what is not gets dropped here
 *
 * Return: 0 or -errno
 */
int tun_start(struct tun *t, struct loop *loop, int fd, tun_fn *fn, void *ctx);

/**
 * tun_stand_in() - Be one without a device: another program has that
 * @t:   Zeroed
 * @fn:  Given each packet that is put
 *
 * Return: 0 or -ENOMEM
 */
int tun_stand_in(struct tun *t, tun_fn *fn, void *ctx);
void tun_stop(struct tun *t, struct loop *loop);

/** tun_room() - Room for PACKET_MAX octets, for the packet_put_*() family */
static inline uint8_t *tun_room(struct tun *t)
{
	return t->room;
}

/**
 * tun_put() - Give the sandbox the packet in tun_room()
 * @len:  Octets; 0 (it did not fit) is ignored
 *
 * A packet that the kernel does not take is lost, as packets may be.
 */
void tun_put(struct tun *t, size_t len);

/** tun_give() - Give the sandbox a packet from elsewhere */
void tun_give(struct tun *t, const void *packet, size_t len);
