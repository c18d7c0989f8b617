/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** container_of - the struct that holds a member */
#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/** struct list - a ring of nodes; a head that points to itself is empty */
struct list {
	struct list *next;
	struct list *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

/** list_add_tail() - Put @n, which must be in no list, behind all others */
static inline void list_add_tail(struct list *head, struct list *n)
{
	n->prev = head->prev;
	n->next = head;
	head->prev->next = n;
	head->prev = n;
}

/** list_del() - Take @n out; harmless when it is in no list */
static inline void list_del(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}

#define list_each(at, head) \
	for ((at) = (head)->next; (at) != (head); (at) = (at)->next)
/** list_each_safe - like list_each; the current node may be taken out */
#define list_each_safe(at, tmp, head)                                 \
	for ((at) = (head)->next, (tmp) = (at)->next; (at) != (head); \
	     (at) = (tmp), (tmp) = (at)->next)
