// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * journal.c - what the daemon and the processes of its sandboxes have said
 *
 * Lines of workers may be an attacker's, as many as it likes: each sandbox has
 * a share of our time, beyond which its lines wait in its socket and are lost
 * when that is full. Nothing here waits: not for those who speak, nor for
 * whoever reads our standard error.
 */
#include "daemon/journal.h"

#include "base/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A sandbox's share: so many lines each so many milliseconds. */
#define VOICE_BURST    32
#define VOICE_PAUSE_MS 100
/* More than the socket's buffer can hold, which has 400 KiB at most. */
#define VOICE_DRAIN    2048

/**
 * struct voice - a sandbox, as it is heard
 * @fd:     Where its processes' lines come; -1 for none
 * @heard:  Lines since the share began anew
 * @share:  Begins the next one; runs while some of this one is used
 */
struct voice {
	struct list node;
	struct journal *all;
	char name[STORE_NAME];
	int fd;
	struct watch watch;
	struct timer share;
	unsigned int heard;
	struct ring ring;
};

static struct voice *journal_find(const struct journal *j, const char *name)
{
	struct list *at;

	list_each (at, &j->voices) {
		struct voice *v = container_of(at, struct voice, node);

		if (!strcmp(v->name, name))
			return v;
	}
	return NULL;
}

static void journal_tell(struct task *t)
{
	struct journal *j = container_of(t, struct journal, tell);

	if (j->news)
		j->news(j->ctx);
}

/** journal_number() - The line comes next */
static void journal_number(struct journal *j, struct line *l, int64_t time_ms)
{
	l->seq = ++j->seq;
	l->time_ms = time_ms;
	journal_again(j);
}

/** journal_own() - A log_fn: what the daemon says */
static void journal_own(void *ctx, enum log_level level, const char *text)
{
	struct journal *j = ctx;
	struct line *l = line_own(level, text);
	struct timespec now;
	struct voice *v;

	if (!l)
		return;
	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail */
	journal_number(j, l,
		       (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
	ring_add(&j->own, l);
	v = l->from[0] ? journal_find(j, l->from) : NULL;
	if (v)
		ring_add(&v->ring, l);
	if (level <= j->level)
		print_line(&j->print, l);
	line_put(l);
}

void journal_init(struct journal *j)
{
	*j = (struct journal){ 0 };
	list_init(&j->voices);
}

void journal_start(struct journal *j, struct loop *loop, enum log_level level)
{
	j->loop = loop;
	j->level = level;
	print_init(&j->print);
	/* What happened to a sandbox is kept in any case. */
	log_init("daemon: ", level > LOG_LEVEL_INFO ? level : LOG_LEVEL_INFO);
	log_divert(journal_own, j);
}

/** voice_end() - Hear no more of it */
static void voice_end(struct voice *v)
{
	struct loop *l = v->all->loop;

	loop_unwatch(l, &v->watch);
	loop_untimer(l, &v->share);
	fd_close(&v->fd);
	v->heard = 0;
}

static void voice_free(struct voice *v)
{
	voice_end(v);
	ring_fini(&v->ring);
	list_del(&v->node);
	free(v);
}

void journal_stop(struct journal *j)
{
	if (!j->loop)
		return;
	log_divert(NULL, NULL);
	log_init("daemon: ", j->level);
	while (!list_empty(&j->voices))
		voice_free(container_of(j->voices.next, struct voice, node));
	loop_undefer(j->loop, &j->tell);
	ring_fini(&j->own);
}

void journal_add(struct journal *j, const char *name)
{
	struct voice *v = calloc(1, sizeof(*v));

	if (!v)
		return; /* it goes unheard */
	v->all = j;
	v->fd = v->watch.fd = -1;
	memcpy(v->name, name, strlen(name) + 1); /* good names have room */
	list_add_tail(&j->voices, &v->node);
}

void journal_drop(struct journal *j, const char *name)
{
	struct voice *v = journal_find(j, name);

	if (v)
		voice_free(v);
}

/** voice_close() - Fds that were sent along are nothing to us */
static void voice_close(const struct cmsghdr *c)
{
	const size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	int fd;

	for (size_t i = 0; i < count; i++) {
		memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
		(void)close(fd);
	}
}

/** voice_time() - When a message was said, milliseconds since 1970; 0: it is
 * none, but the end */
static int64_t voice_time(struct msghdr *mh)
{
	struct timespec t;
	int64_t ms = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_RIGHTS)
			voice_close(c);
		if (c->cmsg_type != SCM_TIMESTAMPNS ||
		    c->cmsg_len != CMSG_LEN(sizeof(t)))
			continue;
		memcpy(&t, CMSG_DATA(c), sizeof(t));
		ms = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
	}
	return ms;
}

/** voice_hear() - One line; false when there is none */
static bool voice_hear(struct voice *v)
{
	union {
		char room[CMSG_SPACE(sizeof(struct timespec))];
		struct cmsghdr align;
	} control;
	char text[LINE_MAX];
	struct iovec iov = { .iov_base = text, .iov_len = sizeof(text) };
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room),
	};
	const ssize_t n = recvmsg(v->fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct line *l;
	int64_t ms;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	ms = n < 0 ? 0 : voice_time(&mh);
	if (ms == 0) {
		voice_end(v); /* all who could write are gone */
		return false;
	}
	l = line_hear(text, (size_t)n, v->name);
	if (!l)
		return true; /* it has cost its part of the share */
	journal_number(v->all, l, ms);
	ring_add(&v->ring, l);
	/* Its level was set when it began, perhaps by a daemon before us. */
	if (l->level <= LOG_LEVEL_INFO || l->level <= v->all->level)
		print_line(&v->all->print, l);
	line_put(l);
	return true;
}

static void voice_again(struct timer *t)
{
	struct voice *v = container_of(t, struct voice, share);

	v->heard = 0;
	loop_want(v->all->loop, &v->watch, EPOLLIN);
}

/** voice_drain() - All that is there, beyond its share, too */
static void voice_drain(struct voice *v)
{
	for (int i = 0; v->fd >= 0 && i < VOICE_DRAIN; i++)
		if (!voice_hear(v))
			return;
}

static void voice_event(struct watch *w, uint32_t events)
{
	struct voice *v = container_of(w, struct voice, watch);
	struct loop *l = v->all->loop;

	/* Nobody can write any more, and epoll would tell so for ever. */
	if (events & (EPOLLHUP | EPOLLERR)) {
		voice_drain(v);
		voice_end(v);
		return;
	}
	while (v->heard < VOICE_BURST && voice_hear(v))
		v->heard++;
	if (v->fd < 0)
		return;
	if (v->share.slot == 0 &&
	    loop_timer(l, &v->share, VOICE_PAUSE_MS, voice_again) < 0)
		v->heard = 0; /* without memory there is no share to keep to */
	if (v->heard >= VOICE_BURST)
		loop_want(l, &v->watch, 0);
}

void journal_drain(struct journal *j, const char *name)
{
	struct voice *v = journal_find(j, name);

	if (v)
		voice_drain(v);
}

void journal_hear(struct journal *j, const char *name, int fd)
{
	struct voice *v = journal_find(j, name);
	auto_fd taken = fd;

	if (!v || taken < 0)
		return;
	voice_drain(v);
	voice_end(v);
	v->fd = fd_take(&taken);
	if (loop_watch(j->loop, &v->watch, v->fd, EPOLLIN, voice_event) < 0)
		voice_end(v); /* the kernel has no memory for it */
}

/** journal_is_of() - Is a sandbox's ring looked at for this name? */
static bool journal_is_of(const struct voice *v, const char *name)
{
	return !name[0] || !strcmp(v->name, name);
}

const struct line *journal_next(const struct journal *j, const char *name,
				uint64_t seq)
{
	const struct line *best = name[0] ? NULL : ring_after(&j->own, seq);
	struct list *at;

	if (seq >= j->seq)
		return NULL;
	list_each (at, &j->voices) {
		const struct voice *v = container_of(at, struct voice, node);
		const struct line *l = NULL;

		if (journal_is_of(v, name))
			l = ring_after(&v->ring, seq);
		if (l && (!best || l->seq < best->seq))
			best = l;
	}
	return best;
}

bool journal_has_lost(const struct journal *j, const char *name, uint64_t seq)
{
	struct list *at;

	if (!name[0] && j->own.gone > seq)
		return true;
	list_each (at, &j->voices) {
		const struct voice *v = container_of(at, struct voice, node);

		if (journal_is_of(v, name) && v->ring.gone > seq)
			return true;
	}
	return false;
}

void journal_again(struct journal *j)
{
	loop_defer(j->loop, &j->tell, journal_tell);
}

/** journal_before() - The newest line before another one */
static const struct line *journal_before(const struct journal *j,
					 const char *name, uint64_t seq)
{
	const struct line *best = name[0] ? NULL : ring_before(&j->own, seq);
	struct list *at;

	list_each (at, &j->voices) {
		const struct voice *v = container_of(at, struct voice, node);
		const struct line *l = NULL;

		if (journal_is_of(v, name))
			l = ring_before(&v->ring, seq);
		if (l && (!best || l->seq > best->seq))
			best = l;
	}
	return best;
}

uint64_t journal_last(const struct journal *j, const char *name,
		      unsigned int count)
{
	uint64_t seq = j->seq + 1;

	for (; count > 0; count--) {
		const struct line *l = journal_before(j, name, seq);

		if (!l)
			break;
		seq = l->seq;
	}
	return seq - 1;
}
