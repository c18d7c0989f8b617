/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * access.h - who may what
 *
 * A user's daemon serves that user and root. Root's serves root and the group
 * ACCESS_GROUP in everything; the owner of a sandbox in what concerns it; and
 * those whom its profile names in entering it.
 */
#include "box/sandbox.h"
#include "daemon/callers.h"

/** ACCESS_GROUP - whose members may do with root's daemon whatever root may */
#define ACCESS_GROUP "nsproxy"

enum right {
	RIGHT_NONE,   /* anybody: it tells nothing */
	RIGHT_ENTER,  /* to enter a sandbox, and to see how it is */
	RIGHT_OWN,    /* to change or end it */
	RIGHT_MANAGE, /* to do anything to all */
};

/**
 * struct access - what decides
 * @is_system:  Root's daemon
 * @group:      ACCESS_GROUP's number; @has_group: there is such a group
 */
struct access {
	bool is_system;
	bool has_group;
	gid_t group;
};

/** access_init() - Look the group up, for root's daemon; no group is no fault
 */
void access_init(struct access *a, bool is_system);

/**
 * access_may() - Has a caller this right?
 * @a:      What decides
 * @c:      Caller
 * @right:  Which
 * @s:      To which sandbox; NULL: to none in particular, and then only those
 *          who may manage have rights
 *
 * Return: whether; whatever could not be found out counts against the caller
 */
bool access_may(const struct access *a, const struct caller *c,
		enum right right, const struct sandbox *s);
