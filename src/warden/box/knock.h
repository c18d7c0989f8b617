/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <stdbool.h>

/** knock_socket() - One to knock with, of this network namespace; Return: an
 * fd, owned by the caller, or -errno */
int knock_socket(void);

/** struct knock - how far it is; zeroed is a good beginning */
struct knock {
	bool has_asked;
	unsigned int waited;
	unsigned int patience;
};

/**
 * knock() - Does the worker answer through a sandbox's engine?
 * @fd:  From knock_socket(), called inside the sandbox
 * @k:   Kept for the next call
 *
 * Asks the gateway's proxy for a greeting: the question leaves by the TUN, and
 * only the worker knows the answer. To be called again and again; never waits.
 *
 * Return: whether it has answered
 */
bool knock(int fd, struct knock *k);
