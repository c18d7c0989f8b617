// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * setup_test.c - a sandbox is built, in a child that ends with it
 *
 * Skips where this machine does not let us: `nsproxy check` tells why.
 */
#include "base/fault.h"
#include "box/oneshot.h"
#include "box/setup.h"
#include "bus/plan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct plan plan;

static void count_step(void *ctx, const char *step, const struct fault *f)
{
	int *steps = ctx;

	if (f)
		print_message("%s: %s\n", step, f->text);
	else
		++*steps;
}

static bool can_build(void)
{
	int steps = 0;

	return oneshot_probe(count_step, &steps) == 0;
}

/** in_sandbox() - Build @plan's sandbox in a child and run @fn there */
static void in_sandbox(int (*fn)(struct setup *s))
{
	int status = 0;
	pid_t pid;

	if (!can_build())
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct fault f = { 0 };
		struct setup s;

		setup_init(&s, &plan);
		if (setup_build(&s, &f) < 0) {
			print_message("%s\n", f.text);
			_exit(100);
		}
		_exit(fn(&s));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void probe_reports_every_step(void **state)
{
	int want = 1; /* the guarded program comes after the table */
	int steps = 0;

	(void)state;
	for (const struct setup_step *s = setup_steps; s->name; s++)
		want++;
	if (oneshot_probe(count_step, &steps) < 0)
		skip();
	assert_int_equal(steps, want);
}

static int count_kinds(struct setup *s, enum plan_fd_kind kind)
{
	int count = 0;

	for (unsigned int i = 0; i < s->fd_count; i++)
		count += s->fds[i].kind == kind;
	return count;
}

static int child_has_every_door(struct setup *s)
{
	const int families = s->has_ip6 ? 2 : 1;

	if (count_kinds(s, PLAN_FD_TUN) != 1 ||
	    count_kinds(s, PLAN_FD_MINT) != 1)
		return 1;
	if (count_kinds(s, PLAN_FD_GATE) != families ||
	    count_kinds(s, PLAN_FD_NAMES_UDP) != families ||
	    count_kinds(s, PLAN_FD_NAMES_TCP) != families)
		return 2;
	if (s->has_ip6 && count_kinds(s, PLAN_FD_EXPOSE) != PLAN_EXPOSE / 2)
		return 3;
	return 0;
}

static void setup_has_room_for_every_exposed_address(void **state)
{
	(void)state;
	plan = (struct plan){ .expose_count = PLAN_EXPOSE };
	for (unsigned int i = 0; i < PLAN_EXPOSE; i++) {
		struct addr *a = &plan.expose[i].addr;

		assert_true(addr_parse_ip(i % 2 ? "::1" : "127.0.0.1", a));
		a->port = (uint16_t)(4000 + i);
	}
	in_sandbox(child_has_every_door);
}

static int child_keeps_port_53_free(struct setup *s)
{
	return count_kinds(s, PLAN_FD_NAMES_UDP) +
	       count_kinds(s, PLAN_FD_NAMES_TCP);
}

static void setup_without_names_leaves_port_53(void **state)
{
	(void)state;
	plan = (struct plan){ .names = NAMES_OFF };
	in_sandbox(child_keeps_port_53_free);
}

/** tun_of() - The device, after what the kernel itself may have sent */
static int tun_of(struct setup *s)
{
	for (unsigned int i = 0; i < s->fd_count; i++)
		if (s->fds[i].kind == PLAN_FD_TUN)
			return s->fds[i].fd;
	return -1;
}

/** try_connect() - 0, or the errno; EINPROGRESS when @flags do not block */
static int try_connect(const char *ip, uint16_t port, int flags)
{
	const int fd = socket(AF_INET, SOCK_STREAM | flags, 0);
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};

	if (inet_pton(AF_INET, ip, &to.sin_addr) != 1)
		return EINVAL;
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return 0;
	return errno;
}

static int child_sends_syns_to_tun(struct setup *s)
{
	const int tun = tun_of(s);
	struct pollfd p = { .fd = tun, .events = POLLIN };
	uint8_t packet[2048];
	ssize_t n;

	if (try_connect("192.0.2.1", 80, SOCK_NONBLOCK) != EINPROGRESS)
		return 1;
	if (poll(&p, 1, 2000) != 1)
		return 2;
	n = read(tun, packet, sizeof(packet));
	if (n < 40 || packet[0] >> 4 != 4 || packet[9] != IPPROTO_TCP)
		return 3;
	if (memcmp(packet + 16, "\xc0\x00\x02\x01", 4) != 0)
		return 4;
	/* What is not exposed on loopback stays there and is refused. */
	if (try_connect("127.0.0.1", 81, 0) != ECONNREFUSED)
		return 5;
	if (try_connect("127.0.0.1", s->gate_port, 0) != ECONNREFUSED)
		return 6;
	if (poll(&p, 1, 0) != 0)
		return 7;
	if (try_connect("127.0.0.1", 4444, SOCK_NONBLOCK) != EINPROGRESS)
		return 8;
	return poll(&p, 1, 2000) == 1 ? 0 : 9;
}

static void syns_go_to_the_device_and_loopback_stays(void **state)
{
	(void)state;
	plan = (struct plan){ .expose_count = 1 };
	assert_true(addr_parse_ip("127.0.0.1", &plan.expose[0].addr));
	plan.expose[0].addr.port = 4444;
	in_sandbox(child_sends_syns_to_tun);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probe_reports_every_step),
		cmocka_unit_test(setup_has_room_for_every_exposed_address),
		cmocka_unit_test(setup_without_names_leaves_port_53),
		cmocka_unit_test(syns_go_to_the_device_and_loopback_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
