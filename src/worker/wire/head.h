/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * head.h - lines of an HTTP head (RFC 9112, 2 and 5)
 *
 * Shared by the files of this room that read heads. A struct rd serves as a
 * span of octets here.
 */
#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * head_find() - Where does the head end that @r begins with?
 * @r:    From the head's first octet; not moved
 * @max:  Octets it may have
 *
 * Return: octets with the empty line; -EAGAIN when it has not ended yet;
 * -EMSGSIZE when it has not within @max; -EPROTO for NUL and other controls, a
 * CR without LF, or over HTTP_LINES_MAX lines
 */
long head_find(const struct rd *r, size_t max);

/**
 * head_line() - Take the next line
 * @head:   A whole head, as head_find() measured it
 * @line:   Set to the line without its end
 * @whole:  Set to the line with its end; may be NULL
 *
 * Return: whether there was one; false at the empty line
 */
bool head_line(struct rd *head, struct rd *line, struct rd *whole);

/**
 * head_until() - Take the octets up to a delimiter, and the delimiter
 * @r:      Moved behind the delimiter
 * @delim:  Octet
 * @ret:    Set to the octets before it
 *
 * Return: whether the delimiter was there; if not, nothing is taken
 */
bool head_until(struct rd *r, char delim, struct rd *ret);

/**
 * head_field() - Split a field line (RFC 9112, 5)
 * @line:   Without its end
 * @name:   Set to the name, a token
 * @value:  Set to the value without white space around it
 *
 * Return: whether it was one; continued lines (obs-fold) are none
 */
bool head_field(struct rd line, struct rd *name, struct rd *value);

/** head_is() - Are these the octets of @text? Letter case is ignored */
bool head_is(const struct rd *span, const char *text);

/** head_is_token() - Nothing but tchar (RFC 9110, 5.6.2), at least one? */
bool head_is_token(const struct rd *span);

/** head_status() - From a whole answer head. Return: 100..599, or 0 */
unsigned int head_status(struct rd head);

/** head_may_be_answer() - Does what is here of a head begin like one? */
bool head_may_be_answer(const struct rd *r);

/** head_is_version() - "HTTP/1." and a digit, nothing else? */
bool head_is_version(const struct rd *span);
