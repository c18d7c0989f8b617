// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * stdfiles.c - what a command may have as standard input, output and error
 */
#include "box/stdfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* major and minor of /dev/net/tun: Linux, Documentation/admin-guide/devices */
#define STDFILES_TUN makedev(10, 200)

/**
 * stdfiles_leads_past() - What makes this file a way round the sandbox?
 *
 * A unix socket is what the caller made of it, like a pipe.
 *
 * Return: words for people, or NULL when nothing does
 */
static const char *stdfiles_leads_past(int fd, const struct stat *st)
{
	int family = AF_UNIX;
	socklen_t len = sizeof(family);

	if (S_ISDIR(st->st_mode))
		return "a directory: through it the command would see the "
		       "host's mounts, name services among them";
	if (S_ISCHR(st->st_mode) && st->st_rdev == STDFILES_TUN)
		return "a network device: the command could send packets by it";
	if (S_ISSOCK(st->st_mode) &&
	    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len) == 0 &&
	    family != AF_UNIX)
		return "a network socket: the command could aim it past the "
		       "proxy";
	return NULL;
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
		if (!why)
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
