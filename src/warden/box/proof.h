/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * proof.h - is a program the one it is taken for?
 *
 * It is asked each time before it is run, as the job that it would be, since
 * it may be another one by then.
 */
#include "base/fault.h"
#include "box/board.h"
#include "box/job.h"

/** PROOF_MS - how long it may take to say what it is */
#define PROOF_MS 5000

/** proof_job() - The question: @j's program, which says what it is and ends */
void proof_job(const struct job *j, struct job *ret);

/**
 * proof_judge() - Judge the answer
 * @j:       Job that is to be run
 * @status:  Of the question, as a shell tells it
 * @said:    What the program wrote
 * @f:       Why it is not run
 *
 * Return: 0 or -ENOEXEC
 */
int proof_judge(const struct job *j, int status, const struct job_card *said,
		struct fault *f);

/** proof_late() - It did not answer in time: fill @f */
void proof_late(const struct job *j, struct fault *f);
