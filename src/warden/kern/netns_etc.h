/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * netns_etc.h - /etc/netns/NAME: what ip-netns(8) and others put over /etc
 */
#include "base/fault.h"

#include <stdbool.h>

#define NETNS_ETC_LINKS "/etc/netns"
/** NETNS_ETC_DIR - where the files are; NETNS_ETC_LINKS/NAME is a link there */
#define NETNS_ETC_DIR	"/run/nsproxy/etc"

/**
 * netns_etc_make() - Give a named namespace resolver files of its own
 * @name:        No slash in it
 * @nameserver:  Text of the address for resolv.conf; NULL: no such file
 * @f:           Why not
 *
 * NETNS_ETC_DIR is there. What is at /etc/netns/NAME and not our link is left
 * alone.
 *
 * Return: 0; -EEXIST when it is somebody else's; -EROFS or another -errno
 */
int netns_etc_make(const char *name, const char *nameserver, struct fault *f);

/** netns_etc_remove() - Take files and link away, as far as they are ours */
void netns_etc_remove(const char *name);
