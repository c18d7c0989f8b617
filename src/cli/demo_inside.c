// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * demo_inside.c - try what must not work, from within the sandbox
 *
 * The addresses are those for documentation (RFC 5737): nobody has them, so
 * that nothing would come of a leak either; what counts is how the attempt
 * ends.
 */
#include "demo_inside.h"

#include "base/addr.h"
#include "base/bytes.h"
#include "base/fd.h"
#include "demo_world.h"

#include <errno.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FAR_IP	    "203.0.113.1"
#define FAR_PORT    443
#define SERVER_IP   "9.9.9.9"
#define PATIENCE_MS 2000

static void inside_say(bool as_it_should, const char *tried,
		       const char *outcome)
{
	(void)printf("%d%s\t%s\n", as_it_should, tried, outcome);
}

/** inside_socket() - Connected datagram socket, or -errno */
static int inside_socket(int protocol, const char *ip, uint16_t port)
{
	auto_fd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, protocol);
	struct sockaddr_storage ss;
	struct addr a;
	socklen_t len;

	if (fd < 0)
		return -errno;
	(void)addr_parse_ip(ip, &a); /* ours: cannot fail */
	a.port = port;
	len = addr_to_sock(&a, &ss);
	if (connect(fd, (struct sockaddr *)&ss, len) < 0)
		return -errno;
	return fd_take(&fd);
}

/** inside_ask() - Send, then wait. Return: bytes, -ETIMEDOUT, -errno */
static ssize_t inside_ask(int fd, const void *msg, size_t len, void *answer,
			  size_t room)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	if (send(fd, msg, len, 0) < 0)
		return -errno;
	if (poll(&p, 1, PATIENCE_MS) <= 0)
		return -ETIMEDOUT;
	n = recv(fd, answer, room, 0);
	return n < 0 ? -errno : n;
}

static void inside_udp(void)
{
	const char *tried = "UDP to " FAR_IP ":443";
	auto_fd fd = inside_socket(0, FAR_IP, FAR_PORT);
	char answer[64];
	char said[128];
	ssize_t n = fd;

	if (fd >= 0)
		n = inside_ask(fd, "hello", 5, answer, sizeof(answer));
	if (n >= 0)
		inside_say(false, tried, "an answer came");
	else if (n == -ETIMEDOUT)
		inside_say(false, tried, "swallowed without a word");
	else {
		(void)snprintf(said, sizeof(said),
			       "refused at once: %s (this way out has no UDP)",
			       strerror((int)-n));
		inside_say(true, tried, said);
	}
}

static void inside_icmp(void)
{
	const char *tried = "ICMP echo to " FAR_IP;
	const struct icmphdr echo = { .type = ICMP_ECHO };
	auto_fd fd = inside_socket(IPPROTO_ICMP, FAR_IP, 0);
	char answer[256];
	char said[128];
	ssize_t n = fd;

	if (fd >= 0)
		n = inside_ask(fd, &echo, sizeof(echo), answer, sizeof(answer));
	if (n >= 0) {
		inside_say(false, tried, "an answer came");
		return;
	}
	(void)snprintf(said, sizeof(said), "refused%s: %s",
		       fd < 0 ? " when it asked for a socket" : "",
		       strerror((int)-n));
	inside_say(true, tried, n == -ETIMEDOUT ? "nothing came back" : said);
}

/** inside_read_answer() - The first A record of an answer (RFC 1035, 4) */
static bool inside_read_answer(struct rd r, struct addr *ret)
{
	const uint8_t *ip;
	uint16_t answers;

	rd_skip(&r, 6);
	answers = rd_be16(&r);
	rd_skip(&r, 4);
	rd_skip(&r, strlen(DEMO_NAME) + 2 + 4); /* our question */
	rd_skip(&r, 2 + 2 + 2 + 4 + 2);		/* name pointer ... length */
	ip = rd_bytes(&r, 4);
	if (!ip || answers == 0)
		return false;
	*ret = addr_from_ip4(ip, 0);
	return true;
}

static void inside_dns(void)
{
	static const char query[] = "\x12\x34\x01\0\0\1\0\0\0\0\0\0"
				    "\4demo\4test\0\0\1\0\1";
	const char *tried = "DNS asked of " SERVER_IP;
	auto_fd fd = inside_socket(0, SERVER_IP, 53);
	char answer[512];
	char said[160];
	char ip[ADDR_TEXT];
	struct addr a;
	ssize_t n = fd;

	if (fd >= 0)
		n = inside_ask(fd, query, sizeof(query) - 1, answer,
			       sizeof(answer));
	if (n < 0) {
		inside_say(false, tried, strerror((int)-n));
		return;
	}
	if (!inside_read_answer(rd_of(answer, (size_t)n), &a)) {
		inside_say(false, tried, "an answer without an address");
		return;
	}
	(void)snprintf(said, sizeof(said),
		       "answered by the sandbox itself: " DEMO_NAME
		       " is %s in here",
		       addr_ip_text(&a, ip));
	inside_say(a.ip[0] == 198 && (a.ip[1] & 0xfe) == 18, tried, said);
}

int demo_inside(void)
{
	inside_udp();
	inside_icmp();
	inside_dns();
	return 0;
}
