// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * hostfile_fuzz.c - any octets as a file that the host has
 *
 * nsswitch.conf keeps its lines but for that about hosts; resolv.conf gives
 * addresses, at most so many; a table of sockets is read to its end.
 */
#include "block.h"

#include "box/listening.h"
#include "conf/dns.h"
#include "kern/resolver.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void try_nsswitch(const char *text)
{
	const size_t room = 20 * strlen(text) + 64;
	char *ours = malloc(room);
	const char *at;

	assert(ours && resolver_nsswitch(text, ours, room));
	for (at = ours; at && *at; at = strchr(at, '\n')) {
		at += *at == '\n';
		at += strspn(at, " \t");
		if (!strncmp(at, "hosts:", 6))
			assert(!strncmp(at, "hosts: files dns\n", 17));
	}
	free(ours);
	/* The same with too little room. */
	if (text[0]) {
		char small[16];

		if (resolver_nsswitch(text, small, sizeof(small)))
			assert(strlen(small) < sizeof(small));
	}
}

static void try_resolv(const char *text)
{
	struct dns_wish w = { 0 };
	const unsigned int count = dns_read_hosts(text, &w);

	assert(count <= PLAN_SERVERS && w.server_count == count);
	for (unsigned int i = 0; i < count; i++)
		assert(w.server[i].addr.family == AF_INET ||
		       w.server[i].addr.family == AF_INET6);
}

static void try_sockets(const char *text, size_t len)
{
	const struct addr at = addr_from_ip4("\x7f\0\0\x01", 80);
	const int fd = memfd_create("table", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, text, len) == (ssize_t)len)
		(void)listening_seen(fd, &at, 1000);
	(void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = text_of(data, len);

	try_nsswitch(text);
	try_resolv(text);
	try_sockets(text, len);
	free(text);
	return 0;
}
