// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * lease_book.c - leases in memory that outlives a worker
 *
 * A note: the place (4 bytes), the name's length (1), the name. How much of the
 * memory is notes is said last, so that a worker killed in the middle of one
 * has not written it.
 */
#include "names/lease_book.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define BOOK_MAGIC 0x6e73706cu
#define BOOK_NOTE  5 /* bytes before a name */

/**
 * struct lease_book_head - shared
 * @high:  Places that have been lent
 * @used:  Bytes of notes behind it
 * @lost:  A bit for each place whose name could not be noted
 */
struct lease_book_head {
	uint32_t magic;
	_Atomic uint32_t high;
	uint64_t key[2];
	_Atomic uint64_t used;
	uint8_t lost[LEASE_BOOK_PLACES / 8];
};

static uint8_t *book_notes(const struct lease_book *b)
{
	return (uint8_t *)(b->head + 1);
}

static size_t book_room(const struct lease_book *b)
{
	return b->size - sizeof(*b->head);
}

int lease_book_open(struct lease_book *b, int fd)
{
	const int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	void *at;

	*b = (struct lease_book){ 0 };
	if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(fd, &st) < 0 ||
	    st.st_size < (off_t)sizeof(struct lease_book_head) ||
	    st.st_size > UINT32_MAX)
		return -EPROTO;
	at = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		  fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	b->head = at;
	b->size = (size_t)st.st_size;
	return 0;
}

void lease_book_close(struct lease_book *b)
{
	if (b->head)
		(void)munmap(b->head, b->size);
	*b = (struct lease_book){ 0 };
}

bool lease_book_key(const struct lease_book *b, uint64_t ret[2])
{
	if (!b->head || b->head->magic != BOOK_MAGIC ||
	    atomic_load(&b->head->high) > LEASE_BOOK_PLACES ||
	    atomic_load(&b->head->used) > book_room(b))
		return false;
	memcpy(ret, b->head->key, sizeof(b->head->key));
	return true;
}

/** book_name_ok() - Lower case and printable, as names are that leases are for
 */
static bool book_name_ok(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~' ||
		    (name[i] >= 'A' && name[i] <= 'Z'))
			return false;
	return len > 0 && len <= UINT8_MAX;
}

int lease_book_next(const struct lease_book *b, size_t *at, uint32_t *place,
		    char name[static 256])
{
	const uint64_t used = atomic_load(&b->head->used);
	const uint8_t *notes = book_notes(b);
	size_t len;

	if (used > book_room(b) || *at > used)
		return -EPROTO;
	if (*at == used)
		return 0;
	if (used - *at < BOOK_NOTE)
		return -EPROTO;
	memcpy(place, notes + *at, sizeof(*place));
	len = notes[*at + sizeof(*place)];
	if (len == 0 || used - *at - BOOK_NOTE < len)
		return -EPROTO;
	memcpy(name, notes + *at + BOOK_NOTE, len);
	name[len] = '\0';
	if (!book_name_ok(name, len))
		return -EPROTO;
	*at += BOOK_NOTE + len;
	return 1;
}

void lease_book_begin(struct lease_book *b, const uint64_t key[2])
{
	if (!b->head)
		return;
	/* Nothing counts until all is said. */
	b->head->magic = 0;
	atomic_store(&b->head->used, 0);
	atomic_store(&b->head->high, 0);
	memset(b->head->lost, 0, sizeof(b->head->lost));
	memcpy(b->head->key, key, sizeof(b->head->key));
	b->head->magic = BOOK_MAGIC;
}

/** book_note() - Write a note; false: there is no room for it */
static bool book_note(struct lease_book *b, uint32_t place, const char *name)
{
	const uint64_t used = atomic_load(&b->head->used);
	const size_t len = strlen(name);
	uint8_t *note;

	if (!book_name_ok(name, len) || used > book_room(b) ||
	    book_room(b) - used < BOOK_NOTE + len)
		return false;
	note = book_notes(b) + used;
	memcpy(note, &place, sizeof(place));
	note[sizeof(place)] = (uint8_t)len;
	memcpy(note + BOOK_NOTE, name, len);
	atomic_store(&b->head->used, used + BOOK_NOTE + len);
	return true;
}

void lease_book_add(struct lease_book *b, uint32_t place, const char *name)
{
	const uint8_t bit = (uint8_t)(1u << place % 8);

	if (!b->head || place >= LEASE_BOOK_PLACES)
		return;
	/* Lost until it is noted: a worker may be killed at any moment. */
	b->head->lost[place / 8] |= bit;
	if (place >= atomic_load(&b->head->high))
		atomic_store(&b->head->high, place + 1);
	if (book_note(b, place, name))
		b->head->lost[place / 8] &= (uint8_t)~bit;
}

uint32_t lease_book_high(const struct lease_book *b)
{
	const uint32_t high = atomic_load(&b->head->high);

	return high < LEASE_BOOK_PLACES ? high : LEASE_BOOK_PLACES;
}

bool lease_book_is_lost(const struct lease_book *b, uint32_t place)
{
	return b->head->lost[place / 8] & 1u << place % 8;
}
