// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * terms.c - what a profile says of a sandbox beside its plan
 */
#include "box/terms.h"

#include "bus/sealed.h"

#include <errno.h>
#include <string.h>

int terms_seal(const struct terms *t, int *ret_fd)
{
	struct terms copy = *t;

	copy.magic = TERMS_MAGIC;
	copy.size = sizeof(copy);
	return sealed_put("nsproxy-terms", &copy, sizeof(copy), ret_fd);
}

/** terms_has_words() - Are all its truths 0 or 1, and its words known? */
static bool terms_has_words(const struct terms *t)
{
	uint8_t octet;

	for (unsigned int i = 0; i < t->access_count; i++) {
		memcpy(&octet, &t->access[i].is_group, 1);
		if (octet > 1)
			return false;
	}
	memcpy(&octet, &t->veth.is_wished, 1);
	if (octet > 1)
		return false;
	memcpy(&octet, &t->isolate, 1);
	return octet <= 1 && t->guard <= GUARD_STRICT;
}

int terms_read(int fd, struct terms *ret)
{
	const int rc = sealed_get(fd, ret, sizeof(*ret));

	if (rc < 0)
		return rc;
	if (ret->magic != TERMS_MAGIC || ret->size != sizeof(*ret) ||
	    !memchr(ret->profile, '\0', sizeof(ret->profile)) ||
	    ret->access_count > TERMS_ACCESS ||
	    ret->veth.port_count > VETH_PORTS ||
	    !memchr(ret->device, '\0', sizeof(ret->device)) ||
	    !memchr(ret->veth.link, '\0', sizeof(ret->veth.link)) ||
	    !terms_has_words(ret))
		return -EPROTO;
	return 0;
}

bool terms_admit(const struct terms *t, uid_t uid, const gid_t *groups,
		 size_t count)
{
	for (unsigned int i = 0; i < t->access_count; i++) {
		const struct terms_access *a = &t->access[i];

		if (!a->is_group && a->id == uid)
			return true;
		for (size_t g = 0; a->is_group && g < count; g++)
			if (groups[g] == a->id)
				return true;
	}
	return false;
}
