/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"

#include <linux/netlink.h>
#include <stdint.h>

struct mnl_socket;

/** NETLINK_OPS - most messages in one batch */
#define NETLINK_OPS	96
/** NETLINK_OP_SIZE - room that netlink_add() promises for one message */
#define NETLINK_OP_SIZE 1024

/**
 * struct netlink - one netlink socket and a batch of messages for it
 * @what:   What each message is to do, for the fault; static strings
 * @acks:   How many of the messages ask for an answer
 *
 * All messages leave in one system call. Heap, because of its size.
 */
struct netlink {
	struct mnl_socket *sock;
	const char *what[NETLINK_OPS];
	unsigned int count;
	unsigned int acks;
	struct nlmsghdr *last;
	uint8_t buf[NETLINK_OPS * NETLINK_OP_SIZE];
};

/**
 * netlink_new() - Open a socket to one part of the kernel
 * @bus:  NETLINK_ROUTE, NETLINK_NETFILTER, ...
 * @ret:  Result, to be given to netlink_free(); untouched on failure
 * @f:    Fault
 *
 * Return: 0 or -errno
 */
int netlink_new(int bus, struct netlink **ret, struct fault *f);

/** netlink_free() - Close and free; NULL is fine */
void netlink_free(struct netlink **n);

/**
 * netlink_add() - Begin the next message of the batch
 * @n:      Batch with fewer than NETLINK_OPS messages
 * @type:   nlmsg_type
 * @flags:  NLM_F_*; NLM_F_ACK to be told the outcome
 * @what:   "set the address of nsp0", for the fault; static
 *
 * Return: its header, to be filled (up to NETLINK_OP_SIZE) before the next call
 */
struct nlmsghdr *netlink_add(struct netlink *n, uint16_t type, uint16_t flags,
			     const char *what);

/**
 * netlink_commit() - Send the batch and read every answer
 * @n:  Batch; empty afterwards
 * @f:  Names the first message the kernel refused
 *
 * Return: 0 or -errno
 */
int netlink_commit(struct netlink *n, struct fault *f);
