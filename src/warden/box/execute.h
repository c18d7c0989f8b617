/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/**
 * execute_command() - Become the command, or say why not
 * @verb:  Who says it: "run"
 * @argv:  Command, looked for in PATH, and arguments; NULL-terminated
 *
 * Never returns: a command that is not there ends in exit status 127, one that
 * cannot be executed in 126, as a shell does it.
 */
void execute_command(const char *verb, char **argv) __attribute__((noreturn));
