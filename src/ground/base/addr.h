/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/** NAME_MAX_LEN - octets of a domain name in text, without the last dot */
#define NAME_MAX_LEN 253
/** ADDR_TEXT - room for any addr_text() or dest_text() with its NUL */
#define ADDR_TEXT    (NAME_MAX_LEN + 16)

/**
 * struct addr - an IP address and port
 * @family:  AF_INET, AF_INET6, or AF_UNSPEC for "none"
 * @port:    Host order
 * @ip:      Network order; the first 4 bytes for AF_INET, the rest zero
 *
 * Unused bytes are zero, so that memcmp() and hashing see equal addresses.
 */
struct addr {
	uint16_t family;
	uint16_t port;
	uint8_t ip[16];
};

/**
 * struct dest - where a flow wants to go
 * @addr:  Address and port; family AF_UNSPEC when only @name is known (the
 *         port is in @addr.port in both cases)
 * @name:  Host name in lower case without the last dot, or empty
 */
struct dest {
	struct addr addr;
	char name[NAME_MAX_LEN + 1];
};

/** addr_equal() - Same family, address and port */
bool addr_equal(const struct addr *a, const struct addr *b);

/** addr_same_host() - Same family and address; the port is not looked at */
bool addr_same_host(const struct addr *a, const struct addr *b);

/** addr_size() - Octets of the bare address: 4, 16, or 0 for "none" */
unsigned int addr_size(const struct addr *a);

/** addr_from_ip4() / addr_from_ip6() - Build from network-order bytes */
struct addr addr_from_ip4(const void *ip, uint16_t port);
struct addr addr_from_ip6(const void *ip, uint16_t port);

/**
 * addr_from_sock() - Read what the kernel gave
 * @a:   Result; v4-mapped IPv6 becomes AF_INET
 * @ss:  Address of family AF_INET or AF_INET6; any other gives AF_UNSPEC
 */
void addr_from_sock(struct addr *a, const struct sockaddr_storage *ss);

/**
 * addr_to_sock() - Write what the kernel wants
 * @a:   AF_INET or AF_INET6
 * @ss:  Result, zeroed first
 *
 * Return: length for bind(2), connect(2), sendto(2)
 */
socklen_t addr_to_sock(const struct addr *a, struct sockaddr_storage *ss);

/**
 * addr_parse_ip() - Read a bare IP literal
 * @text:  "192.0.2.1", "2001:db8::1" or "[2001:db8::1]"; no scope, no port
 * @a:     Result with port 0; untouched on failure
 *
 * Return: whether it was one
 */
bool addr_parse_ip(const char *text, struct addr *a);

/** addr_is_loopback() - 127.0.0.0/8 or ::1 */
bool addr_is_loopback(const struct addr *a);
/** addr_is_any() - 0.0.0.0 or :: */
bool addr_is_any(const struct addr *a);
/** addr_is_multicast() - 224.0.0.0/4, ff00::/8, or 255.255.255.255 */
bool addr_is_multicast(const struct addr *a);

/**
 * addr_text() - "192.0.2.1:80", "[2001:db8::1]:80"
 * @a:    Address; "-" for "none"
 * @buf:  At least ADDR_TEXT bytes
 *
 * Return: @buf
 */
const char *addr_text(const struct addr *a, char *buf);

/** addr_ip_text() - The same without the port and the brackets */
const char *addr_ip_text(const struct addr *a, char *buf);

/** dest_text() - "name:port" if there is a name, else addr_text() */
const char *dest_text(const struct dest *d, char *buf);
