// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * descend.c - count what a command has left behind
 */
#include "box/descend.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define DESCEND_MAX 4096

/** struct family - processes found so far; those from @next on are not asked */
struct family {
	pid_t pid[DESCEND_MAX];
	unsigned int count;
	unsigned int next;
};

/** descend_is_dead() - Zombies are only waiting to be forgotten */
static bool descend_is_dead(pid_t pid)
{
	char path[64];
	char line[512];
	const char *state = NULL;
	FILE *in;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	in = fopen(path, "re");
	if (!in)
		return true;
	if (fgets(line, sizeof(line), in))
		state = strrchr(line, ')'); /* the name may hold anything */
	(void)fclose(in);
	return !state || strncmp(state, ") Z", 3) == 0 ||
	       strncmp(state, ") X", 3) == 0;
}

/** descend_ask_thread() - Add the children of one thread */
static void descend_ask_thread(struct family *all, pid_t pid, const char *tid)
{
	char path[320];
	FILE *in;
	int child;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%s/children", pid,
		       tid);
	in = fopen(path, "re");
	if (!in)
		return;
	while (all->count < DESCEND_MAX && fscanf(in, "%d", &child) == 1)
		all->pid[all->count++] = child;
	(void)fclose(in);
}

static void descend_ask(struct family *all, pid_t pid)
{
	char path[32];
	const struct dirent *e;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return;
	while ((e = readdir(dir)))
		if (e->d_name[0] != '.')
			descend_ask_thread(all, pid, e->d_name);
	(void)closedir(dir);
}

unsigned int descend_count(void)
{
	struct family *all = calloc(1, sizeof(*all));
	unsigned int alive = 0;

	if (!all)
		return 1;
	descend_ask(all, getpid());
	if (all->count == 0)
		alive = 1; /* not told: there is one, or we were not asked */
	while (all->next < all->count) {
		const pid_t pid = all->pid[all->next++];

		if (!descend_is_dead(pid))
			alive++;
		descend_ask(all, pid);
	}
	free(all);
	return alive;
}
