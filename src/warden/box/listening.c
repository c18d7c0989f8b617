// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * listening.c - does somebody listen at an address? The kernel's list tells
 */
#include "box/listening.h"

#include "base/fd.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STATE_LISTEN 0x0a

unsigned int listening_open(int proc, int ret[static LISTENING_TABLES])
{
	static const char *const path[LISTENING_TABLES] = {
		"net/tcp",
		"net/tcp6",
	};
	unsigned int count = 0;

	for (int i = 0; i < LISTENING_TABLES; i++) {
		ret[count] = openat(proc, path[i], O_RDONLY | O_CLOEXEC);
		if (ret[count] >= 0)
			count++;
	}
	return count;
}

/** listening_ip() - "0100007F" or four times as much; words as they lie in
 * memory */
static bool listening_ip(const char *hex, struct addr *ret)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const size_t words = strlen(hex) / 8;
	uint8_t ip[16];

	if ((words != 1 && words != 4) || strlen(hex) % 8 != 0)
		return false;
	for (size_t i = 0; i < words; i++) {
		uint32_t word;

		if (sscanf(hex + i * 8, "%8" SCNx32, &word) != 1)
			return false;
		memcpy(ip + i * 4, &word, sizeof(word));
	}
	if (words == 1)
		*ret = addr_from_ip4(ip, 0);
	else if (memcmp(ip, mapped, sizeof(mapped)) == 0)
		*ret = addr_from_ip4(ip + sizeof(mapped), 0);
	else
		*ret = addr_from_ip6(ip, 0);
	return true;
}

/** listening_line() - One socket; Return: whether it listens */
static bool listening_line(const char *line, struct addr *ret, uid_t *uid)
{
	char hex[33];
	unsigned int port;
	unsigned int state;

	if (sscanf(line, " %*d: %32[0-9A-Fa-f]:%x %*[^ ] %x %*s %*s %*s %u",
		   hex, &port, &state, uid) != 4 ||
	    state != STATE_LISTEN || !listening_ip(hex, ret))
		return false;
	ret->port = (uint16_t)port;
	return true;
}

static bool listening_fits(const struct addr *has, const struct addr *want)
{
	if (has->port != want->port)
		return false;
	/* Those at "::" mostly take IPv4, too. */
	if (addr_is_any(has))
		return has->family == want->family || has->family == AF_INET6;
	return addr_same_host(has, want);
}

bool listening_seen(int table, const struct addr *at, uid_t uid)
{
	const int copy = fcntl(table, F_DUPFD_CLOEXEC, 0);
	FILE *in = copy < 0 || lseek(copy, 0, SEEK_SET) < 0 ? NULL
							    : fdopen(copy, "r");
	bool is_seen = false;
	char line[256];

	if (!in) {
		if (copy >= 0)
			(void)close(copy);
		return false;
	}
	if (!fgets(line, sizeof(line), in)) /* the heading */
		line[0] = '\0';
	/* Those that listen come first. */
	while (!is_seen && fgets(line, sizeof(line), in)) {
		struct addr has;
		uid_t whose;

		if (!listening_line(line, &has, &whose))
			break;
		is_seen = whose == uid && listening_fits(&has, at);
	}
	(void)fclose(in);
	return is_seen;
}
