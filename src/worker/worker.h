/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/**
 * worker_main() - Be a worker: take a plan, lock down, move packets
 * @chan:  Channel to whoever hatched us; ready, or why not, is said on it
 *
 * Ends when the sandbox ends (the keeper's end of the mint channel closes) or,
 * without a sandbox, when @chan closes.
 *
 * Return: exit status
 */
int worker_main(int chan);
