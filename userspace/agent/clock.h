/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Milliseconds for reports and limits. */
#ifndef AGENT_CLOCK_H
#define AGENT_CLOCK_H

#include <time.h>

static inline double clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

#endif /* AGENT_CLOCK_H */
