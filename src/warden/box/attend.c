// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * attend.c - stand in for a command that has process ids of its own
 *
 * A process cannot change its own PID namespace, only its children's. So for a
 * shell outside the command is us.
 */
#include "box/attend.h"

#include "kern/signals.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/** attend_end() - As the command did */
static void __attribute__((noreturn)) attend_end(int status)
{
	const struct rlimit none = { 0 };
	sigset_t set;

	if (WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	/* The core, if any, is the command's. */
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)signal(WTERMSIG(status), SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, WTERMSIG(status));
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	(void)kill(getpid(), WTERMSIG(status));
	_exit(128 + WTERMSIG(status));
}

/** attend_look() - Has it ended, or stopped? */
static void attend_look(pid_t child, bool *is_stopped)
{
	int status;

	while (waitpid(child, &status, WNOHANG | WUNTRACED | WCONTINUED) ==
	       child) {
		if (WIFEXITED(status) || WIFSIGNALED(status))
			attend_end(status);
		*is_stopped = WIFSTOPPED(status);
	}
}

/** attend_is_shared() - Has the command got this one as well?
 *
 * The terminal's own reach the whole process group; but of its hangup it tells
 * the leader of the session alone.
 */
static bool attend_is_shared(const siginfo_t *s)
{
	if (s->si_code == SI_USER || s->si_code == SI_QUEUE ||
	    s->si_code == SI_TKILL)
		return false;
	return s->si_signo != SIGHUP || getsid(0) != getpid();
}

void attend(pid_t child)
{
	bool is_stopped = false;
	sigset_t held;

	signals_held(&held);
	for (;;) {
		siginfo_t s;

		attend_look(child, &is_stopped);
		if (is_stopped) {
			/* Until somebody continues the two of us, or us. */
			(void)kill(getpid(), SIGSTOP);
			attend_look(child, &is_stopped);
			if (is_stopped)
				(void)kill(child, SIGCONT);
			is_stopped = false;
		}
		if (sigwaitinfo(&held, &s) < 0 || s.si_signo == SIGCHLD ||
		    s.si_signo == SIGCONT || attend_is_shared(&s))
			continue;
		(void)kill(child, s.si_signo);
	}
}
