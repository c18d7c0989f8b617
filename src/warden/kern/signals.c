// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * signals.c - keep the caller's signal state for the program
 *
 * No handler is ever set: while we wait, signals are blocked and read from a
 * signalfd; the program gets back exactly what nsproxy was called with.
 */
#include "kern/signals.h"

#include <stdbool.h>
#include <stddef.h>

void signals_save(struct signals *ret)
{
	sigemptyset(&ret->ignored);
	(void)sigprocmask(SIG_SETMASK, NULL, &ret->mask); /* cannot fail */
	for (int sig = 1; sig < NSIG; sig++) {
		struct sigaction now;

		if (sigaction(sig, NULL, &now) == 0 &&
		    now.sa_handler == SIG_IGN)
			sigaddset(&ret->ignored, sig);
	}
	(void)signal(SIGCHLD, SIG_DFL);
}

void signals_held(sigset_t *ret)
{
	static const int ours[] = { SIGSEGV, SIGBUS,  SIGFPE, SIGILL,
				    SIGABRT, SIGTRAP, SIGSYS };

	sigfillset(ret);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		sigdelset(ret, ours[i]);
}

void signals_hold(void)
{
	sigset_t set;

	signals_held(&set);
	(void)sigprocmask(SIG_SETMASK, &set, NULL); /* cannot fail */
}

void signals_let(const struct signals *s)
{
	(void)sigprocmask(SIG_SETMASK, &s->mask, NULL); /* cannot fail */
}

/** signals_dispose() - SIG_IGN for @ignored (may be NULL), else SIG_DFL */
static void signals_dispose(const sigset_t *ignored)
{
	/* Fails for SIGKILL, SIGSTOP and the two of the C library. */
	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, ignored && sigismember(ignored, sig) == 1
					  ? SIG_IGN
					  : SIG_DFL);
}

void signals_restore(const struct signals *s)
{
	signals_dispose(&s->ignored);
	signals_let(s);
}

void signals_default(void)
{
	sigset_t none;

	signals_dispose(NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL); /* cannot fail */
}
