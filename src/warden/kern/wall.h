/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * wall.h - what may come from a link to a sandbox to this host
 */
#include "base/fault.h"
#include "kern/veth.h"

/** WALL_TABLE - its nf_tables table, of family inet */
#define WALL_TABLE	"nsproxy"
/** WALL_PATIENCE_S - without wall_wake() for so long, nothing passes */
#define WALL_PATIENCE_S 10

/**
 * wall_make() - Make the table, if it is not there
 * @f:  Names what the kernel refused
 *
 * From then on nothing comes from any link called VETH_PREFIX..., nothing is
 * forwarded from or to one, and nothing goes there, but for wall_let().
 *
 * Return: 0 or -errno
 */
int wall_make(struct fault *f);

/**
 * wall_let() - Let pass what one link may send, while somebody is awake
 * @v:  The link; what was said of its name before is forgotten
 * @f:  Names what the kernel refused
 *
 * After wall_make().
 *
 * Return: 0; -ENOENT when the table is gone; or -errno
 */
int wall_let(const struct veth *v, struct fault *f);

/** wall_shut() - Let nothing of a link pass any more; also for one that is not
 * there */
void wall_shut(const char *link);

/**
 * wall_wake() - Let pass for WALL_PATIENCE_S from now on
 * @f:  Why not: -ENOENT when somebody has removed the table
 *
 * Return: 0 or -errno
 */
int wall_wake(struct fault *f);

/** wall_sleep() - Let nothing pass from now on */
void wall_sleep(void);

/**
 * wall_listen() - Hear when somebody removes a table
 * @ret_fd:  Non-blocking, readable when packet rules change; the caller's
 * @f:       Why not
 *
 * Return: 0 or -errno
 */
int wall_listen(int *ret_fd, struct fault *f);

/** wall_heard() - Was a table removed, or too much told? Empties @fd */
bool wall_heard(int fd);

/** wall_remove() - Remove the table; Return: 0, -ENOENT if there is none, or
 * -errno */
int wall_remove(void);
