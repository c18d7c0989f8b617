/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * journal.h - what the daemon and the processes of its sandboxes have said
 *
 * Everything goes to standard error, and its last part is kept in memory: a
 * ring for each sandbox and one for the daemon.
 */
#include "base/list.h"
#include "base/log.h"
#include "base/loop.h"
#include "daemon/print.h"
#include "daemon/ring.h"

/**
 * struct journal - everything said
 * @news:      Called after lines have come, once for those of a turn of the
 *             loop; the owner's, as is @ctx; may be NULL
 * @level:     The last one that standard error gets from the daemon itself
 * @own:       The daemon's lines, also those about sandboxes
 * @voices:    A struct voice for each sandbox; journal.c's own
 * @seq:       Of the last line
 */
struct journal {
	struct loop *loop;
	void (*news)(void *ctx);
	void *ctx;
	enum log_level level;
	struct print print;
	struct ring own;
	struct list voices;
	uint64_t seq;
	struct task tell;
};

/** journal_init() - Begin with nothing; journal_stop() takes it so */
void journal_init(struct journal *j);

/**
 * journal_start() - Keep from here on what log_say() says
 * @j:      Initialised; .news and .ctx are set
 * @loop:   Loop
 * @level:  The last level that standard error gets; more may be kept
 */
void journal_start(struct journal *j, struct loop *loop, enum log_level level);

/** journal_stop() - Forget all; lines go to standard error again */
void journal_stop(struct journal *j);

/** journal_add() - Begin to keep lines of and about a sandbox
 * @name:  Good, and not added yet
 */
void journal_add(struct journal *j, const char *name);

/** journal_drop() - Forget a sandbox and its lines */
void journal_drop(struct journal *j, const char *name);

/**
 * journal_hear() - Listen to the processes of a sandbox
 * @name:  Of it; what was listened to before is heard to its end
 * @fd:    SOCK_SEQPACKET with a time for each message; taken
 */
void journal_hear(struct journal *j, const char *name, int fd);

/** journal_drain() - Take all that a sandbox's processes have said so far */
void journal_drain(struct journal *j, const char *name);

/**
 * journal_next() - The oldest line after another one
 * @name:      Of this sandbox; "" for all lines
 * @seq:       .seq of the other one
 *
 * Return: borrowed until more is said; or NULL
 */
const struct line *journal_next(const struct journal *j, const char *name,
				uint64_t seq);

/**
 * journal_has_lost() - Are there lines that are not kept any more?
 * @name:  As for journal_next()
 * @seq:   Only those after this one count
 */
bool journal_has_lost(const struct journal *j, const char *name, uint64_t seq);

/** journal_again() - Call .news once more, after the events of this turn */
void journal_again(struct journal *j);

/**
 * journal_last() - Where the last lines begin
 * @name:   As for journal_next()
 * @count:  How many are wanted
 *
 * Return: a .seq after which there are @count lines, or all there are
 */
uint64_t journal_last(const struct journal *j, const char *name,
		      unsigned int count);
