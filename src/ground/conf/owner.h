/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * owner.h - who may have had a hand in a file
 */
#include "base/fault.h"
#include "conf/problem.h"

#include <sys/stat.h>
#include <sys/types.h>

/**
 * owner_check() - May this file or directory say what we do?
 * @st:     Of the open file
 * @layer:  LAYER_SYSTEM: it must be root's, and nobody else may write it;
 *          LAYER_USER: @uid's, and not everybody may write it; LAYER_NAMED
 *          and LAYER_PRESET: the one or the other
 * @uid:    The user
 * @f:      Why not: a sentence that fits behind "FILE: ", with a hint
 *
 * Return: 0 or -EPERM
 */
int owner_check(const struct stat *st, enum conf_layer layer, uid_t uid,
		struct fault *f);

/**
 * secret_open() - Open a file that holds a secret, if it is private
 * @path:    Begins with '/'
 * @layer, @uid:  As in secret_read()
 * @ret_fd:  Owned by the caller
 * @f:       Why not
 *
 * Return: 0, -EPERM (owner or mode), or -errno
 */
int secret_open(const char *path, enum conf_layer layer, uid_t uid, int *ret_fd,
		struct fault *f);

/**
 * secret_read() - Read a password from its file
 * @path:   Begins with '/'
 * @layer:  Whose it may be, as above; root's may be read by its group, a
 *          user's by nobody else
 * @uid:    The user
 * @ret:    256 bytes: its first line, without the end of line; the caller
 *          wipes it. Empty on failure
 * @f:      Why not; never tells the content
 *
 * Return: 0, -EPERM (owner or mode), -EINVAL (content), or -errno
 */
int secret_read(const char *path, enum conf_layer layer, uid_t uid, char *ret,
		struct fault *f);
