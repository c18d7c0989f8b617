/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * place.h - host:port as people write it
 */
#include "base/fault.h"
#include "bus/plan.h"

#include <stdint.h>

/**
 * place_read_port() - Read a port number
 * @text:  "1" to "65535"
 * @ret:   Result; untouched on failure
 *
 * Return: NULL, or why not (static, fits behind "X: ")
 */
const char *place_read_port(const char *text, uint16_t *ret);

/**
 * place_read_host() - Read a host name or bare IP literal
 * @text:  Name, IPv4, or IPv6 in brackets; one last dot of a name is dropped
 * @ret:   NAME_MAX_LEN + 1 bytes; without brackets; untouched on failure
 *
 * Return: NULL, or why not (static, fits behind "X: ")
 */
const char *place_read_host(const char *text, char *ret);

/**
 * place_read() - Read "example.org:80", "192.0.2.1:80", "[2001:db8::1]:80"
 * @text:      What was written
 * @ret_host:  NAME_MAX_LEN + 1 bytes; without brackets
 * @ret_port:  Keeps its value when no port was written
 *
 * Both results may be overwritten on failure.
 *
 * Return: NULL, or why not (static, fits behind "X: ")
 */
const char *place_read(const char *text, char *ret_host, uint16_t *ret_port);

/**
 * host_port_parse() - Read HOST:PORT of `-e`; the port must be written
 * @text:      What was written
 * @ret_host:  NAME_MAX_LEN + 1 bytes; without brackets
 * @ret_port:  1 to 65535
 * @f:         Why not
 *
 * Return: 0 or -EINVAL
 */
int host_port_parse(const char *text, char *ret_host, uint16_t *ret_port,
		    struct fault *f);

/**
 * proto_port_parse() - Read "tcp:80" or "udp:53"
 * @text:        What was written
 * @ret_is_udp:  Which of the two
 * @ret_port:    1 to 65535
 * @f:           Why not; then both are untouched
 *
 * Return: 0 or -EINVAL
 */
int proto_port_parse(const char *text, bool *ret_is_udp, uint16_t *ret_port,
		     struct fault *f);

/**
 * publish_parse() - Read [ADDR:]PORT:PORT of `-p`
 * @text:  What was written; ADDR is an IP literal, 127.0.0.1 when left out
 * @ret:   Host side and inner port; untouched on failure
 * @f:     Why not
 *
 * Return: 0 or -EINVAL
 */
int publish_parse(const char *text, struct plan_publish *ret, struct fault *f);

/**
 * ready_parse() - Read ADDRESS:PORT at which a helper is going to listen
 * @text:  What was written; ADDRESS is an IP literal
 * @ret:   Result; untouched on failure
 * @f:     Why not
 *
 * Return: 0 or -EINVAL
 */
int ready_parse(const char *text, struct addr *ret, struct fault *f);
