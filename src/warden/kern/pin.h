/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"

#include <stdbool.h>
#include <stdint.h>

/** PIN_DIR - where ip-netns(8) and others look for named namespaces */
#define PIN_DIR "/run/netns"

/**
 * pin_make() - Give a network namespace a name that other programs know
 * @name:   No slash in it
 * @netns:  Fd of the namespace
 * @stale:  Inode of a namespace that may be replaced under this name; 0: none
 * @f:      Why not: -EEXIST when somebody else's is there
 *
 * Return: 0 or -errno
 */
int pin_make(const char *name, int netns, uint64_t stale, struct fault *f);

/**
 * pin_remove() - Take the name away
 * @name:   No slash in it
 * @inode:  Of the namespace; another one under this name is left alone
 *
 * Return: whether it is gone
 */
bool pin_remove(const char *name, uint64_t inode);
