/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * narrow.h - a small window for who writes little at a time
 *
 * A program that writes 512 octets at a time, and has them sent at once
 * (TCP_NODELAY), makes a packet of each, which costs ten times what the octets
 * do. When its window is shut its kernel joins them instead, into packets of
 * any size. So whose first packets are small gets a window that shuts soon.
 */
#include <stdbool.h>
#include <stdint.h>

/*
 * NARROW_PACKETS of NARROW_PACKET_BYTES on average are small: writes of up to
 * 4 KiB surely are found so, since others are among them that were joined
 * while the proxy was dialled. NARROW_ROOM_BYTES is what SO_RCVBUF is told; the
 * kernel takes twice as much (socket(7)), of which the window is a half at
 * first, and nearly all once packets have been joined. With half as much, or
 * twice, the gain comes less surely.
 */
#define NARROW_PACKETS	    16
#define NARROW_PACKET_BYTES 8192
#define NARROW_ROOM_BYTES   131072
#define NARROW_LOOK_BYTES   16384
#define NARROW_LINK_MSS	    16384

/**
 * enum narrow_state - what is known of a sender
 * @NARROW_LOOKS:  Too little has come; zero, so that a new one is this
 * @NARROW_IS:     Its first packets were small: its window is
 * @NARROW_NOT:    They were not
 * @NARROW_AWAY:   Unknown: this is no link in memory
 */
enum narrow_state {
	NARROW_LOOKS,
	NARROW_IS,
	NARROW_NOT,
	NARROW_AWAY,
};

/**
 * struct narrow - of a TCP socket that is read; zeroed is new
 * @state:       See above
 * @read_bytes:  All that was read, while it LOOKS
 */
struct narrow {
	enum narrow_state state;
	uint32_t read_bytes;
};

/**
 * narrow_look() - After a turn in which the socket was read: look at it
 * @n:      What is known; @state is NARROW_LOOKS
 * @fd:     Any socket
 * @bytes:  So many octets were read, not 0
 *
 * Decides, once, when NARROW_PACKETS or their octets have come. Until then a
 * turn must read NARROW_LOOK_BYTES at most: a window once offered is not taken
 * back (RFC 9293, section 3.8.6), and the kernel offers more to who reads more.
 *
 * A network's window is left alone, and known by its segments: none carries
 * packets of NARROW_LINK_MSS, as `lo` does.
 */
void narrow_look(struct narrow *n, int fd, uint32_t bytes);
