// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * store.c - words between a named sandbox's keeper and those outside
 */
#include "box/store.h"

#include "base/fd.h"
#include "base/text.h"
#include "bus/channel.h"
#include "bus/kin.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define STORE_BACKLOG	 16
#define STORE_PATIENCE_S 5

_Static_assert(STORE_FDS <= CHANNEL_FDS, "all it has fits one message");

bool store_name_ok(const char *name)
{
	static const char may[] = "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	const size_t len = strlen(name);

	return len > 0 && len < STORE_NAME && name[0] != '.' &&
	       name[0] != '-' && name[strspn(name, may)] == '\0';
}

int store_send(int chan, const struct store_word *w, const int *fds,
	       unsigned int count)
{
	struct store_word out;

	memcpy(&out, w, sizeof(out));
	out.magic = STORE_MAGIC;
	out.size = sizeof(out);
	return channel_send(chan, &out, sizeof(out), fds, count);
}

/** store_is_sound() - Made by a binary like this one, and with its fds? */
static bool store_is_sound(const struct store_word *w, size_t len,
			   unsigned int count)
{
	if (len != sizeof(*w) || w->magic != STORE_MAGIC || w->size != len ||
	    !memchr(w->name, '\0', sizeof(w->name)) || w->tag_count > PLAN_FDS)
		return false;
	return w->kind != STORE_GIVEN || count == STORE_FD_TAGS + w->tag_count;
}

int store_recv(int chan, struct store_word *w, int *fds,
	       unsigned int *ret_count)
{
	unsigned int count = 0;
	const ssize_t n =
		channel_recv(chan, w, sizeof(*w), fds, STORE_FDS, &count);

	if (n <= 0)
		return n < 0 ? (int)n : -EPIPE;
	if (!store_is_sound(w, (size_t)n, count)) {
		while (count > 0)
			(void)close(fds[--count]);
		return -EPROTO;
	}
	*ret_count = count;
	return 0;
}

int store_listen(const char *path, int *ret_fd, struct fault *f)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	auto_fd fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fault(f, -errno, "make a socket");
	if (!text_copy(at.sun_path, sizeof(at.sun_path), path))
		return fault(f, -ENAMETOOLONG, "listen on '%s'", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return fault(f, -errno, "remove '%s'", path);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(fd, STORE_BACKLOG) < 0)
		return fault(f, -errno, "listen on '%s'", path);
	*ret_fd = fd_take(&fd);
	return 0;
}

int store_open(const char *path, int *ret_fd, struct fault *f)
{
	return kin_connect(path, SOCK_SEQPACKET, STORE_PATIENCE_S, ret_fd, f);
}

int store_ask(int chan, struct store_word *ret, int *fds,
	      unsigned int *ret_count, struct fault *f)
{
	const struct store_word ask = { .kind = STORE_GIVE };
	int rc = store_send(chan, &ask, NULL, 0);

	if (rc == 0)
		rc = store_recv(chan, ret, fds, ret_count);
	if (rc == -EPROTO)
		return fault_plain(f, rc,
				   "the keeper is of another nsproxy than "
				   "this one: take the sandbox down and up");
	if (rc < 0)
		return fault(f, rc, "ask the keeper");
	if (ret->kind == STORE_GIVEN)
		return 0;
	while (*ret_count > 0)
		(void)close(fds[--*ret_count]);
	return fault_plain(f, -EPROTO, "the keeper spoke out of turn");
}
