/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * foreign.h - network namespaces that others have made
 */
#include "base/fault.h"

#include <stdbool.h>
#include <sys/types.h>

/**
 * foreign_check() - May this namespace be given a way out for somebody?
 * @fd:   From a stranger: it may be anything, and asking it may take long
 * @uid:  Who wishes for it: root, or who owns it
 * @f:    Why not
 *
 * It must be a network namespace, not ours, whose user namespace is @uid's;
 * unless this process is root, it must be its own as well.
 *
 * Return: 0 or -errno
 */
int foreign_check(int fd, uid_t uid, struct fault *f);

/**
 * foreign_leader() - Is it a process that lives?
 * @fd:       From a stranger; a pidfd, we hope
 * @ret_pid:  Its number here
 * @f:        Why not
 *
 * Return: 0 or -errno
 */
int foreign_leader(int fd, pid_t *ret_pid, struct fault *f);

/**
 * foreign_enter() - Move this process into it, and into mounts of its own
 * @fd:       Checked by foreign_check()
 * @is_root:  Stay in our user namespace; else its owner's is entered first
 * @f:        Why not
 *
 * The process is undumpable afterwards, so that nobody in that user namespace
 * can look into it. One that has another way out than lo, or is a sandbox
 * already, is refused.
 *
 * Return: 0 or -errno
 */
int foreign_enter(int fd, bool is_root, struct fault *f);
