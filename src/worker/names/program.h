/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * program.h - every query goes to a program inside, as it came
 *
 * For datagrams alone: a TCP client is led to the program itself (see
 * names_lead()), and comes here only when it is not there. Without the program
 * the answer is SERVFAIL, at once.
 */
#include "base/loop.h"
#include "names/asker.h"
#include "names/forward.h"
#include "wire/dns.h"

#define PROGRAM_AGAIN_MS 1000 /* between transmissions */
#define PROGRAM_SENDS	 12   /* in all; then it counts as silent */

struct program;

/**
 * program_new() - Begin
 * @loop:      Borrowed
 * @fn, @ctx:  Gets the answers
 * @ret:       Owned by the caller
 *
 * Return: 0 or -ENOMEM
 */
int program_new(struct loop *loop, forward_fn *fn, void *ctx,
		struct program **ret);
/** program_free() - Who waits is told nothing; NULL is fine */
void program_free(struct program *p);

/**
 * program_reach() - Where it is
 * @fd:  UDP socket, born inside, connected to it; borrowed. Until there is one
 *       all is SERVFAIL
 *
 * Return: 0 or -errno
 */
int program_reach(struct program *p, int fd);

/**
 * program_query() - Have a query answered
 * @q:         What @msg asks
 * @who:       Given to the forward_fn, perhaps before this returns; copied
 * @msg:       As it came, @len octets; copied
 */
void program_query(struct program *p, const struct dns_query *q,
		   const struct asker *who, const void *msg, size_t len);
