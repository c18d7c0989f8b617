/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * moved.h - an interface of the host that is moved into a sandbox, and back
 *
 * Inside it is marked by its alias, so that whoever finds the sandbox's
 * namespace can give it back, and knows nothing else.
 */
#include "base/fault.h"

#include <sys/types.h>

struct wireguard;

/** struct moved_hand - the process that has moved one; @pid 0: none */
struct moved_hand {
	pid_t pid;
	int chan;
};

/**
 * moved_take() - Move an interface of this network namespace into a sandbox's
 * @link:    Its name; not lo
 * @name:    The sandbox's
 * @netns:   Its network namespace
 * @ret:     To be ended by moved_keep() or moved_undo()
 * @f:       Why not: -ENODEV when there is none
 *
 * With addresses, routes, MTU and name, up if it was; and with a default route
 * by it, should nothing else lead on. When this process ends before one of the
 * two was called, it is given back.
 *
 * Return: 0 or -errno; it is back then, if it had gone
 */
int moved_take(const char *link, const char *name, int netns,
	       struct moved_hand *ret, struct fault *f);

/**
 * moved_make() - Make an interface here, and move it into a sandbox
 * @w:       See wireguard_make(); it is up then, with addresses and routes
 * @name:    The sandbox's
 * @netns:   Its network namespace
 * @ret:     As with moved_take()
 * @f:       Why not
 *
 * It is never given back, but removed.
 *
 * Return: 0 or -errno; there is none then
 */
int moved_make(const struct wireguard *w, const char *name, int netns,
	       struct moved_hand *ret, struct fault *f);

/** moved_keep() - It stays until somebody calls moved_give_back() */
void moved_keep(struct moved_hand *h);

/** moved_undo() - Give it back now; harmless without a hand */
void moved_undo(struct moved_hand *h);

/**
 * moved_give_back() - Move all that were taken into this namespace, as they
 * are, and remove those that were made
 * @netns:  The sandbox's
 * @f:      Why not, the first
 *
 * Return: how many, or -errno
 */
int moved_give_back(int netns, struct fault *f);
