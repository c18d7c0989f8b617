/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * load.h - what the rooms of the traffic generator share
 */
#ifndef LOAD_H
#define LOAD_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNK (256 * 1024)
#define IDLE_PORTS \
	4 /* idle flows are spread over as many ports of the far end */

/** struct load - what was asked for */
struct load {
	const char *mode;
	double secs;
	int streams;
	int size;   /* octets of a write or a datagram */
	int window; /* datagrams or queries under way */
	int names;  /* how many names are asked for, over and over */
	long count; /* do as much and no more; 0: as much as SECS allow */
	struct sockaddr_in far_end;
	struct sockaddr_in proxy; /* port 0: none */
};

extern struct load load;
extern atomic_bool is_over;
extern atomic_long total; /* octets, connections, round trips or queries */
extern atomic_long lost;

bool is_done(void);
void die(const char *what) __attribute__((noreturn));
uint64_t now_ns(void);

int tcp_socket(void);
bool read_full(int fd, void *to, size_t len);
int reach(char wish, int nth);
bool socks_ask(int fd, uint8_t command, const struct sockaddr_in *what,
	       struct sockaddr_in *ret_bound);

void hist_add(uint64_t ns);
void hist_clear(void);
double hist_us(double part);

void server(void) __attribute__((noreturn));
void *tcp_stream(void *nth);
void *tcp_conn(void *nth);
void *tcp_ping(void *nth);
void tcp_idle(void);
void *udp_echo(void *nth);
void *dns_udp(void *nth);
void *dns_tcp(void *nth);

#endif
