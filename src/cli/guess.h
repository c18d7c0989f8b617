/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <stddef.h>

/**
 * guess_verb() - Tell someone whose first word is no verb what was meant
 * @argv:   Words behind "nsproxy", at least one; NULL-terminated
 * @names:  The verbs
 * @count:  Of @names
 *
 * A program of PATH becomes "nsproxy run -- PROGRAM ...", a mistyped verb the
 * nearest one. One line on standard error.
 */
void guess_verb(char *const *argv, const char *const *names, size_t count);
