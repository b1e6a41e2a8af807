/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Test Anything Protocol: a plan first, a line per result. */
#ifndef VMFORK_TAP_H
#define VMFORK_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned int tap_planned, tap_count, tap_failed;

static inline void tap_plan(unsigned int n)
{
	tap_planned = n;
	printf("TAP version 13\n1..%u\n", n);
	fflush(stdout);
}

__attribute__((format(printf, 2, 3)))
static inline bool tap_ok(bool ok, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("%sok %u - ", ok ? "" : "not ", ++tap_count);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
	fflush(stdout);
	tap_failed += !ok;
	return ok;
}

/* all that is left of the plan cannot be tested here */
static inline void tap_skip_rest(const char *why)
{
	while (tap_count < tap_planned)
		printf("ok %u # SKIP %s\n", ++tap_count, why);
	fflush(stdout);
}

__attribute__((format(printf, 1, 2)))
static inline void tap_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("# ");
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
	fflush(stdout);
}

/* for what no test can go on without */
__attribute__((format(printf, 1, 2), noreturn))
static inline void tap_bail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("Bail out! ");
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
	fflush(stdout);
	exit(1);
}

static inline int tap_end(void)
{
	if (tap_count != tap_planned)
		printf("# %u results, %u planned\n", tap_count, tap_planned);
	return tap_failed || tap_count != tap_planned ? 1 : 0;
}

#endif /* VMFORK_TAP_H */
