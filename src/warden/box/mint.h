/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <stdbool.h>

/**
 * mint_answer() - Answer the worker's wish for a socket born inside
 * @mint:  The keeper's end of the channel, readable; closed (-1) when the
 *         worker makes no sense
 * @is_short:  sysctls_shorten() was called: make wide ones
 *
 * Safe though the worker may be hostile: it gets a TCP socket that connects
 * to a port of the sandbox's loopback, which the program could open itself. An
 * answer that does not fit is dropped, since the worker is not waited for: that
 * knows each by its id.
 */
void mint_answer(int *mint, bool is_short);
