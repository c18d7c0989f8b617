// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * control.c - the caller's side of the control protocol
 */
#include "bus/control.h"

#include "base/fd.h"
#include "bus/kin.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static uint64_t control_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int control_open(const char *path, bool is_system, struct control *c,
		 struct fault *f)
{
	struct ucred who;
	socklen_t len = sizeof(who);
	auto_fd fd = -1;
	const int rc = kin_connect(path, SOCK_STREAM, 0, &fd, f);

	if (rc < 0)
		return rc;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
		return fault(f, -errno, "ask whose daemon it is");
	if (who.uid != 0 && (is_system || who.uid != geteuid()))
		return fault_plain(f, -EPERM,
				   "the daemon at '%s' is another user's",
				   path);
	c->is_system = is_system;
	c->fd = fd_take(&fd);
	c->give_count = 0;
	frame_in_init(&c->in, VARLINK_REPLY_MAX);
	return 0;
}

void control_close(struct control *c)
{
	fd_close(&c->fd);
	while (c->give_count > 0)
		fd_close(&c->give[--c->give_count]);
	frame_in_fini(&c->in);
}

/** control_ask() - Send a call, made by @put */
static int control_ask(struct control *c, const char *method,
		       char *(*put)(const char *, json_t *), json_t *parameters,
		       struct fault *f)
{
	char name[VARLINK_NAME_MAX];
	struct frame_out out = { 0 };
	char *text;
	int rc;

	(void)snprintf(name, sizeof(name), "%s%s",
		       strchr(method, '.') ? "" : CONTROL_INTERFACE ".",
		       method);
	text = put(name, parameters);
	if (!text)
		return fault_plain(f, -EMSGSIZE, "the request is too long");
	frame_out_set(&out, text, c->give, c->give_count);
	c->give_count = 0;
	rc = frame_write(&out, c->fd);
	frame_out_fini(&out);
	return rc < 0 ? fault(f, rc, "ask the daemon") : 0;
}

int control_call(struct control *c, const char *method, json_t *parameters,
		 int wait_ms, struct varlink_reply *ret, struct fault *f)
{
	const uint64_t until = control_now() + (uint64_t)wait_ms;
	const char *text;
	size_t len;
	int rc = control_ask(c, method, varlink_call_put, parameters, f);

	while (rc == 0 && !(text = frame_next(&c->in, &len))) {
		struct pollfd p = { .fd = c->fd, .events = POLLIN };
		const uint64_t now = control_now();
		int n;

		if (now >= until || poll(&p, 1, (int)(until - now)) == 0)
			return fault_plain(f, -ETIMEDOUT,
					   "the daemon has not answered in "
					   "%d s",
					   wait_ms / 1000);
		n = frame_read(&c->in, c->fd);
		if (n == 0)
			return fault_plain(f, -EPIPE, "the daemon hung up");
		if (n < 0 && n != -EAGAIN)
			rc = fault(f, n, "hear the daemon");
	}
	if (rc < 0)
		return rc;
	rc = varlink_reply_get(text, len, ret, f);
	frame_pop(&c->in);
	return rc;
}

int control_follow(struct control *c, const char *method, json_t *parameters,
		   struct fault *f)
{
	return control_ask(c, method, varlink_call_put_more, parameters, f);
}

int control_next(struct control *c, struct varlink_reply *ret, struct fault *f)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	const char *text;
	size_t len;
	int rc;

	while (!(text = frame_next(&c->in, &len))) {
		if (poll(&p, 1, 0) == 0)
			return fault_plain(f, -EAGAIN, "no reply is there yet");
		rc = frame_read(&c->in, c->fd);
		if (rc == 0)
			return fault_plain(f, -EPIPE, "the daemon hung up");
		if (rc < 0)
			return fault(f, rc, "hear the daemon");
	}
	rc = varlink_reply_get(text, len, ret, f);
	frame_pop(&c->in);
	return rc;
}
