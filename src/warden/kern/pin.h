/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"

#include <stdbool.h>

/** PIN_DIR - where ip-netns(8) and others look for named namespaces */
#define PIN_DIR	  "/run/netns"
/** PIN_NOTES - a file for each of ours: "INODE\n" of its namespace */
#define PIN_NOTES "/run/nsproxy/pins"

/**
 * pin_prepare() - Make the directory a shared mount, as ip-netns(8) does
 * @f:  Why not
 *
 * Mount namespaces of others learn of new names so. Those that are made before
 * it was done cannot stay out of it; see pin_alone().
 *
 * Return: 0 or -errno
 */
int pin_prepare(struct fault *f);

/**
 * pin_alone() - In this mount namespace, know no name but our own
 * @name:  No slash in it
 * @f:     Why not
 *
 * In a mount namespace of our own whose mounts do not propagate. Else each of N
 * sandboxes would have a copy of N pins, and each new one would be N mounts.
 *
 * Return: 0 or -errno
 */
int pin_alone(const char *name, struct fault *f);

/**
 * pin_make() - Give a network namespace a name that other programs know
 * @name:   No slash in it
 * @netns:  Fd of the namespace
 * @f:      Why not: -EEXIST when somebody else's is there
 *
 * pin_prepare() was called before, and PIN_NOTES is there. An earlier one of
 * ours makes room.
 *
 * Return: 0 or -errno
 */
int pin_make(const char *name, int netns, struct fault *f);

/**
 * pin_remove() - Take the name away, as far as it is ours
 * @name:  No slash in it
 *
 * Return: whether nothing of ours is left
 */
bool pin_remove(const char *name);
