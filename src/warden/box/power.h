/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * power.h - root's power, lent by a setuid start
 *
 * main() puts it aside before it looks at a word: the effective ids become the
 * caller's, the saved uid stays 0. Only a verb that has asked the daemon and
 * was admitted takes it up, does what needs it, and gives it away for good.
 */
#include "base/fault.h"

#include <stdbool.h>
#include <sys/types.h>

/**
 * struct power - it, taken up
 * @uid, @gid:  The caller's, to become again
 */
struct power {
	uid_t uid;
	gid_t gid;
};

/**
 * power_put_aside() - Be the caller until power_take()
 * @f:  Fault
 *
 * For a process whose effective uid is 0 and whose real uid is not. What the
 * environment was before the loader purged it is noted, every fd but the
 * standard ones is closed, and the process is not dumpable.
 *
 * Return: 0 or -errno
 */
int power_put_aside(struct fault *f);

/** power_is_aside() - Could power_take() succeed? */
bool power_is_aside(void);

/** power_environ() - The environment as execve(2) was given it; our own where
 * nothing was put aside or it could not be read */
char **power_environ(void);

/**
 * power_forget() - Be the caller for good; power_take() cannot succeed any more
 * @f:  Fault
 *
 * No-op where nothing is aside. Capabilities go, too; what is executed later
 * may gain privileges as it always may.
 *
 * Return: 0 or -errno
 */
int power_forget(struct fault *f);

/**
 * power_lose() - power_forget() for a child of a process that keeps the power
 * @f:  Fault
 *
 * It stays undumpable: its memory lies where its parent's does, and has the
 * same guard values.
 *
 * Return: 0 or -errno
 */
int power_lose(struct fault *f);

/**
 * power_take() - Be root for a moment
 * @ret:  Who to become again
 * @f:    Fault
 *
 * All signals must be held (signals_hold()), since any of them could come from
 * the caller, and until nothing is root's any more.
 *
 * Return: 0, or -EPERM when nothing is aside, or -errno
 */
int power_take(struct power *ret, struct fault *f);
