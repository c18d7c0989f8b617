/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * sandbox_own.h - what the two halves of a sandbox's life share; for
 * sandbox*.c alone
 */
#include "box/sandbox.h"

/** sandbox_enter() - The next state */
void sandbox_enter(struct sandbox *s, enum sandbox_state next);

/** sandbox_tell() - The owner hears of a change, and may free @s */
void sandbox_tell(struct sandbox *s);

/** sandbox_begin() - Wait for a builder */
void sandbox_begin(struct sandbox *s, enum build_work work);

/** sandbox_take() - What a builder made is ours now; Return: 0 or -errno with
 * the trouble filled */
int sandbox_take(struct sandbox *s, const struct build_word *w,
		 int fds[static BUILD_FDS]);

/** sandbox_forget_builder() - It has answered, or is not wanted any more */
void sandbox_forget_builder(struct sandbox *s);

/** sandbox_wait() - Something failed or died: try again in a while */
void sandbox_wait(struct sandbox *s);

/** sandbox_ended() - If all that was killed is dead: it is DOWN */
void sandbox_ended(struct sandbox *s);

/* What the deaths of its processes come to. */
watch_fn sandbox_worker_died;
watch_fn sandbox_keeper_died;
watch_fn sandbox_minder_died;

/** mourned_watch() - Return: 0 or -errno; takes @pidfd either way */
int mourned_watch(struct sandbox *s, struct mourned *m, int pidfd, pid_t pid,
		  watch_fn *fn);

/** mourned_forget() - Watch it no more */
void mourned_forget(struct sandbox *s, struct mourned *m);

/** mourned_signal() - One that is dead, or was never there, needs none */
void mourned_signal(const struct mourned *m, int sig);

/** mourned_kill() - SIGKILL */
void mourned_kill(const struct mourned *m);
