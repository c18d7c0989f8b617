// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * moved_hand.c - the process that moves an interface, and may take it back
 *
 * Between two namespaces an interface's addresses are in the memory of who
 * moves it, and a virtual one dies with the namespace it is in. So that is
 * nobody's who may be killed at any moment: a hand is a process that ends when
 * it is done, and gives back what it has moved unless it is told that somebody
 * else will.
 */
#include "kern/moved_own.h"

#include "base/fd.h"
#include "bus/channel.h"
#include "bus/wireguard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

/** struct moved_said - a hand's answer; @count: interfaces given back */
struct moved_said {
	struct fault fault;
	int count;
};

/** hand_wait() - Shall it stay there? Without a word: no */
static void hand_wait(const struct moved_work *w, int chan)
{
	char keep;

	if (channel_recv(chan, &keep, 1, NULL, 0, NULL) != 1)
		(void)moved_do_give_back(w, NULL);
}

static void __attribute__((noreturn))
hand_main(const struct moved_work *w, int chan)
{
	struct moved_said said = { 0 };
	int rc = 0;

	/* One at a time: another's hand may be at work here. */
	if (flock(w->inside, LOCK_EX) < 0)
		rc = fault(&said.fault, -errno, "lock the sandbox's network");
	else
		rc = w->link ? moved_do_take(w, &said.fault)
			     : moved_do_give_back(w, &said.fault);
	if (rc < 0 && said.fault.code == 0)
		(void)fault(&said.fault, rc, "move an interface");
	said.count = rc;
	/* Who asked may be dead, which the next line hears. */
	(void)channel_send(chan, &said, sizeof(said), NULL, 0);
	if (rc >= 0 && w->link)
		hand_wait(w, chan);
	_exit(0);
}

static void hand_end(struct moved_hand *h)
{
	fd_close(&h->chan);
	if (h->pid > 0)
		(void)waitpid(h->pid, NULL, 0);
	h->pid = 0;
}

static int hand_begin(const struct moved_work *w, struct moved_hand *h,
		      struct fault *f)
{
	int pair[2];
	const int rc = channel_pair(pair);

	if (rc < 0)
		return fault(f, rc, "make a channel");
	h->pid = fork();
	if (h->pid == 0) {
		fd_close(&pair[0]);
		hand_main(w, pair[1]);
	}
	fd_close(&pair[1]);
	h->chan = pair[0];
	return h->pid < 0 ? fault(f, -errno, "start a process") : 0;
}

/** hand_hear() - Return: as it says */
static int hand_hear(const struct moved_hand *h, struct fault *f)
{
	struct moved_said said;

	if (channel_recv(h->chan, &said, sizeof(said), NULL, 0, NULL) !=
	    (ssize_t)sizeof(said))
		return fault_plain(f, -EPIPE,
				   "who moved the interface was killed");
	if (said.fault.code >= 0)
		return said.count;
	if (f)
		*f = said.fault;
	return said.fault.code;
}

/** moved_run() - Return: 0 or more, or -errno and the hand has ended */
static int moved_run(struct moved_work *w, int netns, struct moved_hand *h,
		     struct fault *f)
{
	char path[32];
	int rc;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", netns);
	w->inside = open(path, O_RDONLY | O_CLOEXEC); /* a lock of its own */
	w->home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (w->inside < 0 || w->home < 0)
		rc = fault(f, -errno, "open the network namespaces");
	else
		rc = hand_begin(w, h, f);
	if (rc == 0)
		rc = hand_hear(h, f);
	fd_close(&w->inside);
	fd_close(&w->home);
	if (rc < 0)
		hand_end(h);
	return rc;
}

static int moved_begin(struct moved_work *w, int netns, struct moved_hand *ret,
		       struct fault *f)
{
	struct moved_hand h = { .chan = -1 };
	const int rc = moved_run(w, netns, &h, f);

	if (rc < 0)
		return rc;
	*ret = h;
	return 0;
}

int moved_make(const struct wireguard *wg, const char *name, int netns,
	       struct moved_hand *ret, struct fault *f)
{
	struct moved_work w = {
		.link = wg->link,
		.name = name,
		.wireguard = wg,
	};

	return moved_begin(&w, netns, ret, f);
}

int moved_take(const char *link, const char *name, int netns,
	       struct moved_hand *ret, struct fault *f)
{
	struct moved_work w = { .link = link, .name = name };

	return moved_begin(&w, netns, ret, f);
}

void moved_keep(struct moved_hand *h)
{
	const char keep = 1;

	if (h->pid > 0)
		(void)channel_send(h->chan, &keep, 1, NULL, 0);
	hand_end(h);
}

void moved_undo(struct moved_hand *h)
{
	hand_end(h);
}

int moved_give_back(int netns, struct fault *f)
{
	struct moved_work w = { 0 };
	struct moved_hand h = { .chan = -1 };
	const int rc = moved_run(&w, netns, &h, f);

	hand_end(&h);
	return rc;
}
