// SPDX-License-Identifier: GPL-2.0-or-later
/* Sizes and numbers as people write and read them. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "size.h"

static const char units[] = "KMGT";

/* digits from @text. Return: what follows them, or NULL if none or too many */
static const char *digits(const char *text, uint64_t *ret)
{
	uint64_t n = 0;

	if (!isdigit((unsigned char)*text))
		return NULL;
	for (; isdigit((unsigned char)*text); text++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*text - '0'), &n))
			return NULL;
	*ret = n;
	return text;
}

int size_parse(const char *text, uint64_t *ret_bytes)
{
	const char *rest, *unit;
	unsigned int shift = 0;
	uint64_t n;

	rest = digits(text, &n);
	if (!rest)
		return isdigit((unsigned char)*text) ? -ERANGE : -EINVAL;
	if (*rest) {
		unit = strchr(units, toupper((unsigned char)*rest));
		if (!unit || rest[1])
			return -EINVAL;
		shift = 10 * (unsigned int)(unit - units + 1);
	}
	if (n > UINT64_MAX >> shift)
		return -ERANGE;
	*ret_bytes = n << shift;
	return 0;
}

int number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t n;
	const char *rest = digits(text, &n);

	if (!rest || *rest || n < min || n > max)
		return -EINVAL;
	*ret = n;
	return 0;
}

const char *size_text(uint64_t bytes, char text[SIZE_TEXT])
{
	double n = (double)bytes;
	unsigned int tenths;
	size_t unit = 0;

	/* what would be printed as 1000 or more goes to the next unit */
	while (n >= 999.5 && unit < sizeof(units) - 1) {
		n /= 1024;
		unit++;
	}
	tenths = (unsigned int)(n * 10 + 0.5);
	if (unit == 0)
		snprintf(text, SIZE_TEXT, "%" PRIu64, bytes);
	else
		snprintf(text, SIZE_TEXT, "%.*f%c", tenths < 100 && tenths % 10 ? 1 : 0, n,
			 units[unit - 1]);
	return text;
}

const char *duration_text(uint64_t ms, char text[SIZE_TEXT])
{
	uint64_t s = ms / 1000;

	if (ms < 1000)
		snprintf(text, SIZE_TEXT, "%" PRIu64 "ms", ms);
	else if (s < 60)
		snprintf(text, SIZE_TEXT, "%" PRIu64 ".%" PRIu64 "s", s, ms % 1000 / 100);
	else if (s < 3600)
		snprintf(text, SIZE_TEXT, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(text, SIZE_TEXT, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s / 60 % 60);
	else
		snprintf(text, SIZE_TEXT, "%" PRIu64 "d%02" PRIu64 "h", s / 86400, s / 3600 % 24);
	return text;
}
