/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"

#include <sys/types.h>

#define ACCOUNT_NAME 64
#define ACCOUNT_HOME 256

/**
 * struct account - a user as /etc/passwd has it
 * @uid, @gid:  Own and first group
 * @name, @home:  Empty when the file does not have the user, or they do not fit
 */
struct account {
	uid_t uid;
	gid_t gid;
	char name[ACCOUNT_NAME];
	char home[ACCOUNT_HOME];
};

/**
 * account_user() - Find a user without asking anybody but /etc/passwd
 * @name:  Name, or a number in decimal
 * @ret:   Result; untouched on failure
 * @f:     Why not
 *
 * No name service and no plug-in of libc's takes part, since root asks. A
 * number that the file does not have is good: @ret->gid is the same number.
 *
 * Return: 0, -ENOENT when there is none, or -errno
 */
int account_user(const char *name, struct account *ret, struct fault *f);

/**
 * account_group() - Find a group without asking anybody but /etc/group
 * @name:  Name, or a number in decimal
 * @ret:   Result; untouched on failure
 * @f:     Why not
 *
 * Return: 0, -ENOENT when there is none, or -errno
 */
int account_group(const char *name, gid_t *ret, struct fault *f);
