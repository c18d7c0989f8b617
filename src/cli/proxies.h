/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * proxies.h - from what the user said to a chain of hops
 */
#include "base/fault.h"
#include "bus/plan.h"

/**
 * proxies_add() - Add what stands behind one -x
 * @p:     Plan
 * @text:  URLs separated by commas, or "-": one or more lines of them from
 *         standard input, which is then read to its end
 * @f:     Why not
 *
 * Return: 0 or -errno
 */
int proxies_add(struct plan *p, const char *text, struct fault *f);

/**
 * proxies_add_file() - Add the proxies of a file
 * @p:     Plan
 * @path:  File; lines of URLs, "#" begins a comment line. Warns when others
 *         may read it and it holds a password
 * @f:     Why not
 *
 * Return: 0 or -errno
 */
int proxies_add_file(struct plan *p, const char *path, struct fault *f);

/**
 * proxies_add_env() - Add the proxies that the environment names
 * @p:  Plan; NSPROXY_PROXY is looked at, then ALL_PROXY, then all_proxy
 * @f:  Why not
 *
 * Return: 0 (also when there is none), or -errno
 */
int proxies_add_env(struct plan *p, struct fault *f);

/**
 * proxies_settle() - Check the chain and look up its first proxy
 * @p:  Plan with at least one hop; the first proxy's addresses are filled in
 * @f:  Why not
 *
 * Return: 0 or -errno
 */
int proxies_settle(struct plan *p, struct fault *f);

/**
 * proxies_first() - The hop that is reached by a socket of ours
 * @p:  Plan with at least one hop
 *
 * Return: its index: 0, or 1 behind direct://?dev=IFACE
 */
unsigned int proxies_first(const struct plan *p);
