/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * dnsproxy.h - AdGuard's dnsproxy as a sandbox's resolver
 *
 * What stands behind "dnsproxy" in a list of `dns`, and the command it becomes.
 * dnsproxy runs inside, where all of port 53 is led to it: what it asks itself
 * must not go to port 53, or it would ask itself. So each plain server is
 * named to it by an alias, an address of the gateway that the worker knows.
 */
#include "base/fault.h"
#include "bus/plan.h"

#define DNSPROXY_WORD	   512 /* of one word, with NUL */
#define DNSPROXY_SERVERS   16
#define DNSPROXY_BOOTSTRAP 4
#define DNSPROXY_OPTIONS   8

/** DNSPROXY_NAME - the word; as a program it is looked for under that name */
#define DNSPROXY_NAME	   "dnsproxy"

/** struct dnsproxy_words - words of one kind */
struct dnsproxy_words {
	unsigned int count;
	char word[DNSPROXY_SERVERS][DNSPROXY_WORD];
};

/**
 * struct dnsproxy_wish - what was said
 * @program:    Path or name; empty when dnsproxy was not wished for
 * @server:     Upstreams in dnsproxy's own words, each checked
 * @bootstrap:  Who is asked for the addresses of those that have a name
 * @option:     More of its options, each one that may be given
 * @has_name:   One of the servers has a name
 */
struct dnsproxy_wish {
	char program[DNSPROXY_WORD];
	struct dnsproxy_words server;
	struct dnsproxy_words bootstrap;
	struct dnsproxy_words option;
	bool has_name;
};

/** dnsproxy_is_word() - Is it "dnsproxy", or "dnsproxy=/PATH"? */
bool dnsproxy_is_word(const char *word);

/** dnsproxy_is_meant() - Is it a form that dnsproxy alone knows? */
bool dnsproxy_is_meant(const char *word);

/** dnsproxy_begin() - Take that word; Return: NULL, or why not */
const char *dnsproxy_begin(const char *word, struct dnsproxy_wish *w);

/** dnsproxy_add() - Take a word behind it; Return: NULL, or why not */
const char *dnsproxy_add(const char *word, struct dnsproxy_wish *w);

/** dnsproxy_check() - No more words: is it whole? Return: 0 or -EINVAL */
int dnsproxy_check(const struct dnsproxy_wish *w, struct fault *f);

/**
 * struct dnsproxy_command - what is to be run
 * @argv:  NULL-terminated; points into @text and static memory
 */
struct dnsproxy_command {
	const char *argv[8 + 2 * DNSPROXY_SERVERS + DNSPROXY_OPTIONS];
	unsigned int argc;
	char text[2 * DNSPROXY_SERVERS][DNSPROXY_WORD + 32];
	unsigned int texts;
};

/**
 * dnsproxy_command() - Make its command
 * @w:    Whole
 * @p:    Its chain is complete; gets the aliases
 * @ret:  Command
 * @f:    Why not
 *
 * Return: 0, -EOPNOTSUPP for a server that this way out cannot reach, or -E2BIG
 */
int dnsproxy_command(const struct dnsproxy_wish *w, struct plan *p,
		     struct dnsproxy_command *ret, struct fault *f);

#define DNSPROXY_SCHEMES \
	"udp://, tcp://, tls://, https://, h3://, quic:// and sdns://"

/**
 * struct dns_place - a server, as far as it matters to us
 * @is_plain:   Unencrypted DNS, to @host:@port; @is_tcp: by TCP
 * @needs_udp:  It cannot do without
 * @host:       Of a plain one
 * @addr:       The same as an address, if it is one; else AF_UNSPEC
 * @has_name:   Its address must be asked for
 */
struct dns_place {
	bool is_plain;
	bool is_tcp;
	bool needs_udp;
	bool has_name;
	char host[NAME_MAX_LEN + 1];
	uint16_t port;
	struct addr addr;
};

/** dnsproxy_place() - Judge one server; Return: NULL, or why not */
const char *dnsproxy_place(const char *text, struct dns_place *ret);
