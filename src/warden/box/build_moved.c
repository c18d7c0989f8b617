// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * build_moved.c - a builder's steps that move an interface in, and back
 *
 * A virtual interface dies with its namespace, and with it what a VPN's program
 * has in hand. Until the keeper stands, the hand that moved it gives it back
 * when we end; from then on the namespace has a name, which holds it whoever is
 * killed. There it is looked for before anything is built under that name, or
 * the name is given up.
 */
#include "box/build_own.h"

#include "base/fd.h"
#include "kern/moved.h"
#include "kern/pin.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

int build_moved_clear(struct build *b, struct fault *f)
{
	char path[PATH_MAX];
	auto_fd ns = -1;
	int rc;

	if (!b->wish.is_pinned)
		return 0;
	(void)snprintf(path, sizeof(path), "%s/%s", PIN_DIR, b->wish.name);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	/* A file that lost its mount is no namespace. */
	if (ns < 0 || ioctl(ns, NS_GET_NSTYPE) != CLONE_NEWNET)
		return 0;
	rc = moved_give_back(ns, f);
	if (rc <= 0)
		return rc;
	/* What had one of ours was ours, and is done. */
	(void)pin_remove(b->wish.name);
	return 0;
}

static int build_made(struct build *b, struct fault *f)
{
	struct wireguard *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return fault(f, -ENOMEM, "read the WireGuard configuration");
	rc = b->read_wireguard(b->wish.profile, w, f);
	if (rc == 0)
		rc = moved_make(w, b->wish.name, b->fds[STORE_FD_NET],
				&b->moved, f);
	explicit_bzero(w, sizeof(*w));
	free(w);
	return rc;
}

int build_moved(struct build *b, struct fault *f)
{
	if (b->terms.device[0] == '\0')
		return 0;
	if (!b->wish.is_pinned)
		return fault_plain(f, -EPERM,
				   "an interface of the host can be moved by "
				   "root's daemon alone");
	if (b->terms.wireguard != 0)
		return build_made(b, f);
	return moved_take(b->terms.device, b->wish.name, b->fds[STORE_FD_NET],
			  &b->moved, f);
}

void build_unmoved(struct build *b)
{
	moved_undo(&b->moved);
}
