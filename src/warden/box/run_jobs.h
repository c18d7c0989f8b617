/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * run_jobs.h - what runs inside beside the command of a one-shot
 */
#include "base/fault.h"

#include <sys/types.h>

struct run;

/** RUN_NAMESPACES - what the keeper gives for them: network, mounts, user */
#define RUN_NAMESPACES 3

/** run_jobs_open() - In the keeper: these namespaces' fds; Return: 0 or -errno
 */
int run_jobs_open(int ret[static RUN_NAMESPACES], struct fault *f);

/**
 * run_jobs_begin() - Start a minder, and wait until all jobs are ready
 * @r:   Its keeper stands, its worker works
 * @ns:  From run_jobs_open(); taken
 * @f:   Why not, in the minder's words
 *
 * Return: 0 or -errno; nothing runs then
 */
int run_jobs_begin(struct run *r, int ns[static RUN_NAMESPACES],
		   struct fault *f);

/** run_jobs_died() - The minder did: another is started in a while */
void run_jobs_died(struct run *r);

/** run_jobs_again() - Start it */
void run_jobs_again(struct run *r);

/** run_jobs_end() - End minder and jobs at once, if there are any */
void run_jobs_end(struct run *r);
