/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <sys/types.h>

/**
 * attend() - Be a command's stand-in where the shell sees one, until it ends
 * @child:  The command, a child in our process group
 *
 * All signals must be held (signals_hold()) since before it was forked, and
 * SIGCHLD not be ignored. What is sent to us is passed on, we stop and continue
 * with it, and end as it does. Never returns.
 */
void attend(pid_t child) __attribute__((noreturn));
