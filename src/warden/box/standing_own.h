/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * standing_own.h - what a keeper is made of; for standing*.c alone
 */
#include "box/setup.h"
#include "box/store.h"
#include "box/terms.h"

/* The daemon and its builder; more callers wait in the backlog. */
#define STANDING_CALLERS 4

/**
 * struct standing - what it holds
 * @word:      The answer to STORE_GIVE
 * @own:       By enum store_fd
 * @tag_fd:    What the worker gets, beside @word.tag
 * @listener:  Born on the host
 * @foreign:   Namespace to be attached; -1 for none
 * @term:      signalfd for SIGTERM then
 * @caller:    -1 for none
 */
struct standing {
	struct plan *plan;
	struct terms terms;
	struct setup setup;
	struct store_word word;
	int own[STORE_FD_TAGS];
	int tag_fd[PLAN_FDS];
	int listener;
	int foreign;
	int term;
	int caller[STANDING_CALLERS];
};

/** standing_take() - The builder's wish: name, listener, plan, doors; Return: 0
 * or -errno */
int standing_take(struct standing *s, int chan, struct fault *f);

/** standing_hold() - Put what was built where it can be given from; Return: 0
 * or -errno */
int standing_hold(struct standing *s, struct fault *f);

/** standing_log() - A socket for lines, a message each; Return: 0 or -errno */
int standing_log(struct standing *s, struct fault *f);

/** standing_leases() - Memory in which workers note what they lend to names;
 * Return: 0 or -errno */
int standing_leases(struct standing *s, struct fault *f);
