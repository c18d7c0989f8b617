// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * sealed.c - values in sealed memory
 */
#include "bus/sealed.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int sealed_put(const char *name, const void *data, size_t size, int *ret_fd)
{
	auto_fd fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int rc;

	if (fd < 0)
		return -errno;
	rc = fd_write_all(fd, data, size);
	if (rc == 0 && fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		rc = -errno;
	if (rc < 0)
		return rc;
	*ret_fd = fd_take(&fd);
	return 0;
}

int sealed_get(int fd, void *data, size_t size)
{
	const int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0 || (seals & SEALS) != SEALS)
		return -EPROTO;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size != (off_t)size || pread(fd, data, size, 0) != st.st_size)
		return -EPROTO;
	return 0;
}
