// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * steps.c - count the instructions and system calls of processes
 *
 *   steps PID... (x86-64; elsewhere system calls are not told)
 *
 * Steps through user space one instruction at a time until SIGTERM or their
 * end, then says "INSTRUCTIONS CALLS" of all together. Slow and exact: it needs
 * no counters of the processor, which virtual machines lack, and a filter of
 * system calls does not mind.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
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

/* Was it a system call? That instruction leaves its successor's place in rcx.
 */
static bool was_call(pid_t pid)
{
#ifdef __x86_64__
	struct user_regs_struct regs;

	return !ptrace(PTRACE_GETREGS, pid, NULL, &regs) &&
	       regs.rcx == regs.rip;
#else
	(void)pid;
	return false;
#endif
}

/* Each step is two switches: cheapest on one processor. */
static void pin(pid_t pid)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	(void)sched_setaffinity(0, sizeof(set), &set); /* only slower without */
	(void)sched_setaffinity(pid, sizeof(set), &set);
}

static void seize(pid_t pid)
{
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) ||
	    ptrace(PTRACE_INTERRUPT, pid, NULL, NULL))
		die("trace");
	pin(pid);
}

int main(int argc, char **argv)
{
	const struct sigaction act = { .sa_handler = over };
	long steps = 0, calls = 0;
	pid_t pid;
	int status;

	if (argc < 2)
		return 2;
	sigaction(SIGTERM, &act, NULL);
	for (int i = 1; i < argc; i++)
		seize((pid_t)atoi(argv[i]));
	puts("go");
	fflush(stdout);
	while (!is_over && (pid = waitpid(-1, &status, __WALL)) > 0) {
		int sig = 0;

		if (!WIFSTOPPED(status))
			continue; /* the others go on */
		if (WSTOPSIG(status) != SIGTRAP)
			sig = WSTOPSIG(status);
		steps++;
		calls += was_call(pid);
		(void)ptrace(PTRACE_SINGLESTEP, pid, NULL, (long)sig);
	}
	printf("%ld %ld\n", steps, calls);
	return 0; /* the kernel lets them go on */
}
