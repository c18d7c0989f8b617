// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * plan_file.c - a plan in sealed memory
 *
 * A plan may hold passwords, so it is never written to a disk.
 */
#include "bus/plan_file.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLAN_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int plan_file_seal(const struct plan *p, int *ret_fd)
{
	auto_fd fd =
		memfd_create("nsproxy-plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct plan *copy = malloc(sizeof(*copy));
	int rc;

	if (fd < 0 || !copy) {
		rc = fd < 0 ? -errno : -ENOMEM;
		free(copy);
		return rc;
	}
	*copy = *p;
	copy->magic = PLAN_MAGIC;
	copy->size = sizeof(*copy);
	rc = fd_write_all(fd, copy, sizeof(*copy));
	explicit_bzero(copy, sizeof(*copy));
	free(copy);
	if (rc == 0 && fcntl(fd, F_ADD_SEALS, PLAN_SEALS) < 0)
		rc = -errno;
	if (rc < 0)
		return rc;
	*ret_fd = fd_take(&fd);
	return 0;
}

int plan_file_read(int fd, struct plan *ret)
{
	const int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0 || (seals & PLAN_SEALS) != PLAN_SEALS)
		return -EPROTO;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size != (off_t)sizeof(*ret) ||
	    pread(fd, ret, sizeof(*ret), 0) != (ssize_t)sizeof(*ret) ||
	    ret->magic != PLAN_MAGIC || ret->size != sizeof(*ret))
		return -EPROTO;
	return 0;
}
