/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"
#include "box/job.h"
#include "bus/plan.h"
#include "conf/dns.h"

/**
 * dns_job() - The program that answers DNS inside, if one was wished for
 * @p:  Plan, complete but for the aliases that it gets here
 * @w:  What was said
 * @j:  Gets one job more, as the last
 * @f:  Why not
 *
 * Return: 0 or -errno
 */
int dns_job(struct plan *p, const struct dns_wish *w, struct jobs *j,
	    struct fault *f);
