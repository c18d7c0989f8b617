// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * activation.c - a listener that a service manager opened (sd_listen_fds(3))
 *
 * Whoever starts a daemon may leave anything at the number 3, so nothing is
 * believed that can be looked at.
 */
#include "daemon/activation.h"

#include "base/fd.h"
#include "base/text.h"
#include "bus/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int activation_count(const char *pid, const char *fds, pid_t self,
		     struct fault *f)
{
	uint32_t whose;
	uint32_t count;

	if (!pid && !fds)
		return 0;
	if (!pid || !fds || !text_uint(pid, INT32_MAX, &whose) ||
	    !text_uint(fds, INT32_MAX, &count))
		return fault_plain(f, -EINVAL,
				   "LISTEN_PID and LISTEN_FDS must both be "
				   "numbers, or neither be set");
	if (whose != (uint32_t)self) {
		(void)fault_plain(f, -ESRCH,
				  "LISTEN_PID is %u and this is process %d: "
				  "the listener is not for it",
				  whose, self);
		return f ? fault_hint(f, "unset LISTEN_PID and LISTEN_FDS to "
					 "start without one")
			 : -ESRCH;
	}
	if (count != 1)
		return fault_plain(f, -EINVAL,
				   "LISTEN_FDS is %u: it takes one listener",
				   count);
	return 1;
}

/** activation_is() - Does the socket say @want when asked for @what? */
static int activation_is(int fd, int what, int want, bool *ret)
{
	int got = 0;
	socklen_t len = sizeof(got);

	if (getsockopt(fd, SOL_SOCKET, what, &got, &len) < 0)
		return -errno;
	*ret = got == want;
	return 0;
}

int activation_check(int fd, struct fault *f)
{
	static const struct {
		int what;
		int want;
		const char *name;
	} is[] = {
		{ SO_DOMAIN, AF_UNIX, "a unix socket" },
		{ SO_TYPE, SOCK_STREAM, "a stream socket (ListenStream=)" },
		{ SO_ACCEPTCONN, 1, "a listening socket (Accept=no)" },
	};

	for (size_t i = 0; i < sizeof(is) / sizeof(is[0]); i++) {
		bool holds = false;
		const int rc =
			activation_is(fd, is[i].what, is[i].want, &holds);

		if (rc < 0)
			return fault(f, rc, "use file %d as a listener", fd);
		if (!holds)
			return fault_plain(f, -EPROTOTYPE,
					   "the listener, file %d, is not %s",
					   fd, is[i].name);
	}
	return peer_is_near(fd, f);
}

static int activation_find(int *ret, struct fault *f)
{
	int rc = activation_count(getenv("LISTEN_PID"), getenv("LISTEN_FDS"),
				  getpid(), f);

	if (rc <= 0)
		return rc;
	rc = activation_check(ACTIVATION_FD, f);
	if (rc < 0)
		return rc;
	if (fcntl(ACTIVATION_FD, F_SETFD, FD_CLOEXEC) < 0)
		return fault(f, -errno, "keep the listener to ourselves");
	rc = fd_nonblock(ACTIVATION_FD);
	if (rc < 0)
		return fault(f, rc, "make the listener non-blocking");
	*ret = ACTIVATION_FD;
	return 0;
}

int activation_take(int *ret, struct fault *f)
{
	int got = -1;
	const int rc = activation_find(&got, f);

	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDNAMES");
	if (rc == 0)
		*ret = got;
	return rc;
}
