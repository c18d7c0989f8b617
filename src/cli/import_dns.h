/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "conf/dnsproxy.h"

#include <jansson.h>
#include <stdbool.h>

#define IMPORT_WORDS 24 /* of dns */

/** struct dns_words - words of `dns` */
struct dns_words {
	unsigned int count;
	char word[IMPORT_WORDS][DNSPROXY_WORD];
};

/**
 * import_dns_words() - Read dnsproxy's arguments
 * @args:  Array
 * @to:    Its upstreams, and whom it asks first, as words of `dns`
 *
 * Return: whether there were others
 */
bool import_dns_words(const json_t *args, struct dns_words *to);

/** import_needs_program() - Are there servers that dnsproxy alone can ask, and
 * would it take all of them? */
bool import_needs_program(const struct dns_words *all);
