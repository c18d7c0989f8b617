/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * url.h - the pieces of a proxy's URL
 */
#include "base/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define URL_MAX	  2048 /* bytes of a URL as written */
#define URL_SHOWN 160  /* room for a URL in a sentence */

/**
 * struct url - SCHEME:[//[USER[:PASS]@]HOST[:PORT]][/PATH][?QUERY], decoded
 * @scheme:    In lower case
 * @slashes:   "//" followed the colon
 * @user, @pass:  Percent-decoded; @has_auth tells empty from absent
 * @place:     HOST[:PORT] as written, not looked at
 * @path:      Percent-decoded, with its first slash; or empty
 * @query:     As written, without the question mark
 */
struct url {
	char scheme[16];
	bool slashes;
	bool has_auth;
	char user[256];
	char pass[256];
	char place[URL_MAX];
	char path[256];
	char query[256];
};

/**
 * url_split() - Take a URL apart
 * @text:  URL
 * @ret:   Result; undefined on failure
 *
 * Return: NULL, or why not (static, fits behind "'URL': ")
 */
const char *url_split(const char *text, struct url *ret);

/**
 * url_mask() - Make a URL fit for people's eyes
 * @to:    Room
 * @size:  Of @to, at least 32
 * @text:  URL, however malformed
 *
 * What is, or may have been meant as, a password becomes "***". Anything but
 * printable ASCII becomes \\xNN.
 *
 * Return: @to
 */
const char *url_mask(char *to, size_t size, const char *text);
