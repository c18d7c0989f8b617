/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * udp_ask.h - ask an upstream by UDP, through the way out
 */
#include "dial/outlet.h"
#include "names/ask.h"

#define UDP_ASK_AGAIN_MS 1000  /* between transmissions */
#define UDP_ASK_SENDS	 3     /* in all */
#define UDP_ASK_IDLE_MS	 15000 /* then the outlet, and its port, are let go */
#define UDP_ASK_DOWN_MS	 30000 /* after the way refused to carry UDP */

/**
 * struct udp_ask - one upstream
 * @addr:     Where to; nobody else's answers are taken
 * @outlet:   NULL while there is nothing to ask
 * @asks:     Under way
 * @idle:     Lets go of the outlet
 * @down_until_ms:  UDP does not work until then
 */
struct udp_ask {
	struct outlet_user user;
	struct loop *loop;
	struct way *way;
	struct addr addr;
	struct outlet *outlet;
	struct ask_ids ids;
	struct list asks;
	struct timer idle;
	uint64_t down_until_ms;
};

/** udp_ask_init() - @way is borrowed */
void udp_ask_init(struct udp_ask *u, struct way *way, const struct addr *addr);
/** udp_ask_fini() - Asks under way are let go; they are not told */
void udp_ask_fini(struct udp_ask *u);

/**
 * udp_ask_start() - Ask
 *
 * @a->fn is told -EMSGSIZE when the answer is to be had by TCP only, and any
 * other error when UDP failed.
 *
 * Return: 0; or -errno when UDP cannot be used now: @a->fn is not called then
 */
int udp_ask_start(struct udp_ask *u, struct ask *a);

/** udp_ask_forget() - Do not wait any more; @a->by is this @u */
void udp_ask_forget(struct udp_ask *u, struct ask *a);
