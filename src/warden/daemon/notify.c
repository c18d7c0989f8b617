// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * notify.c - what a service manager wants to hear (sd_notify(3))
 *
 * One datagram a word, to the socket that the environment names. The manager
 * counts a message only when it comes from the process it started, so nobody
 * but the daemon sends.
 */
#include "daemon/notify.h"

#include "base/fd.h"
#include "base/log.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* A manager that hangs may hold us up for no longer. */
#define NOTIFY_PATIENCE_S 1

int notify_address(const char *text, struct sockaddr_un *ret,
		   socklen_t *ret_len)
{
	const size_t len = strlen(text);
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	if ((text[0] != '/' && text[0] != '@') || len < 2)
		return -EAFNOSUPPORT;
	/* An abstract name needs no NUL behind it. */
	if (len + (text[0] == '/') > sizeof(at.sun_path))
		return -ENAMETOOLONG;
	memcpy(at.sun_path, text, len);
	if (text[0] == '@')
		at.sun_path[0] = '\0';
	*ret = at;
	*ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len +
			       (text[0] == '/'));
	return 0;
}

/** notify_number() - Digits and nothing else */
static int notify_number(const char *text, uint64_t *ret)
{
	char *end;
	unsigned long long got;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	got = strtoull(text, &end, 10);
	if (errno != 0 || *end != '\0')
		return -EINVAL;
	*ret = got;
	return 0;
}

int notify_pulse(const char *usec, const char *pid, pid_t self, uint64_t *ret)
{
	uint64_t patience;
	uint64_t whose = (uint64_t)self;

	if (!usec) {
		*ret = 0;
		return 0;
	}
	if (notify_number(usec, &patience) < 0 || patience == 0 ||
	    (pid && notify_number(pid, &whose) < 0))
		return -EINVAL;
	if (whose != (uint64_t)self)
		*ret = 0;
	else
		*ret = patience < 2000 ? 1 : patience / 2000;
	return 0;
}

void notify_put_count(size_t up, size_t count, char *to, size_t size)
{
	if (up == count)
		(void)snprintf(to, size, "STATUS=%zu sandbox%s up", up,
			       up == 1 ? "" : "es");
	else
		(void)snprintf(to, size, "STATUS=%zu of %zu sandbox%s up", up,
			       count, count == 1 ? "" : "es");
}

void notify_put_reloading(uint64_t now_usec, char *to, size_t size)
{
	(void)snprintf(to, size, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		       now_usec);
}

/** notify_open() - A socket that waits for nobody long */
static int notify_open(struct notify *n, struct fault *f)
{
	const struct timeval patience = { .tv_sec = NOTIFY_PATIENCE_S };

	n->sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n->sock < 0 || setsockopt(n->sock, SOL_SOCKET, SO_SNDTIMEO,
				      &patience, sizeof(patience)) < 0)
		return fault(f, -errno, "make a socket to the service manager");
	return 0;
}

static int notify_read(struct notify *n, struct fault *f)
{
	const char *where = getenv("NOTIFY_SOCKET");
	const char *usec = getenv("WATCHDOG_USEC");
	int rc;

	if (!where || where[0] == '\0')
		return 0;
	rc = notify_address(where, &n->at, &n->len);
	if (rc < 0)
		return fault_plain(f, rc,
				   "NOTIFY_SOCKET must be an absolute path, or "
				   "@ and a name, of at most %zu bytes",
				   sizeof(n->at.sun_path) - 1);
	rc = notify_pulse(usec, getenv("WATCHDOG_PID"), getpid(), &n->pulse_ms);
	if (rc < 0)
		return fault_plain(f, rc,
				   "WATCHDOG_USEC and WATCHDOG_PID must be "
				   "numbers");
	return notify_open(n, f);
}

int notify_take(struct notify *ret, struct fault *f)
{
	struct notify n = { .sock = -1 };
	const int rc = notify_read(&n, f);

	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
	if (rc < 0) {
		fd_close(&n.sock);
		return rc;
	}
	*ret = n;
	return 0;
}

void notify_fini(struct notify *n)
{
	fd_close(&n->sock);
	n->pulse_ms = 0;
}

static void notify_send(struct notify *n, const char *text)
{
	ssize_t sent;

	if (n->sock < 0)
		return;
	sent = sendto(n->sock, text, strlen(text), MSG_NOSIGNAL,
		      (const struct sockaddr *)&n->at, n->len);
	if (sent < 0 && !n->is_deaf)
		log_warn("the service manager cannot be told '%.*s': %s",
			 (int)strcspn(text, "\n"), text, strerror(errno));
	n->is_deaf = sent < 0;
}

void notify_ready(struct notify *n)
{
	notify_send(n, "READY=1");
}

void notify_reloading(struct notify *n)
{
	struct timespec now;
	char text[64];

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* it is always there */
	notify_put_reloading((uint64_t)now.tv_sec * 1000000 +
				     (uint64_t)now.tv_nsec / 1000,
			     text, sizeof(text));
	notify_send(n, text);
}

void notify_stopping(struct notify *n)
{
	notify_send(n, "STOPPING=1");
}

void notify_alive(struct notify *n)
{
	notify_send(n, "WATCHDOG=1");
}

void notify_count(struct notify *n, size_t up, size_t count)
{
	char text[sizeof(n->said)];

	notify_put_count(up, count, text, sizeof(text));
	if (!strcmp(text, n->said))
		return;
	memcpy(n->said, text, sizeof(text));
	notify_send(n, text);
}
