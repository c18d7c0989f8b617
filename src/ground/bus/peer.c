// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * peer.c - who is at the other end of a unix socket
 *
 * An accepted unix socket belongs to the namespace in which the *connecting*
 * one was born: the kernel makes it on connect(2). So its cookie tells where
 * the caller stands, and no pid has to be believed.
 */
#include "bus/peer.h"

#include "base/broken.h"
#include "base/fd.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* Linux 5.14 */
#endif
#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif
#ifndef SIOCGSKNS
#define SIOCGSKNS 0x894C
#endif

/** peer_cookie() - The namespace's number. Return: 0 or -errno */
static int peer_cookie(int sock, uint64_t *ret)
{
	socklen_t len = sizeof(*ret);

	if (getsockopt(sock, SOL_SOCKET, SO_NETNS_COOKIE, ret, &len) < 0)
		return -errno;
	return 0;
}

/** peer_inode() - The same for older kernels; needs CAP_NET_ADMIN there */
static int peer_inode(int sock, uint64_t *ret)
{
	auto_fd ns = ioctl(sock, SIOCGSKNS);
	struct stat st;

	if (ns < 0 || fstat(ns, &st) < 0)
		return -errno;
	*ret = st.st_ino;
	return 0;
}

/** peer_are_together() - Return: 1 for one namespace, 0 for two, or -EPERM */
static int peer_are_together(int one, int other, struct fault *f)
{
	uint64_t ours = 0;
	uint64_t theirs = 0;
	int rc;

	rc = peer_cookie(one, &ours);
	if (rc == 0)
		rc = peer_cookie(other, &theirs);
	if (rc < 0) {
		rc = peer_inode(one, &ours);
		if (rc == 0)
			rc = peer_inode(other, &theirs);
	}
	if (rc < 0)
		return fault_plain(f, -EPERM,
				   "this kernel cannot tell whether a caller "
				   "is in a sandbox (Linux 5.14 can)");
	return ours == theirs;
}

int peer_is_near(int listener, struct fault *f)
{
	auto_fd here = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc;

	if (here < 0)
		return fault(f, -errno, "make a socket");
	rc = peer_are_together(here, listener, f);
	if (rc == 0)
		return fault_plain(f, -EPERM,
				   "the listener is of another network "
				   "namespace, whose programs it would let in");
	return rc < 0 ? rc : 0;
}

int peer_check(int listener, int conn, struct peer *ret, struct fault *f)
{
	struct ucred c;
	socklen_t len = sizeof(c);
	const int rc = peer_are_together(listener, conn, f);

	if (rc < 0)
		return rc;
	if (rc == 0 && !broken(BROKEN_NEAR))
		return fault_plain(f, -EPERM,
				   "callers from inside a sandbox are refused");
	if (getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &c, &len) < 0)
		return fault(f, -errno, "ask who is calling");
	*ret = (struct peer){ .pid = c.pid, .uid = c.uid, .gid = c.gid };
	return 0;
}

int peer_groups(int conn, gid_t **ret, size_t *ret_count)
{
	socklen_t len = 0;
	gid_t *groups;
	int rc;

	/* The first call only asks how many; Linux 4.13. */
	rc = getsockopt(conn, SOL_SOCKET, SO_PEERGROUPS, NULL, &len);
	if (rc < 0 && errno != ERANGE)
		return -errno;
	if (len > PEER_GROUPS * sizeof(gid_t))
		return -ERANGE;
	if (len == 0) {
		*ret = NULL;
		*ret_count = 0;
		return 0;
	}
	groups = malloc(len);
	if (!groups)
		return -ENOMEM;
	if (getsockopt(conn, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0) {
		rc = -errno;
		free(groups);
		return rc;
	}
	*ret = groups;
	*ret_count = len / sizeof(gid_t);
	return 0;
}
