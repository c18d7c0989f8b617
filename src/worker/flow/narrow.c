// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * narrow.c - a small window for who writes little at a time
 *
 * A fixed buffer, and so a window that the kernel does not widen. Not
 * TCP_WINDOW_CLAMP: Linux 6.18 forgets it whenever packets get longer
 * (tcp_measure_rcv_mss()).
 */
#include "flow/narrow.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

void narrow_look(struct narrow *n, int fd, uint32_t bytes)
{
	const int room = NARROW_ROOM_BYTES;
	struct tcp_info is = { 0 };
	socklen_t len = sizeof(is);

	n->read_bytes += bytes;
	if (n->read_bytes < NARROW_LOOK_BYTES)
		return;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &is, &len) < 0 ||
	    is.tcpi_advmss < NARROW_LINK_MSS) {
		n->state = NARROW_AWAY;
		return;
	}
	if (is.tcpi_data_segs_in < NARROW_PACKETS &&
	    is.tcpi_bytes_received < NARROW_PACKETS * NARROW_PACKET_BYTES)
		return;
	n->state = NARROW_NOT;
	if (is.tcpi_bytes_received <=
		    (uint64_t)is.tcpi_data_segs_in * NARROW_PACKET_BYTES &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)) == 0)
		n->state = NARROW_IS;
}
