/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <signal.h>

/**
 * struct signals - how a process dealt with signals when it was called
 * @mask:     Blocked ones
 * @ignored:  Those with SIG_IGN; the others that survive execve(2) are SIG_DFL
 */
struct signals {
	sigset_t mask;
	sigset_t ignored;
};

/**
 * signals_save() - Remember, and make SIGCHLD ours
 *
 * An inherited SIG_IGN for SIGCHLD would make children vanish unwaited.
 */
void signals_save(struct signals *ret);

/** signals_hold() - Block all that can be, but those a bug of ours raises */
void signals_hold(void);

/** signals_held() - The set that signals_hold() blocks */
void signals_held(sigset_t *ret);

/** signals_let() - Back to the mask of @s; dispositions stay */
void signals_let(const struct signals *s);

/** signals_restore() - Dispositions and mask of @s, for the program */
void signals_restore(const struct signals *s);

/** signals_default() - Nothing ignored, nothing blocked */
void signals_default(void);
