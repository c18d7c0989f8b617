/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * serve_words.h - what the words behind `nsproxy serve` say
 */
#include "base/fault.h"
#include "bus/plan.h"
#include "conf/opts.h"

#include <stdbool.h>

#define SERVE_DEFAULT "127.0.0.1:1080"

/**
 * struct serve - what the words said
 * @level:      First, for verb_take_verbose()
 * @plan:       Complete after serve_settle()
 * @addr:       Where to listen; port 0 is any
 * @is_open:    Everybody may come, on purpose
 * @has_user, @has_pass:  Both, or the words are not accepted
 * @listen_fd:  An inherited listener, or -1; owned
 */
struct serve {
	int level;
	struct plan plan;
	struct addr addr;
	bool is_open;
	bool has_user;
	bool has_pass;
	int listen_fd;
};

#define SERVE_OPTS 9
extern const struct opt serve_opts[SERVE_OPTS];

/**
 * serve_settle() - Make a plan of what the words said
 * @s:     All options have been taken
 * @argv:  What is left: nothing, or [SCHEME://][USER:PASS@]ADDR:PORT
 * @f:     Why not
 *
 * Return: 0 or -errno
 */
int serve_settle(struct serve *s, char **argv, struct fault *f);
