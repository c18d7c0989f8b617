/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * hop.h - proxies and chains of them, as people write them
 *
 *   socks5://[USER:PASS@]HOST[:1080]     socks5h:// is the same
 *   socks5+unix:/PATH
 *   socks4a://[USER@]HOST[:1080]
 *   http://[USER:PASS@]HOST[:8080]       CONNECT; ?forward
 *   https://[USER:PASS@]HOST[:443]       the same inside TLS; ?insecure
 *   direct://                            no proxy; ?dev=IFACE
 *   block://                             nothing
 *
 * Each but the last takes ?timeout=SECONDS.
 */
#include "base/fault.h"
#include "bus/plan.h"

/**
 * hop_parse() - Read one proxy
 * @url:  As above; user, password and path percent-encoded where needed
 * @ret:  Hop with its label, without addresses; untouched on failure
 * @f:    Why not; names the URL with its password masked
 *
 * Return: 0 or -EINVAL
 */
int hop_parse(const char *url, struct hop *ret, struct fault *f);

/**
 * hop_set_auth() - Give a hop credentials
 * @h:     Hop of any kind; its user and password are replaced
 * @user:  As it is, not percent-encoded
 * @pass:  The same; empty when there is none
 *
 * Return: NULL, or why this kind of proxy cannot take them (static, fits
 * behind "proxy 'URL': "); the hop is untouched then
 */
const char *hop_set_auth(struct hop *h, const char *user, const char *pass);

/**
 * chain_parse() - Add the proxies of a comma-separated list to a plan
 * @p:     Plan; its hops are untouched on failure
 * @text:  URLs, first hop first
 * @f:     Why not
 *
 * Return: 0, -EINVAL, or -E2BIG with more than PLAN_HOPS in all
 */
int chain_parse(struct plan *p, const char *text, struct fault *f);

/**
 * chain_check() - Can the hops of a plan stand in this order?
 * @p:  Plan with at least one hop; all chain_parse() are done
 * @f:  Why not
 *
 * Return: 0 or -EINVAL
 */
int chain_check(const struct plan *p, struct fault *f);

/**
 * chain_has_udp() - Can this way out carry datagrams?
 * @p:  Plan whose chain is complete
 *
 * Return: whether it is one SOCKS5 hop that was not forbidden to, or direct
 */
bool chain_has_udp(const struct plan *p);
