/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * activation.h - a listener that a service manager opened (sd_listen_fds(3))
 */
#include "base/fault.h"

#include <sys/types.h>

#define ACTIVATION_FD 3 /* SD_LISTEN_FDS_START */

/**
 * activation_take() - Take the listener that was handed to us, if one was
 * @ret:  Listener, the caller's, checked, CLOEXEC and non-blocking; -1: none
 * @f:    Why not: something was handed to us that we cannot use
 *
 * LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES are gone afterwards.
 *
 * Return: 0 or -errno
 */
int activation_take(int *ret, struct fault *f);

/**
 * activation_count() - Is there something, and is it for us?
 * @pid:   LISTEN_PID, or NULL
 * @fds:   LISTEN_FDS, or NULL
 * @self:  Our pid
 * @f:     Why not
 *
 * Return: 0 when both are unset, 1 for one listener that is ours, -EINVAL for
 * nonsense or more than one, -ESRCH for what is another process's
 */
int activation_count(const char *pid, const char *fds, pid_t self,
		     struct fault *f);

/**
 * activation_check() - Is this a listener as we make it ourselves?
 * @fd:  Must be a unix stream socket that listens, born in our network
 *       namespace; else callers from some sandbox would be let in
 * @f:   Why not
 *
 * Return: 0 or -errno
 */
int activation_check(int fd, struct fault *f);
