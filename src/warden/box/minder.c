// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * minder.c - the process that runs the jobs of a sandbox
 *
 * It outlives the daemon, as the worker does, and needs nobody: how the jobs
 * are stands on a board that the keeper holds and a daemon reads. Of the jobs
 * it sees what they write, and looks at none of it.
 */
#include "box/minder.h"

#include "base/fd.h"
#include "box/minder_own.h"
#include "bus/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void minder_write(struct task *t)
{
	struct minder *m = container_of(t, struct minder, write);

	/* Without memory the board merely is old. */
	(void)board_write(m->fd[MINDER_FD_BOARD], &m->board);
}

void minder_changed(struct minder *m)
{
	loop_defer(&m->loop, &m->write, minder_write);
}

static bool minder_has_jobs(const struct minder *m)
{
	for (unsigned int i = 0; i < m->jobs.count; i++)
		if (minded_lives(&m->minded[i]))
			return true;
	return false;
}

static void minder_end_all(struct minder *m, bool at_once)
{
	for (unsigned int i = 0; i < m->jobs.count; i++)
		minded_end(&m->minded[i], at_once);
}

static void minder_graceless(struct timer *t)
{
	minder_end_all(container_of(t, struct minder, grace), true);
}

/** minder_end() - No more starts; leave when all are buried */
static void minder_end(struct minder *m, bool at_once)
{
	const bool was_ending = m->is_ending;

	m->is_ending = true;
	for (unsigned int i = 0; !was_ending && i < m->jobs.count; i++)
		loop_untimer(&m->loop, &m->minded[i].timer);
	if (!was_ending)
		(void)loop_timer(&m->loop, &m->grace, MINDER_GRACE_MS,
				 minder_graceless);
	if (!was_ending || at_once)
		minder_end_all(m, at_once);
	if (!minder_has_jobs(m))
		loop_stop(&m->loop);
}

void minder_buried(struct minder *m)
{
	if (m->is_ending && !minder_has_jobs(m))
		loop_stop(&m->loop);
}

/** minder_tell() - Once: how it went */
static void minder_tell(struct minder *m, const struct fault *f)
{
	struct hatch_word w;

	if (m->is_told)
		return;
	m->is_told = true;
	minder_write(&m->write); /* who hears it may look at once */
	memset(&w, 0, sizeof(w));
	if (f)
		w.fault = *f;
	(void)channel_send(m->chan, &w, sizeof(w), NULL, 0);
}

void minder_settled(struct minder *m, const struct fault *f)
{
	bool all = true;

	if (f && m->task.is_first && !m->is_told) {
		minder_tell(m, f);
		minder_end(m, false);
		return;
	}
	for (unsigned int i = 0; i < m->jobs.count; i++)
		all &= m->minded[i].is_settled;
	if (all)
		minder_tell(m, NULL);
}

void minder_report(struct minder *m, const struct fault *f)
{
	const struct hatch_word w = { .fault = *f };

	/* Whoever is behind with reading misses it. */
	if (m->task.is_telling && m->is_told && !m->is_ending && m->chan >= 0 &&
	    fd_nonblock(m->chan) == 0)
		(void)channel_send(m->chan, &w, sizeof(w), NULL, 0);
}

/** minder_let_go() - Whoever reads the daemon's errors must not wait for us */
static void minder_let_go(void)
{
	auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0)
		(void)dup2(null, STDERR_FILENO);
}

/** minder_builder() - It says that we stay, or it died */
static void minder_builder(struct watch *w, uint32_t events)
{
	struct minder *m = container_of(w, struct minder, chan_watch);
	char word;
	const ssize_t n = channel_recv(m->chan, &word, 1, NULL, 0, NULL);

	(void)events;
	if (n == 1 && word == MINDER_KEEP) {
		m->is_kept = true;
		minder_let_go();
		return;
	}
	loop_unwatch(&m->loop, w);
	fd_close(&m->chan);
	if (!m->is_kept)
		minder_end(m, true);
}

static void minder_keeper(struct watch *w, uint32_t events)
{
	struct minder *m = container_of(w, struct minder, keeper_watch);

	(void)events;
	loop_unwatch(&m->loop, w);
	minder_end(m, false);
}

static void minder_signal(struct watch *w, uint32_t events)
{
	struct minder *m = container_of(w, struct minder, signal_watch);
	struct signalfd_siginfo s;

	(void)events;
	while (read(m->signals, &s, sizeof(s)) == (ssize_t)sizeof(s))
		minder_end(m, false);
}

static int minder_hear_signals(struct minder *m)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL); /* cannot fail */
	m->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return m->signals < 0 ? -errno
			      : loop_watch(&m->loop, &m->signal_watch,
					   m->signals, EPOLLIN, minder_signal);
}

/** minder_take() - The builder's task */
static int minder_take(struct minder *m, struct fault *f)
{
	unsigned int count = 0;
	const ssize_t n = channel_recv(m->chan, &m->task, sizeof(m->task),
				       m->fd, MINDER_FDS, &count);
	int rc;

	if (n != (ssize_t)sizeof(m->task) || count != MINDER_FDS ||
	    !memchr(m->task.name, '\0', sizeof(m->task.name)))
		return fault_plain(f, -EPROTO, "the builder made no sense");
	rc = jobs_read(m->fd[MINDER_FD_JOBS], &m->jobs);
	if (rc < 0)
		return fault(f, rc, "read the jobs");
	/* It holds namespaces: nobody's debugger shall. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fault(f, -errno, "become undumpable");
	return 0;
}

static int minder_begin(struct minder *m, struct fault *f)
{
	int rc = minder_take(m, f);

	if (rc < 0)
		return rc;
	rc = loop_init(&m->loop);
	if (rc == 0)
		rc = minder_hear_signals(m);
	if (rc == 0)
		rc = loop_watch(&m->loop, &m->chan_watch, m->chan, EPOLLIN,
				minder_builder);
	if (rc == 0)
		rc = loop_watch(&m->loop, &m->keeper_watch,
				m->fd[MINDER_FD_KEEPER], EPOLLIN,
				minder_keeper);
	if (rc < 0)
		return fault(f, rc, "start the minder's loop");
	m->board.count = m->jobs.count;
	for (unsigned int i = 0; i < m->jobs.count; i++)
		minded_init(m, i);
	for (unsigned int i = 0; i < m->jobs.count && !m->is_ending; i++)
		minded_start(&m->minded[i]);
	/* Later ones are nobody's to wait for. */
	if (!m->task.is_first)
		minder_tell(m, NULL);
	return 0;
}

int minder_hatch(int self_fd, const struct minder_task *t,
		 const int fds[static MINDER_FDS], struct hatchling *ret,
		 struct fault *f)
{
	int rc = hatch_role(self_fd, MINDER_ROLE, t->name, ret, f);

	if (rc < 0)
		return rc;
	rc = channel_send(ret->chan, t, sizeof(*t), fds, MINDER_FDS);
	/* One that is gone already may have left its word. */
	return rc < 0 && rc != -EPIPE && rc != -ECONNRESET
		       ? fault(f, rc, "tell the minder what to do")
		       : 0;
}

int minder_hear(int chan, struct fault *f)
{
	struct hatch_word w;
	const ssize_t n = channel_recv(chan, &w, sizeof(w), NULL, 0, NULL);

	if (n != (ssize_t)sizeof(w))
		return fault_plain(f, -EPIPE,
				   "the minder died before all it minds was "
				   "ready");
	if (w.fault.code < 0 && f)
		*f = w.fault;
	return w.fault.code;
}

int minder_main(int chan)
{
	struct minder *m = calloc(1, sizeof(*m));
	struct fault f = { 0 };

	(void)prctl(PR_SET_NAME, "nsproxy-minder", 0, 0, 0);
	if (!m)
		return 1;
	m->chan = chan;
	m->loop.epfd = m->signals = -1;
	m->chan_watch.fd = m->keeper_watch.fd = m->signal_watch.fd = -1;
	if (minder_begin(m, &f) < 0) {
		const struct hatch_word w = { .fault = f };

		(void)channel_send(m->chan, &w, sizeof(w), NULL, 0);
		return 1;
	}
	/* Whatever makes it leave: nurses die with it. */
	(void)loop_run(&m->loop);
	return 0;
}
