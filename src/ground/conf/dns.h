/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"
#include "bus/plan.h"
#include "conf/dnsproxy.h"

/**
 * struct dns_wish - what `-d` said
 * @is_set:  Something was said; the rest has a meaning
 * @program: With NAMES_PROGRAM
 */
struct dns_wish {
	bool is_set;
	enum names_mode mode;
	struct plan_server server[PLAN_SERVERS];
	unsigned int server_count;
	struct dnsproxy_wish program;
};

/**
 * dns_parse() - Read one -d: a mode, or upstreams separated by commas
 * @text:  "fake", "off", "socks-resolve", "udp://IP[:PORT]", "tcp://IP[:PORT]",
 *         "IP" (is udp); or "dnsproxy", and then what dnsproxy_add() takes
 * @w:     Wish, added to; untouched on failure
 * @f:     Why not
 *
 * Return: 0 or -EINVAL
 */
int dns_parse(const char *text, struct dns_wish *w, struct fault *f);

/** dns_check() - Could this be one of several -d? Return: 0 or -EINVAL */
int dns_check(const char *text, struct fault *f);

/**
 * dns_why_not_plain() - Can programs ask these servers by themselves?
 * @w:  Wish that is set
 *
 * They are in resolv.conf then, which knows addresses alone; the loopback of
 * the host is not theirs.
 *
 * Return: NULL, or why not
 */
const char *dns_why_not_plain(const struct dns_wish *w);

/**
 * dns_read_hosts() - Find the upstreams in a resolv.conf
 * @text:  Its content
 * @w:     Wish; becomes NAMES_FORWARD to the first PLAN_SERVERS "nameserver"
 *         lines that hold an address without a scope
 *
 * Return: how many were found
 */
unsigned int dns_read_hosts(const char *text, struct dns_wish *w);
