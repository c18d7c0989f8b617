// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * callers.c - connections to the control socket
 *
 * Whoever can open the socket may be hostile. So: a caller from inside a
 * sandbox is hung up on, each uid has a few connections, a message has a cap
 * and must come whole within seconds, and an answer must be taken within
 * seconds. A caller that is stopped blocks nobody but itself.
 */
#include "daemon/callers.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "bus/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CALLERS_BACKLOG 128
#define CALLERS_BURST	16
#define CALLERS_REST_MS 100
#define CALLERS_SAY_MS	10000

static const unsigned int caller_patience_ms[] = {
	[CALLER_NEW] = 0,	 [CALLER_IDLE] = 30000, [CALLER_HEARING] = 2000,
	[CALLER_SENDING] = 2000, [CALLER_WAITING] = 0, /* the sandbox has
							  deadlines */
};

static void caller_again(struct task *t);

static void caller_bury(struct caller *c)
{
	struct callers *a = c->all;

	loop_unwatch(a->loop, &c->watch);
	loop_untimer(a->loop, &c->timer);
	loop_undefer(a->loop, &c->again);
	fd_close(&c->fd);
	frame_in_fini(&c->in);
	frame_out_fini(&c->out);
	frame_out_fini(&c->next);
	list_del(&c->node);
	a->count--;
	free(c->groups);
	free(c);
}

static void caller_expired(struct timer *t)
{
	struct caller *c = container_of(t, struct caller, timer);

	log_debug("a caller of uid %u took too long", c->who.uid);
	caller_bury(c);
}

/** caller_is_free() - Can its next call be served? */
static bool caller_is_free(const struct caller *c)
{
	return !c->is_over && !c->out.text && c->wait == CALLER_FREE;
}

static enum caller_patience caller_patience(const struct caller *c)
{
	if (c->out.text)
		return CALLER_SENDING;
	if (c->wait != CALLER_FREE)
		return CALLER_WAITING;
	return frame_is_partial(&c->in) ? CALLER_HEARING : CALLER_IDLE;
}

/** caller_settle() - What is waited for, and until when, by what is in hand */
static void caller_settle(struct caller *c)
{
	static const uint32_t want[] = {
		[CALLER_NEW] = EPOLLIN,
		[CALLER_IDLE] = EPOLLIN,
		[CALLER_HEARING] = EPOLLIN,
		[CALLER_SENDING] = EPOLLOUT,
		/* Only a hang-up is of interest. */
		[CALLER_WAITING] = EPOLLRDHUP,
	};
	const enum caller_patience next = caller_patience(c);
	struct loop *l = c->all->loop;
	size_t len;

	loop_want(l, &c->watch, want[next]);
	/* A deadline that has begun runs on, however much comes meanwhile. */
	if (next != c->patience && caller_patience_ms[next] == 0)
		loop_untimer(l, &c->timer);
	else if (next != c->patience &&
		 loop_timer(l, &c->timer, caller_patience_ms[next],
			    caller_expired) < 0)
		c->is_over = true;
	c->patience = next;
	/* What is there already, the socket will not tell again. */
	if (c->is_over || (caller_is_free(c) && frame_next(&c->in, &len)))
		loop_defer(l, &c->again, caller_again);
}

/** caller_flush() - Send what is in hand, as far as it goes */
static void caller_flush(struct caller *c)
{
	while (c->out.text) {
		const int rc = frame_write(&c->out, c->fd);

		if (rc == -EAGAIN)
			return;
		frame_out_fini(&c->out);
		if (rc < 0) {
			c->is_over = true;
			return;
		}
		c->out = c->next;
		c->next = (struct frame_out){ 0 };
	}
}

void caller_reply(struct caller *c, const char *error, json_t *parameters,
		  const int *fds, unsigned int count)
{
	char *text = varlink_reply_put(error, parameters);
	int taken[FRAME_FDS];

	c->wait = CALLER_FREE;
	if (c->oneway || !text) {
		for (unsigned int i = 0; i < count; i++) {
			taken[i] = fds[i];
			fd_close(&taken[i]);
		}
		free(text);
		c->is_over |= !c->oneway;
		return;
	}
	frame_out_set(c->out.text ? &c->next : &c->out, text, fds, count);
	caller_flush(c);
	caller_settle(c);
}

void caller_part(struct caller *c, json_t *parameters)
{
	char *text = varlink_part_put(parameters);

	if (text)
		frame_out_set(&c->out, text, NULL, 0);
	else
		c->is_over = true;
	c->patience = CALLER_NEW; /* each part has its own time */
	caller_flush(c);
	caller_settle(c);
}

void caller_fail(struct caller *c, const struct fault *f)
{
	static const char failed[] = CONTROL_INTERFACE ".Failed";
	static const char unknown[] = CONTROL_INTERFACE ".NoSuchProfile";

	caller_reply(
		c, f->code == -ENOKEY ? unknown : failed,
		json_pack("{s:s, s:s}", "message", f->text, "hint", f->hint),
		NULL, 0);
}

/** caller_drop_fds() - Nobody has taken them */
static void caller_drop_fds(struct caller *c)
{
	while (c->in.fd_count > 0)
		fd_close(&c->in.fds[--c->in.fd_count]);
}

int caller_take_fd(struct caller *c)
{
	struct frame_in *in = &c->in;
	const int fd = in->fd_count > 0 ? in->fds[0] : -1;

	if (fd >= 0)
		memmove(in->fds, in->fds + 1,
			--in->fd_count * sizeof(in->fds[0]));
	return fd;
}

/** caller_read() - Take what has come; false: it is over */
static bool caller_read(struct caller *c)
{
	const int n = frame_read(&c->in, c->fd);

	/* No method takes more. */
	if (c->in.fd_count > CONTROL_FDS)
		caller_drop_fds(c);
	if (n == -EMSGSIZE)
		log_debug("a caller of uid %u sent an endless message",
			  c->who.uid);
	return n > 0 || n == -EAGAIN;
}

/** caller_serve() - Answer what is whole, one after another */
static void caller_serve(struct caller *c)
{
	struct callers *a = c->all;
	const char *text;
	size_t len;

	while (caller_is_free(c) && (text = frame_next(&c->in, &len))) {
		struct varlink_call call;
		struct fault f = { 0 };

		if (varlink_call_get(text, len, &call, &f) < 0) {
			log_debug("a caller of uid %u: %s", c->who.uid, f.text);
			c->is_over = true;
			return;
		}
		frame_pop(&c->in);
		c->patience = CALLER_NEW; /* the next one has its own time */
		c->oneway = call.oneway;
		c->more = call.more;
		a->serve(a->ctx, c, &call);
		caller_drop_fds(c);
		varlink_call_fini(&call);
	}
}

/** caller_go_on() - Serve, and see what comes next */
static void caller_go_on(struct caller *c)
{
	if (!c->is_over && c->wait == CALLER_FOLLOW && !c->out.text)
		c->all->fed(c->all->ctx, c);
	caller_serve(c);
	if (c->is_over)
		caller_bury(c);
	else
		caller_settle(c);
}

static void caller_again(struct task *t)
{
	caller_go_on(container_of(t, struct caller, again));
}

static void caller_event(struct watch *w, uint32_t events)
{
	struct caller *c = container_of(w, struct caller, watch);

	if (events & (EPOLLERR | EPOLLHUP) ||
	    (events & EPOLLRDHUP && c->wait != CALLER_FREE))
		c->is_over = true;
	if (!c->is_over && c->out.text)
		caller_flush(c);
	else if (!c->is_over && !caller_read(c))
		c->is_over = true;
	caller_go_on(c);
}

static unsigned int callers_of(const struct callers *a, uid_t uid)
{
	struct list *at;
	unsigned int count = 0;

	list_each (at, &a->list)
		count += container_of(at, struct caller, node)->who.uid == uid;
	return count;
}

/** callers_refused() - Say so, but leave room for others' lines */
static void callers_refused(struct callers *a, const struct fault *f)
{
	const unsigned int times =
		log_may(&a->refused, a->loop->now_ms, CALLERS_SAY_MS);

	if (times > 1)
		log_info("a caller was refused: %s (%u times more)", f->text,
			 times - 1);
	else if (times > 0)
		log_info("a caller was refused: %s", f->text);
}

/** callers_add() - Takes @fd */
static void callers_add(struct callers *a, int fd)
{
	auto_fd conn = fd;
	struct fault f = { 0 };
	struct caller *c;
	struct peer who;

	if (peer_check(a->listener, conn, &who, &f) < 0) {
		callers_refused(a, &f);
		return;
	}
	/* Root always gets in, to put things right. */
	if (who.uid != 0 && (callers_of(a, who.uid) >= CALLERS_MAX_PER_UID ||
			     a->count >= CALLERS_MAX))
		return;
	c = calloc(1, sizeof(*c));
	if (!c)
		return;
	c->all = a;
	c->who = who;
	if (peer_groups(conn, &c->groups, &c->group_count) < 0)
		log_info("the groups of a caller of uid %u are not counted",
			 who.uid);
	c->fd = fd_take(&conn);
	c->watch.fd = -1;
	frame_in_init(&c->in, VARLINK_CALL_MAX);
	list_add_tail(&a->list, &c->node);
	a->count++;
	if (loop_watch(a->loop, &c->watch, c->fd, EPOLLIN, caller_event) < 0)
		caller_bury(c);
	else
		caller_settle(c);
}

static void callers_rested(struct timer *t)
{
	struct callers *a = container_of(t, struct callers, rest);

	loop_want(a->loop, &a->watch, EPOLLIN);
}

static void callers_accept(struct watch *w, uint32_t events)
{
	struct callers *a = container_of(w, struct callers, watch);

	(void)events;
	for (int i = 0; i < CALLERS_BURST; i++) {
		const int fd = accept4(a->listener, NULL, NULL,
				       SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			callers_add(a, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM) {
			loop_want(a->loop, &a->watch, 0);
			(void)loop_timer(a->loop, &a->rest, CALLERS_REST_MS,
					 callers_rested);
		}
		return;
	}
}

/** callers_listen() - Make the listener ourselves */
static int callers_listen(struct callers *a, const char *path,
			  unsigned int mode, struct fault *f)
{
	const int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	a->listener = socket(AF_UNIX, type, 0);
	if (a->listener < 0)
		return fault(f, -errno, "make a socket");
	if (!text_copy(at.sun_path, sizeof(at.sun_path), path))
		return fault(f, -ENAMETOOLONG, "listen on '%s'", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return fault(f, -errno, "remove '%s'", path);
	/* The mode before anyone can connect, which is from listen(2) on. */
	if (bind(a->listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    chmod(path, mode) < 0 || listen(a->listener, CALLERS_BACKLOG) < 0)
		return fault(f, -errno, "listen on '%s'", path);
	return 0;
}

int callers_start(struct callers *a, const char *path, unsigned int mode,
		  struct fault *f)
{
	int rc = 0;

	list_init(&a->list);
	a->watch.fd = -1;
	if (a->listener < 0)
		rc = callers_listen(a, path, mode, f);
	if (rc < 0)
		return rc;
	rc = loop_watch(a->loop, &a->watch, a->listener, EPOLLIN,
			callers_accept);
	return rc < 0 ? fault(f, rc, "watch '%s'", path) : 0;
}

void callers_stop(struct callers *a)
{
	while (!list_empty(&a->list))
		caller_bury(container_of(a->list.next, struct caller, node));
	loop_unwatch(a->loop, &a->watch);
	loop_untimer(a->loop, &a->rest);
	fd_close(&a->listener);
}
