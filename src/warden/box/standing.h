/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/** KEEPER_ROLE - argv[1] that makes main() the keeper of a named sandbox */
#define KEEPER_ROLE "@keeper"

/**
 * standing_main() - Be the keeper of a sandbox that stands by itself
 * @chan:  To the builder, which first sends STORE_BUILD
 *
 * Builds the sandbox, answers with STORE_GIVEN or STORE_FAILED, and ends with
 * the builder unless that has sent STORE_KEEP. From then on it needs nobody:
 * it ends when it is killed, and with it the network of those inside.
 *
 * Return: exit status
 */
int standing_main(int chan);
