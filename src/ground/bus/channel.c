// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * channel.c - messages with fds between our own processes
 */
#include "bus/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union channel_control {
	char room[CMSG_SPACE(CHANNEL_FDS * sizeof(int))];
	struct cmsghdr align;
};

int channel_pair(int ret[2])
{
	const int type = SOCK_SEQPACKET | SOCK_CLOEXEC;

	return socketpair(AF_UNIX, type, 0, ret) < 0 ? -errno : 0;
}

static int channel_send_bare(int chan, const void *msg, size_t len)
{
	while (send(chan, msg, len, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int channel_send(int chan, const void *msg, size_t len, const int *fds,
		 unsigned int count)
{
	union channel_control control;
	struct iovec iov = { .iov_base = (void *)(size_t)msg, .iov_len = len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (count > CHANNEL_FDS)
		return -E2BIG;
	/* A worker may not call sendmsg(2). */
	if (count == 0)
		return channel_send_bare(chan, msg, len);
	memset(&control, 0, sizeof(control));
	mh.msg_control = control.room;
	mh.msg_controllen = CMSG_SPACE(count * sizeof(int));
	c = CMSG_FIRSTHDR(&mh);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	while (sendmsg(chan, &mh, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/** channel_take_fds() - Move received fds out; too many are all closed */
static int channel_take_fds(struct msghdr *mh, int *fds, unsigned int room,
			    unsigned int *ret_count)
{
	unsigned int count = 0;
	int rc = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		const size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int),
			       sizeof(int));
			if (count < room) {
				fds[count++] = fd;
				continue;
			}
			(void)close(fd);
			rc = -EPROTO;
		}
	}
	if (mh->msg_flags & MSG_TRUNC)
		rc = -EPROTO;
	else if (rc == 0 && (mh->msg_flags & MSG_CTRUNC))
		rc = -EMFILE; /* nobody here sends more than there is room */
	if (rc < 0)
		while (count > 0)
			(void)close(fds[--count]);
	if (ret_count)
		*ret_count = count;
	return rc;
}

ssize_t channel_recv(int chan, void *msg, size_t len, int *fds,
		     unsigned int room, unsigned int *ret_count)
{
	union channel_control control;
	struct iovec iov = { .iov_base = msg, .iov_len = len };
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room),
	};
	ssize_t n;
	int rc;

	do {
		n = recvmsg(chan, &mh, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	rc = channel_take_fds(&mh, fds, room, ret_count);
	return rc < 0 ? rc : n;
}
