/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What is covered by something of ours, in the order it must be. */
enum resolver_cover {
	COVER_NSCD,
	COVER_VAR_NSCD,
	COVER_AVAHI,
	COVER_VAR_AVAHI,
	COVER_RESOLVED,
	COVER_NSSWITCH,
	COVER_RESOLV, /* after COVER_RESOLVED, into which it may be a link */
	COVERS
};

/* What covers them, on our private tmpfs. */
enum resolver_source {
	SOURCE_EMPTY,	 /* directory without anything */
	SOURCE_RESOLVED, /* directory with the files of systemd-resolved */
	SOURCE_NSSWITCH,
	SOURCE_RESOLV,
	SOURCES
};

/**
 * struct resolver - the resolver's files in the sandbox's mount namespace
 * @dev:      Device of our private tmpfs: what lies on it is ours
 * @spare:    A detached mount of each source; -1 when there is none
 * @mounts:   Our mount table: POLLPRI when it changed
 * @changes:  inotify: readable when a place may have appeared; -1 if refused
 */
struct resolver {
	dev_t dev;
	int spare[SOURCES];
	int mounts;
	int changes;
};

/**
 * resolver_open() - Cover the resolver's files and side doors
 * @r:           Result; resolver_close() takes half-built ones
 * @nameserver:  Text of the address for resolv.conf, or of several with blanks
 *               between them; NULL leaves that file as the host has it
 * @f:           Fault
 *
 * Needs a mount namespace of our own whose mounts do not propagate. Nothing is
 * written to any file of the host.
 *
 * Return: 0 or -errno
 */
int resolver_open(struct resolver *r, const char *nameserver, struct fault *f);

/**
 * resolver_keep() - Cover again what the host has uncovered or made since
 *
 * To be called when @r->mounts or @r->changes has something to tell. When the
 * host renames a new file over one that we cover, the kernel takes our mount
 * away.
 */
void resolver_keep(struct resolver *r);

/**
 * resolver_write() - Only the files, for who binds them by himself
 * @dir:         Where; an empty directory
 * @nameserver:  Text of the address for resolv.conf; NULL: no such file
 * @f:           Fault
 *
 * Return: 0 or -errno
 */
int resolver_write(int dir, const char *nameserver, struct fault *f);

/** resolver_close() - Close the fds; the mounts stay with their namespace */
void resolver_close(struct resolver *r);

/**
 * resolver_nsswitch() - nsswitch.conf with names asked from files and DNS only
 * @text:  The host's, NUL-terminated
 * @ret:   Room for the new one
 * @size:  Of @ret
 *
 * Each `hosts:` line is replaced, all others are kept.
 *
 * Return: whether it fitted
 */
bool resolver_nsswitch(const char *text, char *ret, size_t size);
