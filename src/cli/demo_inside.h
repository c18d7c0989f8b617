/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/**
 * demo_inside() - Try what must not work, in the sandbox, and print a line
 * for each: "1" (as it should be) or "0", what was tried, a tab, what came of
 * it
 *
 * Return: exit status
 */
int demo_inside(void);
