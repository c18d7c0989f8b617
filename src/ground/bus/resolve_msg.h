/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * resolve_msg.h - what a worker and its resolver processes say to each other
 *
 * One SOCK_SEQPACKET message each way; both ends are the same binary.
 */
#include "base/addr.h"

#include <stdint.h>

#define RESOLVE_ADDRS 8

/** struct resolve_question - Which addresses has this name? */
struct resolve_question {
	uint64_t id;
	char name[NAME_MAX_LEN + 1];
};

/**
 * struct resolve_answer - These
 * @id:     Of the question
 * @count:  0: no such name, or it failed
 * @addr:   Port 0
 */
struct resolve_answer {
	uint64_t id;
	uint32_t count;
	struct addr addr[RESOLVE_ADDRS];
};
