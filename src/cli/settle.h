/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * settle.h - the parts of a plan that depend on the host
 */
#include "base/fault.h"
#include "bus/plan.h"
#include "conf/dns.h"

/**
 * settle_dns() - Choose how the sandbox looks names up
 * @p:  Plan whose chain is complete; the names part is filled in
 * @w:  What -d said, if anything. The default is NAMES_FAKE where the last
 *      proxy takes names, else the host's own upstreams
 * @f:  Why not
 *
 * With NAMES_PROGRAM the rest is dns_job()'s.
 *
 * Upstreams asked by UDP become TCP ones where the way out has no UDP.
 *
 * Return: 0 or -errno
 */
int settle_dns(struct plan *p, const struct dns_wish *w, struct fault *f);

/**
 * settle_expose() - Add what one -e said
 * @p:     Plan
 * @text:  HOST:PORT; a name is looked up on the host, now
 * @f:     Why not
 *
 * Return: 0 or -errno
 */
int settle_expose(struct plan *p, const char *text, struct fault *f);

/**
 * settle_publish() - Add what one -p said; nothing is opened yet
 * @p:     Plan
 * @text:  [ADDR:]PORT:PORT
 * @f:     Why not
 *
 * Return: 0 or -errno
 */
int settle_publish(struct plan *p, const char *text, struct fault *f);

/**
 * settle_listen() - Open a TCP listener on the host
 * @a:       Where
 * @ret_fd:  Non-blocking, CLOEXEC, owned by the caller
 * @f:       Why not
 *
 * Return: 0 or -errno
 */
int settle_listen(const struct addr *a, int *ret_fd, struct fault *f);

/**
 * settle_drop_env() - Which variables must not reach the command
 * @p:    Complete plan
 * @ret:  NULL-terminated list of static names, room for SETTLE_VARS + 1
 *
 * Those that may hold our proxies' passwords always; other proxy variables
 * when they name a loopback address of the host that is not exposed: inside,
 * nobody listens there.
 */
#define SETTLE_VARS 16
void settle_drop_env(const struct plan *p, const char **ret);
