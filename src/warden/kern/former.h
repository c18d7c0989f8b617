/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * former.h - what another's network namespace was like before us
 */
#include <stdbool.h>

/* More than the settings that a sandbox changes, and the longest of them. */
#define FORMER_SETTINGS 16
#define FORMER_VALUE	32

/**
 * struct former - how it was
 * @value:      Of each setting; empty for what is not there
 * @is_noted:   The rest says something
 * @is_up:      lo was
 * @has_ip4:    lo had an address
 */
struct former {
	char value[FORMER_SETTINGS][FORMER_VALUE];
	bool is_noted;
	bool is_up;
	bool has_ip4;
};

/** former_note() - Look at the namespace we are in, before it is changed */
void former_note(struct former *was);

/**
 * former_restore() - Make settings and lo again what they were
 * @was:  Noted in this namespace, or nothing
 *
 * Needs CAP_NET_ADMIN. What cannot be restored stays.
 */
void former_restore(const struct former *was);
