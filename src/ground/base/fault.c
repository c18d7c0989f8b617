// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * fault.c - the sentence that goes with an error code
 *
 * The leaf that failed fills the fault; nobody above says it again.
 */
#include "base/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void fault_words(struct fault *f, int code, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

static void fault_words(struct fault *f, int code, const char *fmt, va_list ap)
{
	*f = (struct fault){ .code = code };
	(void)vsnprintf(f->text, sizeof(f->text), fmt, ap); /* cut is fine */
}

int fault(struct fault *f, int code, const char *fmt, ...)
{
	va_list ap;
	size_t used;

	if (!f)
		return code;
	va_start(ap, fmt);
	fault_words(f, code, fmt, ap);
	va_end(ap);
	used = strlen(f->text);
	(void)snprintf(f->text + used, sizeof(f->text) - used, ": %s",
		       strerror(-code));
	return code;
}

int fault_plain(struct fault *f, int code, const char *fmt, ...)
{
	va_list ap;

	if (!f)
		return code;
	va_start(ap, fmt);
	fault_words(f, code, fmt, ap);
	va_end(ap);
	return code;
}

int fault_hint(struct fault *f, const char *fmt, ...)
{
	va_list ap;

	if (!f)
		return -1;
	va_start(ap, fmt);
	(void)vsnprintf(f->hint, sizeof(f->hint), fmt, ap); /* cut is fine */
	va_end(ap);
	return f->code;
}
