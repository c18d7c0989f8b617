// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * openssl.c - find the functions of the TLS library that we were built for
 */
#include "net/openssl.h"

#include "base/log.h"

#include <dlfcn.h>
#include <string.h>

#define OPENSSL_TEXT(word)  #word
#define OPENSSL_WORD(macro) OPENSSL_TEXT(macro)
/* Loads the library below it, too. */
#define OPENSSL_SONAME	    "libssl.so." OPENSSL_WORD(OPENSSL_SHLIB_VERSION)

struct openssl openssl;

static bool openssl_find(void *library, const char *name, void *ret)
{
	void *const found = dlsym(library, name);

	if (!found)
		log_debug("%s", dlerror());
	memcpy(ret, &found, sizeof(found));
	return found;
}

bool openssl_load(void)
{
	void *const library = dlopen(OPENSSL_SONAME, RTLD_NOW | RTLD_LOCAL);
	bool ok = library;

	if (!library)
		log_debug("%s", dlerror());
#define OPENSSL_FIND(name) \
	ok = ok && openssl_find(library, #name, &openssl.name)
	OPENSSL_FUNCTIONS(OPENSSL_FIND);
#undef OPENSSL_FIND
	return ok;
}
