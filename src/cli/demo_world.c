// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * demo_world.c - a little internet that only one proxy can reach
 *
 * One child: it leaves the host's network for an empty one of its own, starts
 * the page there and becomes `nsproxy serve` with a listener it was given.
 */
#include "demo_world.h"

#include "base/addr.h"
#include "base/fd.h"
#include "base/text.h"
#include "settle.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE_IP	      "127.0.0.80"
#define WORLD_START_S 10
#define WORLD_STOP_MS 3000
#define WORLD_UID     1000 /* what root is called inside: an ordinary user */

/** world_map_ids() - We keep our own ids, except root */
static int world_map_ids(uid_t uid, gid_t gid, struct fault *f)
{
	char map[64];
	int rc;

	rc = fd_write_file("/proc/self/setgroups", "deny");
	(void)snprintf(map, sizeof(map), "%u %u 1\n", uid ? uid : WORLD_UID,
		       uid);
	if (rc == 0)
		rc = fd_write_file("/proc/self/uid_map", map);
	(void)snprintf(map, sizeof(map), "%u %u 1\n", gid ? gid : WORLD_UID,
		       gid);
	if (rc == 0)
		rc = fd_write_file("/proc/self/gid_map", map);
	return rc < 0 ? fault(f, rc, "map ids into the demo's namespace") : 0;
}

static int world_loopback_up(struct fault *f)
{
	auto_fd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &r) < 0)
		return fault(f, -errno, "bring up the demo's loopback");
	return 0;
}

/** world_put_file() - Lay @text over an existing file, by way of a tmpfs */
static int world_put_file(const char *path, const char *text)
{
	const char *made = "/tmp/nsproxy-demo";
	auto_fd fd = -1;
	int rc;

	if (access(path, F_OK) < 0)
		return -errno;
	fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	rc = fd_write_all(fd, text, strlen(text));
	if (rc == 0 && mount(made, path, NULL, MS_BIND, NULL) < 0)
		rc = -errno;
	(void)unlink(made); /* what is mounted stays */
	return rc;
}

/** world_names() - Only in here has demo.test an address */
static int world_names(struct fault *f)
{
	int rc;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, NULL) < 0)
		return fault(f, -errno, "mount the demo's own files");
	rc = world_put_file("/etc/hosts",
			    "127.0.0.1 localhost\n" PAGE_IP " " DEMO_NAME "\n");
	if (rc < 0)
		return fault(f, rc, "lay the demo's names over /etc/hosts");
	/* Not every host has these; then nothing is in the way either. */
	(void)world_put_file("/etc/nsswitch.conf", "hosts: files\n");
	(void)mount("none", "/run/nscd", "tmpfs", MS_NOSUID | MS_NODEV, NULL);
	(void)umount2("/tmp", MNT_DETACH);
	return 0;
}

/** world_page() - Answer every request with the one page, for ever */
static void world_page(int listener)
{
	static const char page[] = "HTTP/1.1 200 OK\r\n"
				   "Content-Type: text/plain\r\n"
				   "Connection: close\r\n\r\n" DEMO_PAGE "\n";
	char request[4096];

	for (;;) {
		auto_fd fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			continue;
		if (recv(fd, request, sizeof(request), 0) > 0)
			(void)send(fd, page, sizeof(page) - 1, MSG_NOSIGNAL);
		(void)shutdown(fd, SHUT_WR);
	}
}

static int world_start_page(struct fault *f)
{
	auto_fd fd = -1;
	struct addr a;
	pid_t pid;
	int rc;

	(void)addr_parse_ip(PAGE_IP, &a); /* cannot fail */
	a.port = 80;
	rc = settle_listen(&a, &fd, f);
	if (rc < 0)
		return rc;
	(void)fcntl(fd, F_SETFL, 0); /* blocking */
	pid = fork();
	if (pid < 0)
		return fault(f, -errno, "start the demo's page");
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		(void)dup2(fd, STDIN_FILENO);
		(void)close_range(STDERR_FILENO + 1, ~0u, 0);
		(void)close(STDOUT_FILENO);
		world_page(STDIN_FILENO);
	}
	return 0;
}

/** world_build() - In the child, up to the point where it becomes a proxy */
static int world_build(struct fault *f)
{
	const uid_t uid = getuid();
	const gid_t gid = getgid();
	int rc;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) < 0) {
		(void)fault(f, -errno, "make the demo's own network");
		return fault_hint(f, "nsproxy check tells what is missing");
	}
	rc = world_map_ids(uid, gid, f);
	if (rc == 0)
		rc = world_loopback_up(f);
	if (rc == 0)
		rc = world_names(f);
	if (rc == 0)
		rc = world_start_page(f);
	return rc;
}

/** world_child() - Never returns; a fault goes into @word */
static void world_child(int self_fd, int listener, int out, int word,
			pid_t parent)
{
	char number[16];
	const char *const argv[] = { "nsproxy",	    "serve", "--quiet",
				     "--listen-fd", number,  NULL };
	struct fault f = { 0 };

	if (world_build(&f) == 0) {
		/* Here, since entering a user namespace takes it back. */
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
		if (getppid() != parent)
			_exit(1);
		(void)snprintf(number, sizeof(number), "%d", listener);
		(void)fcntl(listener, F_SETFD, 0);
		(void)dup2(out, STDOUT_FILENO);
		(void)fexecve(self_fd, (char *const *)(uintptr_t)argv, environ);
		(void)fault(&f, -errno, "start the demo's proxy");
	}
	(void)fd_write_all(word, &f, sizeof(f)); /* the exit tells it, too */
	_exit(1);
}

/** world_wait_ready() - The proxy prints a line when it is ready */
static int world_wait_ready(int word, int out, struct fault *f)
{
	struct pollfd p = { .fd = out, .events = POLLIN };
	struct fault sent = { 0 };
	char line[128];

	if (read(word, &sent, sizeof(sent)) == (ssize_t)sizeof(sent)) {
		if (f)
			*f = sent;
		return sent.code < 0 ? sent.code : -EIO;
	}
	if (poll(&p, 1, WORLD_START_S * 1000) <= 0)
		return fault_plain(f, -ETIMEDOUT,
				   "the demo's proxy was not ready in %d s",
				   WORLD_START_S);
	if (read(out, line, sizeof(line)) <= 0)
		return fault_plain(f, -ECHILD, "the demo's proxy has ended");
	return 0;
}

static int world_port(int listener, uint16_t *ret, struct fault *f)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	struct addr a;

	if (getsockname(listener, (struct sockaddr *)&ss, &len) < 0)
		return fault(f, -errno, "read the demo's port");
	addr_from_sock(&a, &ss);
	*ret = a.port;
	return 0;
}

int demo_world_start(int self_fd, struct demo_world *ret, struct fault *f)
{
	const pid_t parent = getpid();
	auto_fd listener = -1;
	auto_fd out_r = -1, out_w = -1;
	auto_fd word_r = -1, word_w = -1;
	struct demo_world w = { 0 };
	struct addr a;
	int out[2], word[2];
	int rc;

	(void)addr_parse_ip("127.0.0.1", &a); /* cannot fail; port 0 is any */
	rc = settle_listen(&a, &listener, f);
	if (rc == 0)
		rc = world_port(listener, &w.port, f);
	if (rc < 0)
		return rc;
	if (pipe2(out, O_CLOEXEC) < 0)
		return fault(f, -errno, "make a pipe");
	out_r = out[0];
	out_w = out[1];
	if (pipe2(word, O_CLOEXEC) < 0)
		return fault(f, -errno, "make a pipe");
	word_r = word[0];
	word_w = word[1];
	w.pid = fork();
	if (w.pid < 0)
		return fault(f, -errno, "start the demo's world");
	if (w.pid == 0)
		world_child(self_fd, listener, out_w, word_w, parent);
	fd_close(&out_w);
	fd_close(&word_w);
	rc = world_wait_ready(word_r, out_r, f);
	if (rc < 0)
		demo_world_stop(&w);
	else
		*ret = w;
	return rc;
}

void demo_world_stop(struct demo_world *w)
{
	const int sig[] = { SIGTERM, SIGKILL };

	for (size_t i = 0; i < sizeof(sig) / sizeof(sig[0]); i++) {
		(void)kill(w->pid, sig[i]);
		for (int ms = 0; ms < WORLD_STOP_MS; ms += 10) {
			if (waitpid(w->pid, NULL, WNOHANG) != 0)
				return;
			(void)poll(NULL, 0, 10);
		}
	}
}
