/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * only.h - names that may leave, as people write them
 */
#include "base/fault.h"
#include "bus/plan.h"

/**
 * only_parse() - Read one pattern
 * @text:  "i2p" for a domain and what is below it, "*.i2p" for what is below
 *         it; in any case of letters, a last dot is fine
 * @ret:   Result; untouched on failure
 * @f:     Why not; may be NULL
 *
 * Return: 0 or -EINVAL
 */
int only_parse(const char *text, struct plan_only *ret, struct fault *f);

/**
 * only_add() - Add one pattern to a plan
 * @p:     Plan
 * @text:  As above
 * @f:     Why not
 *
 * Return: 0, -EINVAL, or -E2BIG with more than PLAN_ONLY in all
 */
int only_add(struct plan *p, const char *text, struct fault *f);
