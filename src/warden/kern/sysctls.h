/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"

#include <stdbool.h>

/** struct sysctl - one setting of a network namespace */
struct sysctl {
	const char *path; /* below /proc/sys/net/ */
	const char *value;
	bool may_fail; /* older kernels lack it, or a user may not set it */
};

/**
 * sysctls_write() - Set a table of them
 * @table:  Ends with a NULL path
 * @f:      Names the one that failed
 *
 * Return: 0 or -errno
 */
int sysctls_write(const struct sysctl *table, struct fault *f);

/**
 * sysctls_settle() - Give a new network namespace the settings of a sandbox
 * @has_ip6:  Does the kernel have IPv6?
 * @f:        Fault
 *
 * nsp0 must exist and be down: some settings only count before it comes up.
 *
 * Return: 0 or -errno
 */
int sysctls_settle(bool has_ip6, struct fault *f);

/** sysctls_settle_bare() - The same for one that has no nsp0; Return: 0 or
 * -errno */
int sysctls_settle_bare(struct fault *f);

/* Twice as much gained nothing (bench/IDEAS.md). */
#define SYSCTLS_SHORT_BYTES 262144u

/**
 * sysctls_shorten() - Of TCP no more piles up before whoever does not read it
 *
 * tcp_rmem's limit becomes SYSCTLS_SHORT_BYTES, if it is more; a socket can
 * leave it behind by SO_RCVBUF. For namespaces whose every peer is on this
 * machine: over a network, that limit is one of speed.
 *
 * Return: was it done? Kernels before 4.15 have one limit for all
 */
bool sysctls_shorten(void);

/**
 * sysctls_distrust() - After sysctls_settle(): another program has nsp0, and
 * may not pass for somebody inside
 * @f:  Fault
 *
 * Return: 0 or -errno
 */
int sysctls_distrust(struct fault *f);

/**
 * sysctls_patience() - How long the kernel repeats a SYN
 * @seconds:  The longest a dial may take; 0 for the usual 30
 * @f:        Fault
 *
 * So that connect() ends in ETIMEDOUT by the kernel's own hand, a little after
 * the dial has been given up.
 *
 * Return: 0 or -errno
 */
int sysctls_patience(unsigned int seconds, struct fault *f);

/** sysctls_retries() - tcp_syn_retries that last longer than @seconds (0: 30)
 */
unsigned int sysctls_retries(unsigned int seconds);

/**
 * sysctls_seal() - Nobody changes the sandbox's settings any more
 * @f:  Fault
 *
 * For root's sandboxes: the files belong to root, who keeps the power over
 * files inside. Needs the sandbox's own mount namespace. No new proc can be
 * mounted inside afterwards (the kernel refuses one that would reveal more).
 *
 * Return: 0 or -errno
 */
int sysctls_seal(struct fault *f);

/**
 * sysctls_allow_users() - Let the program do what it may do outside
 * @ping_from:    First and ...
 * @ping_to:      last group that may open ICMP echo sockets
 * @every_port:   Ports below 1024 are for everyone (root has no power over
 *                this namespace, and yet may bind them outside)
 * @f:            Fault
 *
 * Return: 0 or -errno
 */
int sysctls_allow_users(unsigned int ping_from, unsigned int ping_to,
			bool every_port, struct fault *f);
