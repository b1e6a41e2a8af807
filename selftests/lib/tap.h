/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TAP output of test programs: one line per result, the plan last. */
#ifndef VMFORK_TAP_H
#define VMFORK_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned int tap_count, tap_failed;

static inline void __attribute__((format(printf, 1, 0)))
tap_line(const char *fmt, va_list ap)
{
	vprintf(fmt, ap);
	putchar('\n');
	fflush(stdout);
}

/** tap_ok() - one result. Return: @good. */
static inline bool __attribute__((format(printf, 2, 3)))
tap_ok(bool good, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %u - ", good ? "" : "not ", ++tap_count);
	tap_failed += !good;
	va_start(ap, fmt);
	tap_line(fmt, ap);
	va_end(ap);
	return good;
}

/** tap_diag() - a line for people. */
static inline void __attribute__((format(printf, 1, 2)))
tap_diag(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	tap_line(fmt, ap);
	va_end(ap);
}

/** tap_bail() - nothing more can be tested. */
static inline void __attribute__((format(printf, 1, 2), noreturn))
tap_bail(const char *fmt, ...)
{
	va_list ap;

	printf("Bail out! ");
	va_start(ap, fmt);
	tap_line(fmt, ap);
	va_end(ap);
	exit(255);
}

/** tap_done() - the plan. Return: main()'s status. */
static inline int tap_done(void)
{
	printf("1..%u\n", tap_count);
	fflush(stdout);
	return tap_failed != 0;
}

#endif /* VMFORK_TAP_H */
