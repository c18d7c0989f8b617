/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * moved_own.h - what the two halves of moving share; for moved*.c alone
 */
#include "kern/moved.h"

/**
 * struct moved_work - what is to be done
 * @link, @name:  As in moved_take()
 * @wireguard:    Make it of this first; or NULL
 * @inside:       The sandbox's namespace
 * @home:         Where we are
 */
struct moved_work {
	const char *link;
	const char *name;
	const struct wireguard *wireguard;
	int inside;
	int home;
};

/** moved_do_take() - Return: 0 or -errno; anyhow we may stand elsewhere */
int moved_do_take(const struct moved_work *w, struct fault *f);

/** moved_do_give_back() - Return: how many or -errno; the same */
int moved_do_give_back(const struct moved_work *w, struct fault *f);
