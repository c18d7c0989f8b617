/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * terms.h - what a profile says of a sandbox beside its plan
 *
 * The plan is the worker's, the terms are the daemon's: who may enter, and how
 * those inside are held. The keeper keeps both, so that they outlive a daemon
 * and hold even when the configuration has changed since.
 */
#include "base/fault.h"
#include "box/store.h"
#include "conf/keys.h"
#include "kern/veth.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define TERMS_MAGIC  0x6e737431u
#define TERMS_ACCESS 64 /* of 'users' of one profile */

/** struct terms_access - a user or a group that may enter */
struct terms_access {
	bool is_group;
	uint32_t id;
};

/**
 * struct terms - a flat value, like the plan
 * @profile:  Whose terms they are; a sandbox may have another name
 * @guard:    What holds programs inside
 * @isolate:  Its last proxy sees a random user name
 * @access:   Who may enter beside the owner and those who may do all;
 *            @access_count of them
 * @veth:     Its link to the host
 * @wireguard:  Of what @device is made, as a number; 0: it is the host's
 * @device:   The interface that is moved into it; or empty
 */
struct terms {
	uint32_t magic;
	uint32_t size;
	char profile[STORE_NAME];
	enum guard_word guard;
	bool isolate;
	struct terms_access access[TERMS_ACCESS];
	unsigned int access_count;
	struct veth veth;
	uint64_t wireguard;
	char device[IF_NAMESIZE];
};

/**
 * terms_seal() - Put terms into memory that nobody can change any more
 * @t:       Terms; magic and size are filled in on the way
 * @ret_fd:  Sealed memfd, owned by the caller
 *
 * Return: 0 or -errno
 */
int terms_seal(const struct terms *t, int *ret_fd);

/**
 * terms_read() - Take them out again
 * @fd:   From terms_seal()
 * @ret:  Result; undefined on failure
 *
 * Return: 0; -EPROTO if they are not of this very binary; or -errno
 */
int terms_read(int fd, struct terms *ret);

/**
 * terms_admit() - May somebody enter by these terms?
 * @t:       Terms
 * @uid:     Who
 * @groups:  Of theirs; @count of them
 * @count:   Of @groups
 *
 * Return: whether a user or a group of the list is meant
 */
bool terms_admit(const struct terms *t, uid_t uid, const gid_t *groups,
		 size_t count);
