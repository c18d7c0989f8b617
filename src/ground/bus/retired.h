/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * retired.h - how a worker shows that it reads no device any more
 *
 * By its name, which needs no channel to it: whoever told it to retire may not
 * be who started it.
 */

/** RETIRED_NAME - as in /proc/PID/comm; 15 bytes at most */
#define RETIRED_NAME "nsproxy-retired"
