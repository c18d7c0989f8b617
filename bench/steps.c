// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * steps.c - count the instructions and system calls of a process
 *
 *   steps PID
 *
 * Steps through user space one instruction at a time until SIGTERM, then says
 * "INSTRUCTIONS CALLS". Slow and exact: it needs no counters of the processor,
 * which virtual machines lack, and a filter of system calls does not mind.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t is_over;

static void over(int sig)
{
	(void)sig;
	is_over = 1;
}

static void die(const char *what)
{
	fprintf(stderr, "steps: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Does the next instruction enter the kernel? */
static bool is_call(pid_t pid)
{
#ifdef __x86_64__
	struct user_regs_struct regs;
	unsigned char code[2];
	struct iovec here = { code, sizeof(code) };
	struct iovec there = { .iov_len = sizeof(code) };

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs))
		return false;
	there.iov_base = (void *)regs.rip;
	return process_vm_readv(pid, &here, 1, &there, 1, 0) == 2 &&
	       code[0] == 0x0f && code[1] == 0x05;
#else
	(void)pid;
	return false;
#endif
}

int main(int argc, char **argv)
{
	const struct sigaction act = { .sa_handler = over };
	long steps = 0, calls = 0;
	pid_t pid;
	int status;

	if (argc != 2)
		return 2;
	pid = (pid_t)atoi(argv[1]);
	sigaction(SIGTERM, &act, NULL);
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) ||
	    ptrace(PTRACE_INTERRUPT, pid, NULL, NULL))
		die("trace");
	puts("go");
	fflush(stdout);
	while (!is_over && waitpid(pid, &status, __WALL) == pid) {
		int sig = 0;

		if (!WIFSTOPPED(status))
			break;
		if (WSTOPSIG(status) != SIGTRAP)
			sig = WSTOPSIG(status);
		steps++;
		calls += is_call(pid);
		if (ptrace(PTRACE_SINGLESTEP, pid, NULL, (long)sig))
			break;
	}
	printf("%ld %ld\n", steps, calls);
	return 0; /* the kernel lets it go on */
}
