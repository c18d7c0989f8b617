/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * only.h - which names may leave a sandbox; pure
 */
#include "bus/plan.h"

/**
 * only_allows() - May this name leave?
 * @p:     Plan
 * @name:  In any case of letters, with or without a last dot
 *
 * Labels are compared whole: "*.i2p" and "i2p" do not allow "evil-i2p", and
 * "*.i2p" does not allow "i2p".
 *
 * Return: whether it may; always when the plan says nothing about names
 */
bool only_allows(const struct plan *p, const char *name);

/** only_is_set() - Does the plan restrict names? Addresses may not leave
 * then */
static inline bool only_is_set(const struct plan *p)
{
	return p->only_count > 0;
}
