// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * url.c - the pieces of a proxy's URL
 *
 * Follows RFC 3986 as far as proxies need it. hop.c says what the pieces mean.
 */
#include "conf/url.h"

#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static int url_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/**
 * url_decode() - Undo %XX (RFC 3986, 2.1)
 *
 * Return: NULL, or why not
 */
static const char *url_decode(char *to, size_t size, const char *from,
			      size_t len, const char *too_long)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)from[i];

		if (c == '%') {
			const bool whole = i + 2 < len;
			const int hi = whole ? url_hex(from[i + 1]) : -1;
			const int lo = whole ? url_hex(from[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return "'%' must be followed by two hex digits "
				       "(a '%' itself is %25)";
			c = (unsigned char)(hi << 4 | lo);
			i += 2;
		}
		if (c < 0x20 || c == 0x7f)
			return "control characters cannot be sent";
		if (used + 1 >= size)
			return too_long;
		to[used++] = (char)c;
	}
	to[used] = '\0';
	return NULL;
}

static const char *url_split_auth(const char *text, size_t len, struct url *ret)
{
	const char *colon = memchr(text, ':', len);
	const size_t user = colon ? (size_t)(colon - text) : len;
	const char *why;

	ret->has_auth = true;
	why = url_decode(ret->user, sizeof(ret->user), text, user,
			 "the user name is longer than 255 bytes");
	if (!why && colon)
		why = url_decode(ret->pass, sizeof(ret->pass), colon + 1,
				 len - user - 1,
				 "the password is longer than 255 bytes");
	return why;
}

static const char *url_split_authority(const char *text, size_t len,
				       struct url *ret)
{
	const char *at = memrchr(text, '@', len);
	const char *why = NULL;

	if (at) {
		why = url_split_auth(text, (size_t)(at - text), ret);
		len -= (size_t)(at + 1 - text);
		text = at + 1;
	}
	(void)text_copy_n(ret->place, sizeof(ret->place), text, len);
	return why;
}

/** url_split_scheme() - Return: what follows the colon, or NULL */
static const char *url_split_scheme(const char *text, struct url *ret)
{
	const char *colon = strchr(text, ':');

	if (!colon || colon == text ||
	    !text_copy_n(ret->scheme, sizeof(ret->scheme), text,
			 (size_t)(colon - text)))
		return NULL;
	for (char *c = ret->scheme; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr("+-.", *c))
			return NULL;
		*c = (char)tolower((unsigned char)*c);
	}
	return colon + 1;
}

const char *url_split(const char *text, struct url *ret)
{
	const char *why = NULL;
	size_t len;

	*ret = (struct url){ 0 };
	if (strlen(text) >= URL_MAX)
		return "it is longer than 2047 bytes";
	for (const char *c = text; *c; c++)
		if (*c <= 0x20 || *c >= 0x7f)
			return "it holds a space, a control character or a "
			       "letter outside ASCII (write such as %XX)";
	text = url_split_scheme(text, ret);
	if (!text)
		return "it does not begin with a scheme";
	ret->slashes = text_starts(text, "//");
	if (ret->slashes) {
		text += 2;
		len = strcspn(text, "/?#");
		why = url_split_authority(text, len, ret);
		text += len;
	}
	len = strcspn(text, "?#");
	if (!why)
		why = url_decode(ret->path, sizeof(ret->path), text, len,
				 "the path is too long");
	text += len;
	if (why || *text == '\0')
		return why;
	if (strchr(text, '@'))
		return "a '/', '?' or '#' in a user name or password must be "
		       "written as %2F, %3F, %23";
	if (*text == '#')
		return "a fragment ('#') means nothing to a proxy";
	return text_copy(ret->query, sizeof(ret->query), text + 1)
		       ? NULL
		       : "the options are too long";
}

/** url_mask_port() - Hide "PASS" in "USER:PASS" whose "@HOST" was forgotten */
static size_t url_mask_port(const char *text, size_t from)
{
	const size_t len = from + strcspn(text + from, "/?#");
	size_t colon = len;

	for (size_t i = from; i < len; i++)
		if (text[i] == ':')
			colon = i + 1;
	if (memchr(text + from, ']', len - from))
		return len;
	for (size_t i = colon; i < len; i++)
		if (!isdigit((unsigned char)text[i]))
			return colon;
	return len;
}

const char *url_mask(char *to, size_t size, const char *text)
{
	const char *slashes = strstr(text, "://");
	const char *at = strrchr(text, '@');
	const size_t from = slashes ? (size_t)(slashes + 3 - text) : 0;
	const char *rest;
	size_t shown;
	size_t used;

	if (at && at >= text + from) {
		const char *colon =
			memchr(text + from, ':', (size_t)(at - text) - from);

		shown = colon ? (size_t)(colon + 1 - text) : from;
		rest = at;
	} else {
		shown = url_mask_port(text, from);
		rest = text + from + strcspn(text + from, "/?#");
	}
	text_quote(to, size / 2, text, shown);
	if (text + shown == rest) {
		used = strlen(to);
	} else {
		(void)strcat(to, "***"); /* the other half has room */
		used = strlen(to);
	}
	text_quote(to + used, size - used, rest, strlen(rest));
	return to;
}
