/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * front.h - UDP of an engine: the program that has a sandbox's TUN instead
 *
 * One socket serves all associations. Each has a seat: a loopback address of
 * its own, which the engine sends to, so that every datagram tells whose it is.
 */
#include "base/loop.h"
#include "flow/udp.h"
#include "wire/packet.h"

#define FRONT_SEATS 4096

struct front;
struct front_seat;

/**
 * front_new() - Make a front without a socket
 * @loop, @udp:  Borrowed; outlive it
 * @ret:         Owned by the caller
 *
 * Return: 0 or -ENOMEM
 */
int front_new(struct loop *loop, struct udp *udp, struct front **ret);
void front_free(struct front *f);

/**
 * front_listen() - Serve a socket
 * @f:   Has none yet
 * @fd:  UDP over IPv4, non-blocking, bound to a port of every address, with
 *       IP_PKTINFO set; borrowed
 *
 * Return: 0 or -errno
 */
int front_listen(struct front *f, int fd);

/** front_retire() - Another worker has the socket from here on */
void front_retire(struct front *f);

/**
 * front_sit() - Give an association a seat
 * @f:          Front with a socket
 * @ret:        Seat; front_leave() is due
 * @ret_bound:  Where its datagrams go
 *
 * Return: 0; -EAGAIN when all are taken; or -EOPNOTSUPP without a socket
 */
int front_sit(struct front *f, struct front_seat **ret, struct addr *ret_bound);

/** front_leave() - The association is over; NULL is fine */
void front_leave(struct front_seat *seat);

/** front_packet() - A tun_fn: what the sandbox is sent goes to the engine.
 * What it has no words for, as ICMP, is dropped */
void front_packet(void *front, const struct packet *p);
