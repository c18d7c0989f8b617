/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * job.h - a program that a minder runs: which, as whom, and where
 *
 * A helper is what somebody wrote, a job is what is run. Flat and bounded, so
 * that it travels in sealed memory and is kept like the plan.
 */
#include "base/addr.h"
#include "box/store.h"
#include "bus/plan.h"
#include "conf/keys.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOBS_MAGIC	0x6e736a31u
#define JOBS_MAX	10   /* of one sandbox */
#define JOB_BYTES	4096 /* of one command, each word with its NUL */
#define JOB_WORDS	64
#define JOB_USER	64
#define JOB_HOME	256

/** JOB_PATH - where programs are looked for, and what a job has as PATH */
#define JOB_PATH	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/** JOB_NEVER_ENDED - a status before the first end */
#define JOB_NEVER_ENDED (-1)

/** enum job_proof - must a program say what it is before it is run? */
enum job_proof {
	PROOF_NONE,
	PROOF_DNSPROXY, /* AdGuard's, not another of that name */
};

/**
 * struct job - one
 * @uid, @gid:  Whom it runs as; never 0
 * @user, @home:  Of that user, for the environment; empty when not known
 * @engine:     But for ENGINE_NONE: it has the TUN, @where counts for nothing,
 *              and it is ready when the worker answers through it
 * @ready:      Where it is going to listen; AF_UNSPEC: nowhere
 * @words:      Command: @word_count words, each with its NUL
 */
struct job {
	char name[STORE_NAME];
	enum restart_word restart;
	enum where_word where;
	enum job_proof proof;
	enum plan_engine engine;
	uint32_t uid;
	uint32_t gid;
	char user[JOB_USER];
	char home[JOB_HOME];
	struct addr ready;
	char words[JOB_BYTES];
	unsigned int word_count;
};

/** struct jobs - all of a sandbox: @count of them */
struct jobs {
	uint32_t magic;
	unsigned int count;
	struct job job[JOBS_MAX];
};

/** jobs_engine() - The one that is an engine, or NULL */
const struct job *jobs_engine(const struct jobs *j);

/** job_kind() - For people: "helper" or "engine" */
const char *job_kind(const struct job *j);

/**
 * job_pack() - Put a command into a job
 * @j:     Its words are overwritten
 * @argv:  At least one word, NULL-terminated
 *
 * Return: whether it fits
 */
bool job_pack(struct job *j, const char *const *argv);

/** job_argv() - The words again; they live as long as @j */
void job_argv(const struct job *j, const char *ret[static JOB_WORDS + 1]);

/**
 * job_find() - Where is a program?
 * @program:  A path from /, or a name to look for in JOB_PATH
 * @to:       Room for its path
 * @size:     Of @to
 *
 * Return: 0; -ENOENT when it is nowhere; -EACCES for what is no program;
 * -EINVAL for a path that does not begin with /; or -errno
 */
int job_find(const char *program, char *to, size_t size);

/**
 * jobs_seal() - Put jobs into memory that nobody can change any more
 * @j:       Jobs; the magic is filled in on the way
 * @ret_fd:  Sealed memfd, owned by the caller
 *
 * Return: 0 or -errno
 */
int jobs_seal(const struct jobs *j, int *ret_fd);

/**
 * jobs_read() - Take them out again
 * @fd:   From jobs_seal()
 * @ret:  Result; undefined on failure
 *
 * Return: 0; -EPROTO if they make no sense; or -errno
 */
int jobs_read(int fd, struct jobs *ret);

/** job_status() - A status of waitpid(2) as a shell tells it: 0 to 255 */
int job_status(int wait_status);

/** job_is_again() - Is it started again after it ended with this status? */
bool job_is_again(enum restart_word restart, int status);

/**
 * job_gap_ms() - How long to wait before it is started again
 * @gap_ms:  The last one; 0: none
 * @ran_ms:  How long it ran
 *
 * Return: twice the last one, within bounds; the least after a good while
 */
uint64_t job_gap_ms(uint64_t gap_ms, uint64_t ran_ms);
