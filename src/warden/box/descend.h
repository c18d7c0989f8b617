/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/**
 * descend_count() - How many live processes descend from this one
 *
 * A snapshot for people to read, of at most some thousands; where the kernel
 * does not tell (CONFIG_PROC_CHILDREN), it is 1.
 *
 * Return: the number, zombies not counted
 */
unsigned int descend_count(void);
