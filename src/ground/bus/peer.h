/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"

#include <stddef.h>
#include <sys/types.h>

/** PEER_GROUPS - groups of one caller that are looked at; the kernel has room
 * for 65536 (NGROUPS_MAX), people have some dozen */
#define PEER_GROUPS 1024

/**
 * struct peer - who is at the other end of a unix socket
 * @pid:  For people to read; it may be another's by now
 * @uid, @gid:  When it connected
 */
struct peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};

/**
 * peer_check() - Who has connected, and from the network namespace of whom?
 * @listener:  Ours
 * @conn:      Accepted from it
 * @ret:       Result; untouched on failure
 * @f:         Why not
 *
 * A socket that was born in another network namespace than @listener is a
 * sandboxed program's, which has no business here: -EPERM. So it is when the
 * kernel cannot tell (before Linux 5.14, without privilege).
 *
 * Return: 0 or -errno
 */
int peer_check(int listener, int conn, struct peer *ret, struct fault *f);

/**
 * peer_groups() - Supplementary groups of who has connected, when it did
 * @conn:       Accepted
 * @ret:        Allocated, the caller's to free; NULL when there are none
 * @ret_count:  Of @ret
 *
 * Return: 0; -ERANGE when there are more than PEER_GROUPS; or -errno. Then
 * nobody may be admitted for a group's sake.
 */
int peer_groups(int conn, gid_t **ret, size_t *ret_count);

/**
 * peer_is_near() - Was a listener born in our own network namespace?
 * @listener:  Somebody else's making; peer_check() compares callers with it
 * @f:         Why not
 *
 * Return: 0, or -EPERM, also when the kernel cannot tell
 */
int peer_is_near(int listener, struct fault *f);
