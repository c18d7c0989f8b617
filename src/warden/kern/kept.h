/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * kept.h - addresses and routes of a link, while it moves between namespaces
 */
#include "base/addr.h"
#include "base/fault.h"

#include <stdbool.h>
#include <stdint.h>

struct kept_part;

/** struct kept - what a link had; zeroed: nothing. @is_whole: its routes are
 * all that a sandbox needs */
struct kept {
	struct kept_part *first;
	struct kept_part **end;
	int index;
	bool is_whole;
	int rc;
};

/**
 * kept_read() - Addresses of a link, and all routes by it alone
 * @k:      Zeroed; what it holds is never freed: its process ends soon
 * @index:  Of the link, in this namespace
 * @f:      Why not
 *
 * What the kernel makes by itself is left out: it does so again.
 *
 * Return: 0 or -errno
 */
int kept_read(struct kept *k, int index, struct fault *f);

/** kept_want_address() / kept_want_route() - Have one that was never read;
 * Return: 0 or -ENOMEM */
int kept_want_address(struct kept *k, const struct addr *ip, uint8_t len);
int kept_want_route(struct kept *k, const struct addr *ip, uint8_t len);

/**
 * kept_put() - Put them back
 * @k:       From kept_read()
 * @index:   Of the link, in this namespace
 * @is_home: Without what is for a sandbox: a default route where none leads
 *           elsewhere, and rules for each table that is not looked into
 * @f:       Why not, the first
 *
 * Goes on after a failure.
 *
 * Return: 0 or -errno
 */
int kept_put(const struct kept *k, int index, bool is_home, struct fault *f);
