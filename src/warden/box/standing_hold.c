// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * standing_hold.c - what a keeper is given, and what it makes to be kept
 */
#include "box/standing_own.h"

#include "base/fd.h"
#include "bus/plan_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Bytes for leases: all that can be lent at a time, with names of 40. Pages are
 * taken as they are written. */
#define STANDING_LEASES (6 * 1024 * 1024)

/** standing_take() - The builder's wish: name, listener, plan, doors */
int standing_take(struct standing *s, int chan, struct fault *f)
{
	int fds[STORE_FDS];
	unsigned int count = 0;
	int rc = store_recv(chan, &s->word, fds, &count);

	if (rc < 0)
		return fault(f, rc, "hear what to keep");
	if (s->word.kind != STORE_BUILD ||
	    count != STORE_TASK_TAGS + s->word.tag_count + s->word.is_attached +
			     (s->word.leader > 0))
		return fault_plain(f, -EPROTO, "the builder made no sense");
	s->listener = fds[STORE_TASK_LISTENER];
	s->own[STORE_FD_PLAN] = fds[STORE_TASK_PLAN];
	s->own[STORE_FD_TERMS] = fds[STORE_TASK_TERMS];
	s->own[STORE_FD_JOBS] = fds[STORE_TASK_JOBS];
	s->own[STORE_FD_BOARD] = fds[STORE_TASK_BOARD];
	for (unsigned int i = 0; i < s->word.tag_count; i++)
		s->tag_fd[i] = fds[STORE_TASK_TAGS + i];
	if (s->word.leader > 0)
		s->own[STORE_FD_LEADER] = fds[--count];
	if (s->word.is_attached)
		s->foreign = fds[--count];
	rc = terms_read(fds[STORE_TASK_TERMS], &s->terms);
	if (rc == 0)
		rc = plan_file_read(fds[STORE_TASK_PLAN], s->plan);
	return rc < 0 ? fault(f, rc, "read the plan") : 0;
}

static int standing_open_ns(int *ret, const char *path, struct fault *f)
{
	*ret = open(path, O_RDONLY | O_CLOEXEC);
	return *ret < 0 ? fault(f, -errno, "open %s", path) : 0;
}

/** standing_hold() - Put what was built where it can be given from */
int standing_hold(struct standing *s, struct fault *f)
{
	struct store_word *w = &s->word;
	struct stat st;
	int rc =
		standing_open_ns(&s->own[STORE_FD_NET], "/proc/self/ns/net", f);

	if (rc == 0)
		rc = standing_open_ns(&s->own[STORE_FD_MNT],
				      "/proc/self/ns/mnt", f);
	if (rc == 0)
		rc = standing_open_ns(&s->own[STORE_FD_PID],
				      "/proc/self/ns/pid", f);
	if (rc == 0)
		rc = standing_open_ns(&s->own[STORE_FD_USER],
				      "/proc/self/ns/user", f);
	if (rc < 0)
		return rc;
	s->own[STORE_FD_KEEPER] = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (s->own[STORE_FD_KEEPER] < 0 || fstat(s->own[STORE_FD_NET], &st) < 0)
		return fault(f, -errno, "name what was built");
	if (w->tag_count + s->setup.fd_count > PLAN_FDS)
		return fault_plain(f, -E2BIG, "too many listeners");
	for (unsigned int i = 0; i < s->setup.fd_count; i++) {
		w->tag[w->tag_count] = s->setup.fds[i];
		s->tag_fd[w->tag_count++] = s->setup.fds[i].fd;
	}
	s->setup.fd_count = 0; /* they are the store's now */
	w->kind = STORE_GIVEN;
	w->keeper = s->setup.pid;
	w->is_root = s->setup.is_root;
	w->netns = st.st_ino;
	w->since_s = time(NULL);
	return 0;
}

/**
 * standing_log() - A pipe for lines, a message each: workers write, and we; the
 * daemon reads, and while there is none they wait
 *
 * Nobody who writes is ever held up: what does not fit the socket's buffer is
 * lost. Not SOCK_DGRAM, which a worker gone bad could connect(2) elsewhere. The
 * kernel notes when each line was said.
 */
int standing_log(struct standing *s, struct fault *f)
{
	struct store_word *w = &s->word;
	const int type = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;
	const int on = 1;
	int pair[2];

	if (w->tag_count == PLAN_FDS)
		return fault_plain(f, -E2BIG, "too many listeners");
	if (socketpair(AF_UNIX, type, 0, pair) < 0)
		return fault(f, -errno, "make a socket for the log");
	s->own[STORE_FD_LOG] = pair[0];
	w->tag[w->tag_count] = (struct plan_fd){ .kind = PLAN_FD_LOG };
	s->tag_fd[w->tag_count++] = pair[1];
	if (setsockopt(pair[0], SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) <
	    0)
		return fault(f, -errno, "make a socket for the log");
	return 0;
}

/** standing_leases() - Memory in which workers note what they lend to names */
int standing_leases(struct standing *s, struct fault *f)
{
	struct store_word *w = &s->word;
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	auto_fd fd =
		memfd_create("nsproxy-leases", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (w->tag_count == PLAN_FDS)
		return fault_plain(f, -E2BIG, "too many listeners");
	if (fd < 0 || ftruncate(fd, STANDING_LEASES) < 0 ||
	    fcntl(fd, F_ADD_SEALS, seals) < 0)
		return fault(f, -errno, "make memory for leases");
	w->tag[w->tag_count] = (struct plan_fd){ .kind = PLAN_FD_LEASES };
	s->tag_fd[w->tag_count++] = fd_take(&fd);
	return 0;
}
