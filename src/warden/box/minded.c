// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * minded.c - one job of a minder, from its start to its end and round again
 *
 * A nurse's words, its death, the job's output and a timer move its state on.
 * It is over when its nurse is dead, for then nothing of it is left.
 */
#include "box/minder_own.h"

#include "base/fd.h"
#include "base/text.h"
#include "box/proof.h"
#include "bus/channel.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READY_LOOK_MS	  50
#define READY_LATE_MS	  1000 /* between looks when it has taken long */
#define READY_PATIENCE_MS 10000
/* Without a place to listen, who lives so long has begun well. */
#define READY_ALONE_MS	  100
#define SAID_ROOM	  65536

static void minded_over(struct minded *d);

void minded_init(struct minder *m, unsigned int i)
{
	struct minded *d = &m->minded[i];

	d->m = m;
	d->job = &m->jobs.job[i];
	d->card = &m->board.card[i];
	d->nurse = (struct launched){ .pidfd = -1, .chan = -1, .said = -1 };
	d->chan.fd = d->said.fd = d->death.fd = -1;
	memcpy(d->card->name, d->job->name, sizeof(d->card->name));
	d->card->is_engine = d->job->engine != ENGINE_NONE;
	d->card->status = JOB_NEVER_ENDED;
}

bool minded_lives(const struct minded *d)
{
	return d->nurse.pid > 0;
}

static void minded_enter(struct minded *d, enum job_state next)
{
	d->card->state = next;
	d->card->since_s = time(NULL);
	minder_changed(d->m);
}

static void minded_close_tables(struct minded *d)
{
	while (d->table_count > 0)
		fd_close(&d->tables[--d->table_count]);
}

/** minded_settle() - The first time is over, well or not */
static void minded_settle(struct minded *d, const struct fault *f)
{
	if (d->is_settled)
		return;
	d->is_settled = true;
	minder_settled(d->m, f);
}

/** minded_blame() - Why it is not ready, with its last words */
static void minded_blame(struct minded *d, const char *what)
{
	char words[BOARD_WORDS + 1];
	struct fault f = { 0 };

	card_words(d->card, words);
	(void)fault_plain(&f, -EIO, "%s '%s' %s%s%s", job_kind(d->job),
			  d->card->name, what,
			  words[0] ? "; its last words: " : "", words);
	if (d->why.hint[0])
		(void)fault_hint(&f, "%s", d->why.hint);
	if (d->is_settled && d->job->engine != ENGINE_NONE)
		minder_report(d->m, &f);
	minded_settle(d, &f);
}

static bool minded_listens(struct minded *d)
{
	if (d->job->engine != ENGINE_NONE)
		return d->table_count > 0 && knock(d->tables[0], &d->knock);
	for (unsigned int i = 0; i < d->table_count; i++)
		if (listening_seen(d->tables[i], &d->job->ready, d->job->uid))
			return true;
	return false;
}

/** minded_has_sign() - Is there something to see when it is ready? */
static bool minded_has_sign(const struct minded *d)
{
	return d->job->engine != ENGINE_NONE ||
	       d->job->ready.family != AF_UNSPEC;
}

/** minded_late() - It took too long. An engine that hung after it had been well
 * is started again */
static void minded_late(struct minded *d)
{
	static const char hung[] = "did not begin to serve in %d s";
	const int patience_s = READY_PATIENCE_MS / 1000;
	const bool was_well = d->is_settled;
	char what[64 + ADDR_TEXT];
	char at[ADDR_TEXT];

	if (d->job->engine != ENGINE_NONE)
		(void)snprintf(what, sizeof(what), hung, patience_s);
	else
		(void)snprintf(what, sizeof(what),
			       "does not listen at %s after %d s",
			       addr_text(&d->job->ready, at), patience_s);
	minded_blame(d, what);
	if (was_well)
		minded_end(d, true);
}

/** minded_look() - Is it ready by now? */
static void minded_look(struct timer *t)
{
	struct minded *d = container_of(t, struct minded, timer);
	const uint64_t now = d->m->loop.now_ms;
	const bool is_late = now >= d->patience_ms;

	if (!minded_has_sign(d) || minded_listens(d)) {
		minded_close_tables(d);
		minded_enter(d, JOB_RUNNING);
		minded_settle(d, NULL);
		return;
	}
	(void)loop_timer(&d->m->loop, t,
			 is_late ? READY_LATE_MS : READY_LOOK_MS, minded_look);
	if (!is_late || (d->is_settled && d->job->engine == ENGINE_NONE))
		return;
	minded_late(d);
}

/** minded_mute() - It was asked what it is, and has said nothing */
static void minded_mute(struct timer *t)
{
	struct minded *d = container_of(t, struct minded, timer);

	proof_late(d->job, &d->why);
	minded_end(d, true);
}

/** minded_runs() - The program has been executed */
static void minded_runs(struct minded *d, pid_t pid, const int *tables,
			unsigned int count)
{
	memcpy(d->tables, tables, count * sizeof(*tables));
	d->table_count = count;
	d->card->pid = pid;
	minder_changed(d->m);
	if (d->is_on_trial)
		return; /* its timer runs */
	(void)loop_timer(&d->m->loop, &d->timer,
			 minded_has_sign(d) ? 0 : READY_ALONE_MS, minded_look);
}

/** minded_hear() - One word of the nurse; Return: whether there was one */
static bool minded_hear(struct minded *d)
{
	struct nurse_word w;
	int fds[LISTENING_TABLES];
	unsigned int count = 0;

	if (channel_recv(d->nurse.chan, &w, sizeof(w), fds, LISTENING_TABLES,
			 &count) != (ssize_t)sizeof(w))
		return false;
	if (w.news == NURSE_RUNS && d->table_count == 0) {
		minded_runs(d, w.pid, fds, count);
		return true;
	}
	while (count > 0)
		fd_close(&fds[--count]);
	if (w.news == NURSE_FAILED)
		d->why = w.fault;
	if (w.news == NURSE_ENDED) {
		d->status = w.status;
		d->is_over = true;
	}
	if (w.news == NURSE_BACKGROUND) {
		d->card->pid = 0;
		minder_changed(d->m);
	}
	return true;
}

static void minded_word(struct watch *w, uint32_t events)
{
	struct minded *d = container_of(w, struct minded, chan);

	(void)events;
	if (!minded_hear(d))
		loop_unwatch(&d->m->loop, w); /* its death is told soon */
}

/** minded_listen() - Take what it said; Return: whether there was anything */
static bool minded_listen(struct minded *d)
{
	static char said[SAID_ROOM];
	const ssize_t n = read(d->nurse.said, said, sizeof(said));

	if (n <= 0)
		return false;
	card_add(d->is_on_trial ? &d->trial : d->card, said, (size_t)n);
	minder_changed(d->m);
	return true;
}

static void minded_said(struct watch *w, uint32_t events)
{
	struct minded *d = container_of(w, struct minded, said);

	(void)events;
	if (!minded_listen(d))
		loop_unwatch(&d->m->loop, w);
}

static void minded_dead(struct watch *w, uint32_t events)
{
	struct minded *d = container_of(w, struct minded, death);
	struct loop *l = &d->m->loop;
	int nurse = 0;

	(void)events;
	(void)waitpid(d->nurse.pid, &nurse, 0);
	while (minded_hear(d))
		continue;
	/* It was killed, and so was everything of the job. */
	if (!d->is_over)
		d->status = nurse;
	(void)minded_listen(d);
	loop_unwatch(l, &d->chan);
	loop_unwatch(l, &d->said);
	loop_unwatch(l, &d->death);
	loop_untimer(l, &d->timer);
	minded_close_tables(d);
	fd_close(&d->nurse.chan);
	fd_close(&d->nurse.said);
	fd_close(&d->nurse.pidfd);
	d->nurse.pid = 0;
	d->card->pid = 0;
	minded_over(d);
	minder_buried(d->m);
}

static void minded_again(struct timer *t)
{
	struct minded *d = container_of(t, struct minded, timer);

	d->card->restarts++;
	minded_start(d);
}

/** minded_judge() - It is over: was it ready once, or need it not be? */
static void minded_judge(struct minded *d, int status, bool is_again)
{
	char what[sizeof(d->why.text) + 32];

	/* Some only have something to do at the beginning. */
	if (status == 0 && !is_again && !minded_has_sign(d)) {
		minded_settle(d, NULL);
		return;
	}
	if (d->why.code < 0)
		(void)snprintf(what, sizeof(what), "could not be started: %s",
			       d->why.text);
	else
		(void)snprintf(what, sizeof(what),
			       d->is_settled ? "ended with status %d"
					     : "ended with status %d before it "
					       "was ready",
			       status);
	minded_blame(d, what);
}

/** minded_is_proven() - Was that its trial, and may it be run now? */
static bool minded_is_proven(struct minded *d)
{
	if (!d->is_on_trial)
		return false;
	d->is_on_trial = false;
	if (d->why.code == 0)
		(void)proof_judge(d->job, job_status(d->status), &d->trial,
				  &d->why);
	d->is_proven = d->why.code == 0 && !d->m->is_ending;
	return d->is_proven;
}

/** minded_over() - Nothing of it is left; what now? */
static void minded_over(struct minded *d)
{
	const uint64_t ran_ms = d->m->loop.now_ms - d->born_ms;
	int status;
	bool is_again;

	if (minded_is_proven(d)) {
		minded_start(d);
		return;
	}
	status = d->why.code < 0 ? 127 : job_status(d->status);
	is_again = job_is_again(d->job->restart, status);

	d->card->status = status;
	if (d->m->is_ending || (!is_again && status == 0)) {
		minded_enter(d, JOB_ENDED);
	} else if (!is_again) {
		minded_enter(d, JOB_FAILED);
	} else {
		d->gap_ms = job_gap_ms(d->gap_ms, ran_ms);
		minded_enter(d, JOB_WAITING);
		(void)loop_timer(&d->m->loop, &d->timer, d->gap_ms,
				 minded_again);
	}
	minded_judge(d, status, is_again);
	/* What kept it from starting takes the place of its own words. */
	card_add(d->card, d->why.text, strlen(d->why.text));
}

/** minded_watch() - Return: 0 or -errno */
static int minded_watch(struct minded *d)
{
	struct loop *l = &d->m->loop;
	int rc = loop_watch(l, &d->death, d->nurse.pidfd, EPOLLIN, minded_dead);

	if (rc == 0)
		rc = loop_watch(l, &d->chan, d->nurse.chan, EPOLLIN,
				minded_word);
	if (rc == 0)
		rc = loop_watch(l, &d->said, d->nurse.said, EPOLLIN,
				minded_said);
	return rc;
}

/** minded_choose() - Its program, or first the question what that is */
static const struct job *minded_choose(struct minded *d, struct job *trial)
{
	d->is_on_trial = d->job->proof != PROOF_NONE && !d->is_proven;
	d->is_proven = false;
	if (!d->is_on_trial)
		return d->job;
	d->trial = (struct job_card){ 0 };
	proof_job(d->job, trial);
	return trial;
}

void minded_start(struct minded *d)
{
	struct minder *m = d->m;
	struct job trial;
	const struct launch l = {
		.job = minded_choose(d, &trial),
		.sandbox = m->task.name,
		.is_root = m->task.is_root,
		.user = m->fd[MINDER_FD_USER],
		.net = m->fd[MINDER_FD_NET],
		.mnt = m->fd[MINDER_FD_MNT],
		.tun = m->fd[MINDER_FD_TUN],
		.stall = m->fd[MINDER_FD_STALL],
	};

	d->born_ms = m->loop.now_ms;
	d->why = (struct fault){ 0 };
	d->is_over = false;
	d->knock = (struct knock){ 0 };
	if (d->patience_ms == 0 || d->job->engine != ENGINE_NONE)
		d->patience_ms = d->born_ms + READY_PATIENCE_MS;
	minded_enter(d, JOB_STARTING);
	if (launch(&l, &d->nurse, &d->why) < 0) {
		minded_over(d);
		return;
	}
	/* Without a watch on its death it cannot be minded. */
	if (minded_watch(d) < 0)
		loop_stop(&m->loop);
	if (d->is_on_trial)
		(void)loop_timer(&m->loop, &d->timer, PROOF_MS, minded_mute);
}

void minded_end(struct minded *d, bool at_once)
{
	static const char word = NURSE_END;

	if (!minded_lives(d))
		return;
	if (at_once)
		(void)syscall(SYS_pidfd_send_signal, d->nurse.pidfd, SIGKILL,
			      NULL, 0);
	else
		(void)channel_send(d->nurse.chan, &word, 1, NULL, 0);
}
