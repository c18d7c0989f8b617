/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/**
 * struct fault - the human's truth about a failure
 * @code:  -Exxx, or 0 while nothing has failed
 * @text:  One sentence: what was tried, on what, and why it failed
 * @hint:  The remedy, when we know it; else empty
 *
 * Held by value, allocates nothing, so that it can cross a socket as it is.
 */
struct fault {
	int code;
	char text[512];
	char hint[384];
};

/**
 * fault() - Fill a fault with a sentence
 * @f:     Fault; may be NULL when the caller wants the code alone
 * @code:  -Exxx; its strerror() is appended after a colon
 * @fmt:   printf format of what was tried
 *
 * Return: @code
 */
int fault(struct fault *f, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * fault_plain() - Like fault(), but the sentence stands alone
 * @f:     Fault; may be NULL
 * @code:  -Exxx, kept but not told in words
 * @fmt:   printf format of the whole sentence
 *
 * Return: @code
 */
int fault_plain(struct fault *f, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * fault_hint() - Add the remedy to a fault
 * @f:     Fault that has been filled; may be NULL
 * @fmt:   printf format of what the reader can do
 *
 * Return: the fault's code, so that it can end a function
 */
int fault_hint(struct fault *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
