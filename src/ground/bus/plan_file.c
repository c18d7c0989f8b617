// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * plan_file.c - a plan in sealed memory
 *
 * A plan may hold passwords, so it is never written to a disk.
 */
#include "bus/plan_file.h"

#include "bus/sealed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int plan_file_seal(const struct plan *p, int *ret_fd)
{
	struct plan *copy = malloc(sizeof(*copy));
	int rc;

	if (!copy)
		return -ENOMEM;
	*copy = *p;
	copy->magic = PLAN_MAGIC;
	copy->size = sizeof(*copy);
	rc = sealed_put("nsproxy-plan", copy, sizeof(*copy), ret_fd);
	explicit_bzero(copy, sizeof(*copy));
	free(copy);
	return rc;
}

int plan_file_read(int fd, struct plan *ret)
{
	const int rc = sealed_get(fd, ret, sizeof(*ret));

	if (rc < 0)
		return rc;
	return ret->magic == PLAN_MAGIC && ret->size == sizeof(*ret) ? 0
								     : -EPROTO;
}
