// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * load_hist.c - how long things took, as counts that need no room to grow
 *
 * Each power of two has 64 buckets, so a value is true within 2 %.
 */
#include "load.h"

#define FINE	6
#define BUCKETS ((64 - FINE) << FINE)

static atomic_uint counts[BUCKETS];

static unsigned int bucket_of(uint64_t ns)
{
	unsigned int top;

	if (ns < 1u << FINE)
		return (unsigned int)ns;
	top = 63 - (unsigned int)__builtin_clzll(ns);
	return ((top - FINE) << FINE) + (unsigned int)(ns >> (top - FINE));
}

static double middle_of(unsigned int bucket)
{
	unsigned int shift = bucket >> FINE;
	uint64_t fine = bucket & ((1u << FINE) - 1);

	if (!shift)
		return (double)fine;
	shift--;
	return (double)((((uint64_t)1 << FINE) + fine) << shift) +
	       (double)((uint64_t)1 << shift) / 2;
}

void hist_add(uint64_t ns)
{
	unsigned int bucket = bucket_of(ns);

	if (bucket < BUCKETS)
		atomic_fetch_add_explicit(&counts[bucket], 1,
					  memory_order_relaxed);
}

void hist_clear(void)
{
	for (unsigned int i = 0; i < BUCKETS; i++)
		counts[i] = 0;
}

double hist_us(double part)
{
	uint64_t all = 0, seen = 0;

	for (unsigned int i = 0; i < BUCKETS; i++)
		all += counts[i];
	for (unsigned int i = 0; i < BUCKETS && all; i++) {
		seen += counts[i];
		if ((double)seen >= part * (double)all)
			return middle_of(i) / 1000;
	}
	return 0;
}
