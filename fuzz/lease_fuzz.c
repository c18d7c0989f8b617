// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * lease_fuzz.c - a book of leases that a stranger has written
 *
 * Whatever it says, the next worker starts, lends, and no two names have one
 * address.
 */
#include "names/lease.h"

#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int fd = memfd_create("book", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct leases l;
	struct addr one;
	struct addr two;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0 ||
	    leases_init(&l, 64) < 0) {
		(void)close(fd);
		return 0;
	}
	(void)leases_remember(&l, fd);
	if (leases_take(&l, "one.example", AF_INET, &one) == 0 &&
	    leases_take(&l, "two.example", AF_INET, &two) == 0) {
		assert(!addr_equal(&one, &two));
		assert(!strcmp(leases_name(&l, &one), "one.example"));
	}
	leases_fini(&l);
	(void)close(fd);
	return 0;
}
