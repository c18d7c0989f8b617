/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"
#include "bus/wireguard.h"

/**
 * wireguard_make() - Make an interface in this network namespace, still down
 * @w:  Wish; its addresses and routes are not for here
 * @f:  Why not: -EEXIST when something is called so
 *
 * By the kernel or, where that has none, by wireguard-go, which lives as long
 * as the interface. What it sends leaves from this namespace, wherever the
 * interface is moved. Peers and keys are set by wg(8).
 *
 * Return: 0 or -errno, and there is none then
 */
int wireguard_make(const struct wireguard *w, struct fault *f);
