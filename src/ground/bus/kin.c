// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * kin.c - connect to a unix socket of our own network namespace
 *
 * The kernel lists the listening sockets of the asker's namespace and no
 * other's, each with the inode it is bound to (sock_diag(7)). The place is
 * opened first, looked at, and connected to by its fd, so that nobody can
 * change what is there meanwhile.
 */
#include "bus/kin.h"

#include "base/fd.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define KIN_LISTENING (1u << 10) /* of TCP_LISTEN, which unix_diag shares */
#define KIN_ROOM      16384	 /* a netlink dump comes in such pieces */

/** struct kin - what is looked for, and whether it was seen */
struct kin {
	const char *path;
	uint32_t inode;
	bool is_there;
};

static int kin_ask(int diag)
{
	struct {
		struct nlmsghdr head;
		struct unix_diag_req req;
	} ask = {
		.head = {
			.nlmsg_len = sizeof(ask),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		},
		.req = {
			.sdiag_family = AF_UNIX,
			.udiag_states = KIN_LISTENING,
			.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS,
		},
	};

	return send(diag, &ask, sizeof(ask), 0) < 0 ? -errno : 0;
}

/**
 * kin_look() - Is this listening socket the one?
 *
 * Inodes are compared within the file system that the name leads to: while the
 * socket lives, no other file there has its number.
 */
static void kin_look(struct kin *k, struct nlmsghdr *h)
{
	struct unix_diag_msg *m = NLMSG_DATA(h);
	int left = (int)h->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*m));
	const size_t len = strlen(k->path);
	struct rtattr *a = (struct rtattr *)(void *)(m + 1);
	bool has_name = false;
	bool has_inode = false;

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		const char *data = RTA_DATA(a);
		struct unix_diag_vfs vfs;

		if (a->rta_type == UNIX_DIAG_NAME)
			has_name = strnlen(data, RTA_PAYLOAD(a)) == len &&
				   memcmp(data, k->path, len) == 0;
		if (a->rta_type == UNIX_DIAG_VFS &&
		    RTA_PAYLOAD(a) >= sizeof(vfs)) {
			memcpy(&vfs, data, sizeof(vfs));
			has_inode = vfs.udiag_vfs_ino == k->inode;
		}
	}
	k->is_there |= has_name && has_inode;
}

/** kin_hear() - One piece of the list; 1 for more, 0 at the end, or -errno */
static int kin_hear(struct kin *k, int diag)
{
	union {
		char room[KIN_ROOM];
		struct nlmsghdr align;
	} piece;
	ssize_t n;

	do {
		n = recv(diag, &piece, sizeof(piece), 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	for (struct nlmsghdr *h = &piece.align; NLMSG_OK(h, n);
	     h = NLMSG_NEXT(h, n)) {
		const struct nlmsgerr *bad = NLMSG_DATA(h);

		if (h->nlmsg_type == NLMSG_DONE)
			return 0;
		if (h->nlmsg_type == NLMSG_ERROR)
			return bad->error < 0 ? bad->error : -EPROTO;
		if (h->nlmsg_type == SOCK_DIAG_BY_FAMILY)
			kin_look(k, h);
	}
	return 1;
}

/** kin_check() - Was what listens there born in our namespace? */
static int kin_check(const char *path, const struct stat *st, struct fault *f)
{
	struct kin k = { .path = path, .inode = (uint32_t)st->st_ino };
	auto_fd diag =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	int rc = diag < 0 ? -errno : kin_ask(diag);

	while (rc == 0 && (rc = kin_hear(&k, diag)) == 1)
		rc = 0;
	if (rc < 0)
		return fault(f, rc, "ask the kernel whose socket '%s' is",
			     path);
	if (k.is_there)
		return 0;
	(void)fault_plain(f, -EPERM,
			  "who listens at '%s' is in another network namespace",
			  path);
	return fault_hint(f, "one of the two is inside a sandbox");
}

static int kin_call(int fd, int at)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	(void)snprintf(to.sun_path, sizeof(to.sun_path), "/proc/self/fd/%d",
		       at);
	return connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
}

int kin_connect(const char *path, int type, unsigned int wait_s, int *ret_fd,
		struct fault *f)
{
	const struct timeval patience = { .tv_sec = (time_t)wait_s };
	auto_fd at = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	auto_fd fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	struct stat st;
	int rc;

	if (at < 0 || fd < 0 || fstat(at, &st) < 0)
		return fault(f, -errno, "call '%s'", path);
	if (!S_ISSOCK(st.st_mode))
		return fault(f, -ENOTSOCK, "call '%s'", path);
	/* Also bounds connect(2), should the backlog be full. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
			 sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
			 sizeof(patience));
	rc = kin_call(fd, at);
	if (rc < 0)
		return fault(f, rc, "call '%s'", path);
	rc = kin_check(path, &st, f);
	if (rc < 0)
		return rc;
	*ret_fd = fd_take(&fd);
	return 0;
}
