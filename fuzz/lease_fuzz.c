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
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD 32 /* before the bits of lost places */

/** put() - The input without the long row of bits, which is left to the first
 * byte of the notes */
static bool put(int fd, const uint8_t *data, size_t size)
{
	const size_t head = size < HEAD ? size : HEAD;
	uint8_t bits[LEASE_BOOK_PLACES / 8];

	memset(bits, size > HEAD ? data[HEAD] : 0, sizeof(bits));
	return write(fd, data, head) == (ssize_t)head &&
	       write(fd, bits, sizeof(bits)) == (ssize_t)sizeof(bits) &&
	       write(fd, data + head, size - head) == (ssize_t)(size - head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int fd = memfd_create("book", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct leases l;
	struct addr one;
	struct addr two;

	if (fd < 0 || !put(fd, data, size) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0 ||
	    leases_init(&l, 64) < 0) {
		(void)close(fd);
		return 0;
	}
	(void)leases_remember(&l, fd);
	if (leases_take(&l, "one.example", AF_INET, &one) == 0) {
		leases_hold(&l, &one);
		if (leases_take(&l, "two.example", AF_INET, &two) == 0)
			assert(!addr_equal(&one, &two));
		assert(!strcmp(leases_name(&l, &one), "one.example"));
		leases_drop(&l, &one);
	}
	leases_fini(&l);
	(void)close(fd);
	return 0;
}
