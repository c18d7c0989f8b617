// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * standing.c - the keeper of a named sandbox
 *
 * It has no command. It lives in the sandbox's namespaces and holds what must
 * not be lost when a worker or the daemon dies: the device, the listeners, the
 * sealed plan, the namespaces themselves. Whoever may open its socket and
 * stands in the host's network namespace gets copies; a program inside, whose
 * uid may be the same, is refused.
 */
#include "box/standing.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "box/mint.h"
#include "box/standing_own.h"
#include "bus/channel.h"
#include "bus/peer.h"
#include "bus/plan_file.h"
#include "kern/guard.h"
#include "kern/links.h"
#include "kern/pin.h"
#include "kern/rules.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* How often to look for new side doors when inotify is refused. */
#define STANDING_LOOK_MS 5000

/* Slots of the poll list. */
enum {
	POLL_LISTENER,
	POLL_MINT,
	POLL_MOUNTS,
	POLL_CHANGES,
	POLL_TERM,
	POLL_LEADER,
	POLL_CALLERS,
	POLL_END = POLL_CALLERS + STANDING_CALLERS,
};

/**
 * standing_await_term() - Be asked to end, and not just killed
 *
 * A network namespace that goes on without us shall not keep our rules.
 */
static int standing_await_term(struct standing *s, struct fault *f)
{
	sigset_t term;

	(void)sigemptyset(&term);
	(void)sigaddset(&term, SIGTERM);
	s->term = signalfd(-1, &term, SFD_CLOEXEC);
	if (s->term < 0 || sigprocmask(SIG_BLOCK, &term, NULL) < 0)
		return fault(f, -errno, "open a signalfd");
	return 0;
}

/** standing_give_back() - Leave another's namespace as it was, before anybody
 * is told; we end then */
static void standing_give_back(struct standing *s)
{
	if (!s->setup.is_foreign)
		return;
	for (unsigned int i = 0; i < s->word.tag_count; i++)
		fd_close(&s->tag_fd[i]);
	setup_fini(&s->setup); /* the device goes with its last fd */
	rules_sweep();
	links_sweep(s->setup.has_ip6);
	former_restore(&s->setup.former);
}

/** standing_settle() - Shed all but the power to keep the mounts, and to take
 * back what we did to another's network */
static int standing_settle(struct standing *s, struct fault *f)
{
	const uint64_t net = s->word.is_attached ? 1ull << CAP_NET_ADMIN : 0;
	int rc = guard_shed(1ull << CAP_SYS_ADMIN | net, f);

	if (rc == 0 && s->word.is_attached)
		rc = standing_await_term(s, f);
	if (rc < 0)
		return rc;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fault(f, -errno, "become undumpable");
	/* Pins no directory of the host. */
	return chdir("/") < 0 ? fault(f, -errno, "leave for /") : 0;
}

/** standing_give() - Return: 0 or -errno */
static int standing_give(const struct standing *s, int to)
{
	const struct store_word *w = &s->word;
	int fds[STORE_FDS];
	unsigned int count = 0;

	for (int i = 0; i < STORE_FD_TAGS; i++)
		fds[count++] = s->own[i];
	if (w->worker == 0)
		fds[STORE_FD_WORKER] = s->own[STORE_FD_KEEPER];
	if (w->minder == 0)
		fds[STORE_FD_MINDER] = s->own[STORE_FD_KEEPER];
	if (w->leader == 0)
		fds[STORE_FD_LEADER] = s->own[STORE_FD_KEEPER];
	for (unsigned int i = 0; i < w->tag_count; i++)
		fds[count++] = s->tag_fd[i];
	return store_send(to, w, fds, count);
}

/** standing_keep() - New processes; Return: 0 or -EPROTO. @fds that were taken
 * are -1 */
static int standing_keep(struct standing *s, const struct store_word *w,
			 int *fds, unsigned int count)
{
	const unsigned int want =
		(unsigned int)(w->worker > 0) + (unsigned int)(w->minder > 0);
	unsigned int next = 0;

	if (w->worker < 0 || w->minder < 0 || count != want)
		return -EPROTO;
	if (w->worker > 0) {
		fd_close(&s->own[STORE_FD_WORKER]);
		s->own[STORE_FD_WORKER] = fd_take(&fds[next++]);
		s->word.worker = w->worker;
	}
	if (w->minder > 0) {
		fd_close(&s->own[STORE_FD_MINDER]);
		s->own[STORE_FD_MINDER] = fd_take(&fds[next]);
		s->word.minder = w->minder;
	}
	return 0;
}

/** standing_switch() - Another plan; Return: 0 or -EPROTO. @fds that were taken
 * are -1 */
static int standing_switch(struct standing *s, const struct store_word *w,
			   int *fds, unsigned int count)
{
	struct terms terms;

	if (w->worker < 0 || count != 2 + (unsigned int)(w->worker > 0) ||
	    terms_read(fds[1], &terms) < 0)
		return -EPROTO;
	s->terms = terms;
	fd_close(&s->own[STORE_FD_PLAN]);
	fd_close(&s->own[STORE_FD_TERMS]);
	s->own[STORE_FD_PLAN] = fd_take(&fds[0]);
	s->own[STORE_FD_TERMS] = fd_take(&fds[1]);
	if (w->worker == 0)
		return 0;
	fd_close(&s->own[STORE_FD_WORKER]);
	s->own[STORE_FD_WORKER] = fd_take(&fds[2]);
	s->word.worker = w->worker;
	return 0;
}

/**
 * standing_hear() - One message of someone outside
 *
 * Safe though the asker may be any process of the user's on the host: all of
 * those could trace the worker, or enter the user namespace, anyway.
 *
 * Return: its kind, or -errno after which the connection is of no use
 */
static int standing_hear(struct standing *s, int from)
{
	struct store_word w;
	int fds[STORE_FDS];
	unsigned int count = 0;
	int rc = store_recv(from, &w, fds, &count);

	if (rc < 0)
		return rc;
	if (w.kind == STORE_GIVE)
		rc = standing_give(s, from);
	else if (w.kind == STORE_KEEP)
		rc = standing_keep(s, &w, fds, count);
	else if (w.kind == STORE_SWITCH)
		rc = standing_switch(s, &w, fds, count);
	else
		rc = -EPROTO;
	while (count > 0)
		fd_close(&fds[--count]);
	return rc < 0 ? rc : (int)w.kind;
}

static void standing_accept(struct standing *s)
{
	auto_fd conn =
		accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct peer who;

	if (conn < 0 || peer_check(s->listener, conn, &who, NULL) < 0)
		return;
	for (int i = 0; i < STANDING_CALLERS; i++)
		if (s->caller[i] < 0) {
			s->caller[i] = fd_take(&conn);
			return;
		}
}

/** standing_mint() - A worker that makes no sense loses its channel; the next
 * one gets another */
static void standing_mint(struct standing *s)
{
	struct store_word *w = &s->word;
	int pair[2];

	mint_answer(&s->setup.mint, s->setup.is_short);
	if (s->setup.mint >= 0 || channel_pair(pair) < 0)
		return;
	if (fd_nonblock(pair[0]) < 0) {
		fd_close(&pair[0]);
		fd_close(&pair[1]);
		return;
	}
	log_warn("the worker asked for sockets in a way that makes no sense; "
		 "it is cut off, the next one may ask again");
	s->setup.mint = pair[0];
	for (unsigned int i = 0; i < w->tag_count; i++)
		if (w->tag[i].kind == PLAN_FD_MINT) {
			fd_close(&s->tag_fd[i]);
			s->tag_fd[i] = pair[1];
		}
}

/** standing_turn() - Wait once for any of them */
static void standing_turn(struct standing *s)
{
	struct resolver *r = &s->setup.resolver;
	struct pollfd p[POLL_END] = {
		[POLL_LISTENER] = { .fd = s->listener, .events = POLLIN },
		[POLL_MINT] = { .fd = s->setup.mint, .events = POLLIN },
		[POLL_MOUNTS] = { .fd = r->mounts, .events = POLLPRI },
		[POLL_CHANGES] = { .fd = r->changes, .events = POLLIN },
		[POLL_TERM] = { .fd = s->term, .events = POLLIN },
		[POLL_LEADER] = { .fd = s->own[STORE_FD_LEADER],
				  .events = POLLIN },
	};
	int n;

	for (int i = 0; i < STANDING_CALLERS; i++)
		p[POLL_CALLERS + i] = (struct pollfd){
			.fd = s->caller[i],
			.events = POLLIN,
		};
	n = poll(p, POLL_END,
		 r->changes < 0 && !s->setup.is_foreign ? STANDING_LOOK_MS
							: -1);
	if (p[POLL_TERM].revents || p[POLL_LEADER].revents) {
		standing_give_back(s);
		_exit(0);
	}
	if (p[POLL_MINT].revents)
		standing_mint(s);
	if (n == 0 || p[POLL_MOUNTS].revents || p[POLL_CHANGES].revents)
		resolver_keep(r);
	for (int i = 0; i < STANDING_CALLERS; i++)
		if (p[POLL_CALLERS + i].revents &&
		    standing_hear(s, s->caller[i]) < 0)
			fd_close(&s->caller[i]);
	if (p[POLL_LISTENER].revents)
		standing_accept(s);
}

static int standing_build(struct standing *s, int chan, struct fault *f)
{
	int rc = standing_take(s, chan, f);

	if (rc < 0)
		return rc;
	setup_init(&s->setup, s->plan);
	s->setup.guard = s->terms.guard;
	s->setup.is_blind = s->word.is_blind;
	s->setup.foreign = s->foreign;
	rc = setup_build(&s->setup, f);
	/* Nothing in here needs it any more, and it may hold passwords. */
	explicit_bzero(s->plan, sizeof(*s->plan));
	fd_close(&s->foreign);
	if (rc == 0 && s->setup.is_root && !s->setup.is_foreign)
		rc = pin_alone(s->word.name, f);
	if (rc == 0)
		rc = standing_hold(s, f);
	if (rc == 0)
		rc = standing_log(s, f);
	if (rc == 0)
		rc = standing_leases(s, f);
	if (rc == 0)
		rc = standing_settle(s, f);
	return rc;
}

/**
 * standing_say() - A log_fn: what we have to say goes where the worker's goes
 *
 * It could make that socket a blocking one: hence MSG_DONTWAIT.
 */
static void standing_say(void *ctx, enum log_level level, const char *text)
{
	const struct standing *s = ctx;
	char line[512];
	int n;

	n = snprintf(line, sizeof(line), "nsproxy: %s%s\n",
		     log_level_mark(level), text);
	for (unsigned int i = 0; n > 0 && i < s->word.tag_count; i++)
		if (s->word.tag[i].kind == PLAN_FD_LOG)
			(void)send(s->tag_fd[i], line, strlen(line),
				   MSG_DONTWAIT | MSG_NOSIGNAL);
}

/** standing_let_go() - Whoever reads the daemon's errors must not wait for us
 */
static void standing_let_go(struct standing *s)
{
	auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0)
		(void)dup2(null, STDERR_FILENO);
	log_divert(standing_say, s);
}

int standing_main(int chan)
{
	struct standing *s = calloc(1, sizeof(*s));
	struct fault f = { 0 };

	(void)prctl(PR_SET_NAME, "nsproxy-keeper", 0, 0, 0);
	if (s)
		s->plan = calloc(1, sizeof(*s->plan));
	if (!s || !s->plan)
		return 1;
	s->listener = s->foreign = s->term = -1;
	for (int i = 0; i < STORE_FD_TAGS; i++)
		s->own[i] = -1;
	for (int i = 0; i < STANDING_CALLERS; i++)
		s->caller[i] = -1;
	if (standing_build(s, chan, &f) < 0) {
		const struct store_word w = {
			.kind = STORE_FAILED,
			.fault = f,
		};

		standing_give_back(s);
		(void)store_send(chan, &w, NULL, 0);
		return 1;
	}
	if (standing_give(s, chan) < 0 ||
	    standing_hear(s, chan) != STORE_KEEP) {
		standing_give_back(s);
		return 1; /* the builder failed, or was killed */
	}
	fd_close(&chan);
	/* As the first of its process ids it inherits what is left alone, and
	 * has no use for it. */
	(void)signal(SIGCHLD, SIG_IGN);
	standing_let_go(s);
	for (;;)
		standing_turn(s);
}
