/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/addr.h"

#include <stddef.h>

/**
 * datagram_send() - Send by an unconnected UDP socket
 * @fd:    Of @to's family
 * @from:  Which of the machine's addresses it is to come from (IP_PKTINFO);
 *         of another family: whichever the kernel takes
 * @to:    Whom to
 * @data:  What
 * @len:   Of @data
 *
 * A full socket buffer loses it, as a network would.
 */
void datagram_send(int fd, const struct addr *from, const struct addr *to,
		   const void *data, size_t len);
