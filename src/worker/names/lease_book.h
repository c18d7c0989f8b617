/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * lease_book.h - leases in memory that outlives a worker
 *
 * A journal in a memfd that the keeper holds: each lease is noted when it is
 * lent, without a system call, and the next worker lends the same addresses to
 * the same names. The one before may have been taken over by a stranger, so
 * nothing in it is believed without a look.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** LEASE_BOOK_PLACES - that a book can tell of; LEASE_POOL fits */
#define LEASE_BOOK_PLACES 131072u

struct lease_book_head;

/**
 * struct lease_book - the journal, mapped
 * @head:  At its beginning; NULL when there is no book
 * @size:  Of the whole
 */
struct lease_book {
	struct lease_book_head *head;
	size_t size;
};

/**
 * lease_book_open() - Map it
 * @b:   Result; zeroed on failure
 * @fd:  From the plan; sealed against shrinking, or a read could be fatal
 *
 * Return: 0; -EPROTO for what is no book; or -errno
 */
int lease_book_open(struct lease_book *b, int fd);

/** lease_book_close() - Unmap it; zeroed is fine */
void lease_book_close(struct lease_book *b);

/**
 * lease_book_key() - The secret of who has written it
 * @b:    Book
 * @ret:  As in struct map
 *
 * Return: whether there is one, and the book's head makes sense
 */
bool lease_book_key(const struct lease_book *b, uint64_t ret[2]);

/**
 * lease_book_next() - Read one note
 * @b:      Book
 * @at:     Where; 0 at first, moved on
 * @place:  Result; any number
 * @name:   Result; printable, NUL-terminated, room for 256
 *
 * Return: 1; 0 at the end; -EPROTO when it makes no sense
 */
int lease_book_next(const struct lease_book *b, size_t *at, uint32_t *place,
		    char name[static 256]);

/** lease_book_begin() - Start over, under this secret */
void lease_book_begin(struct lease_book *b, const uint64_t key[2]);

/**
 * lease_book_add() - Note a lease
 * @b:      Book
 * @place:  Below LEASE_BOOK_PLACES
 * @name:   Whose it is
 *
 * Where there is no room for the name, the place alone is noted as lost: the
 * next worker lends it to nobody, so that no name answers for another.
 */
void lease_book_add(struct lease_book *b, uint32_t place, const char *name);

/** lease_book_high() - Return: how many places have been lent, at most
 * LEASE_BOOK_PLACES */
uint32_t lease_book_high(const struct lease_book *b);

/** lease_book_is_lost() - Is it not known whose this place is? */
bool lease_book_is_lost(const struct lease_book *b, uint32_t place);
