// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * stdfiles.c - what a command may have as standard input, output and error
 */
#include "box/stdfiles.h"

#include "base/broken.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

/* major and minor of /dev/net/tun: Linux, Documentation/admin-guide/devices */
#define STDFILES_TUN makedev(10, 200)

/**
 * stdfiles_socket() - The same for a socket
 *
 * A unix socket that is connected, or listens, is what the caller made of it,
 * like a pipe. Any other can still be aimed, also at abstract names and at our
 * daemon, and was born on the host.
 */
static const char *stdfiles_socket(int fd)
{
	struct sockaddr_un peer;
	socklen_t peer_len = sizeof(peer);
	socklen_t len = sizeof(int);
	int listens = 0;
	int family;
	int type;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) < 0)
		return "the name of a socket: the command could connect to it";
	if (family != AF_UNIX)
		return "a network socket: the command could aim it past the "
		       "proxy";
	if (type == SOCK_DGRAM ||
	    (!listens &&
	     getpeername(fd, (struct sockaddr *)&peer, &peer_len) < 0))
		return "a unix socket that is not connected for good: the "
		       "command could reach the host's services by it";
	return NULL;
}

/**
 * stdfiles_leads_past() - What makes this file a way round the sandbox?
 *
 * Return: words for people, or NULL when nothing does
 */
static const char *stdfiles_leads_past(int fd, const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return "a directory: through it the command would see the "
		       "host's mounts, name services among them";
	if (S_ISCHR(st->st_mode) && st->st_rdev == STDFILES_TUN)
		return "a network device: the command could send packets by it";
	/* io_uring and its like: others act for whoever holds it. */
	if ((st->st_mode & S_IFMT) == 0)
		return "no file but a handle of the kernel's: the command "
		       "could have others act for it";
	return S_ISSOCK(st->st_mode) ? stdfiles_socket(fd) : NULL;
}

int stdfiles_check(const char *verb, struct fault *f)
{
	static const char *const name[] = { "input", "output", "error" };

	for (int fd = 0; fd < 3; fd++) {
		const char *why;
		struct stat st;

		if (fstat(fd, &st) < 0) {
			/* Takes the lowest free number: this one. */
			if (open("/dev/null", O_RDWR | O_CLOEXEC) != fd)
				return fault(f, -errno, "open /dev/null");
			continue;
		}
		why = stdfiles_leads_past(fd, &st);
		if (!why || broken(BROKEN_STDFILES))
			continue;
		(void)fault_plain(f, -EPERM, "standard %s is %s", name[fd],
				  why);
		return fault_hint(f,
				  "put a pipe between, for example "
				  "'nsproxy %s ... | cat'",
				  verb);
	}
	return 0;
}
