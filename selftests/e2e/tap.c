// SPDX-License-Identifier: GPL-2.0-or-later
/* TAP of a program of several files: a line per result, the plan last. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tap.h"

static unsigned int count, failed;

static void __attribute__((format(printf, 1, 0))) line(const char *fmt, va_list ap)
{
	vprintf(fmt, ap);
	putchar('\n');
	fflush(stdout);
}

bool tap_ok(bool good, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %u - ", good ? "" : "not ", ++count);
	failed += !good;
	va_start(ap, fmt);
	line(fmt, ap);
	va_end(ap);
	return good;
}

void tap_diag(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	line(fmt, ap);
	va_end(ap);
}

void tap_bail(const char *fmt, ...)
{
	va_list ap;

	printf("Bail out! ");
	va_start(ap, fmt);
	line(fmt, ap);
	va_end(ap);
	exit(255);
}

int tap_done(void)
{
	printf("1..%u\n", count);
	fflush(stdout);
	return failed != 0;
}
