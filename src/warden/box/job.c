// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * job.c - a program that a minder runs: which, as whom, and where
 */
#include "box/job.h"

#include "bus/sealed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define GAP_MS	    100
#define GAP_MAX_MS  10000
#define GAP_WELL_MS 10000 /* whoever ran so long begins anew */

const struct job *jobs_engine(const struct jobs *j)
{
	for (unsigned int i = 0; i < j->count; i++)
		if (j->job[i].engine != ENGINE_NONE)
			return &j->job[i];
	return NULL;
}

const char *job_kind(const struct job *j)
{
	return j->engine == ENGINE_NONE ? "helper" : "engine";
}

bool job_pack(struct job *j, const char *const *argv)
{
	size_t used = 0;

	j->word_count = 0;
	for (; *argv; argv++) {
		const size_t len = strlen(*argv) + 1;

		if (j->word_count == JOB_WORDS || len > JOB_BYTES - used)
			return false;
		memcpy(j->words + used, *argv, len);
		used += len;
		j->word_count++;
	}
	memset(j->words + used, 0, JOB_BYTES - used);
	return j->word_count > 0;
}

void job_argv(const struct job *j, const char *ret[static JOB_WORDS + 1])
{
	const char *at = j->words;

	for (unsigned int i = 0; i < j->word_count; i++) {
		ret[i] = at;
		at += strlen(at) + 1;
	}
	ret[j->word_count] = NULL;
}

/** job_is_program() - 0, -ENOENT or -EACCES */
static int job_is_program(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) && (st.st_mode & 0111) ? 0 : -EACCES;
}

int job_find(const char *program, char *to, size_t size)
{
	const char *dir = JOB_PATH;
	int worst = -ENOENT;

	if (program[0] == '/')
		return (size_t)snprintf(to, size, "%s", program) < size
			       ? job_is_program(to)
			       : -ENAMETOOLONG;
	if (strchr(program, '/'))
		return -EINVAL;
	while (program[0] != '\0') {
		const size_t len = strcspn(dir, ":");
		int rc;

		if ((size_t)snprintf(to, size, "%.*s/%s", (int)len, dir,
				     program) >= size)
			return -ENAMETOOLONG;
		rc = job_is_program(to);
		if (rc == 0)
			return 0;
		if (rc == -EACCES)
			worst = rc;
		if (dir[len] == '\0')
			break;
		dir += len + 1;
	}
	return worst;
}

/** jobs_size() - Only those that are there travel */
static size_t jobs_size(unsigned int count)
{
	return offsetof(struct jobs, job) + count * sizeof(struct job);
}

int jobs_seal(const struct jobs *j, int *ret_fd)
{
	struct jobs *copy;
	int rc;

	if (j->count > JOBS_MAX)
		return -E2BIG;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	memcpy(copy, j, jobs_size(j->count));
	copy->magic = JOBS_MAGIC;
	rc = sealed_put("nsproxy-jobs", copy, jobs_size(j->count), ret_fd);
	free(copy);
	return rc;
}

static bool job_has_end(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static bool job_is_sound(const struct job *j)
{
	size_t words = 0;

	for (size_t i = 0; i < JOB_BYTES && words < j->word_count; i++)
		words += j->words[i] == '\0';
	return j->word_count > 0 && j->word_count <= JOB_WORDS &&
	       words == j->word_count && j->words[0] != '\0' &&
	       j->restart <= RESTART_ALWAYS && j->where <= WHERE_HOST &&
	       j->proof <= PROOF_DNSPROXY && j->engine <= ENGINE_NAME &&
	       j->uid != 0 && job_has_end(j->name, sizeof(j->name)) &&
	       job_has_end(j->user, sizeof(j->user)) &&
	       job_has_end(j->home, sizeof(j->home));
}

int jobs_read(int fd, struct jobs *ret)
{
	struct stat st;
	unsigned int count;
	int rc;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < (off_t)jobs_size(0) ||
	    st.st_size > (off_t)jobs_size(JOBS_MAX))
		return -EPROTO;
	count = (unsigned int)(((size_t)st.st_size - jobs_size(0)) /
			       sizeof(struct job));
	memset(ret, 0, sizeof(*ret));
	rc = sealed_get(fd, ret, jobs_size(count));
	if (rc < 0)
		return rc;
	if (ret->magic != JOBS_MAGIC || ret->count != count)
		return -EPROTO;
	for (unsigned int i = 0; i < count; i++)
		if (!job_is_sound(&ret->job[i]))
			return -EPROTO;
	return 0;
}

int job_status(int wait_status)
{
	return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status)
				      : 128 + WTERMSIG(wait_status);
}

bool job_is_again(enum restart_word restart, int status)
{
	switch (restart) {
	case RESTART_NEVER:
		return false;
	case RESTART_ON_FAILURE:
		return status != 0;
	case RESTART_ALWAYS:
		return true;
	}
	return false;
}

uint64_t job_gap_ms(uint64_t gap_ms, uint64_t ran_ms)
{
	if (gap_ms == 0 || ran_ms >= GAP_WELL_MS)
		return GAP_MS;
	return gap_ms >= GAP_MAX_MS / 2 ? GAP_MAX_MS : gap_ms * 2;
}
