/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes and numbers as people write and read them. */
#ifndef VMFORKCTL_SIZE_H
#define VMFORKCTL_SIZE_H

#include <stddef.h>
#include <stdint.h>

#define SIZE_TEXT 24

/**
 * size_parse() - "512M": digits, then nothing (bytes) or one of K, M, G, T (powers of
 * 1024, small letters too). Nothing else: no sign, space, fraction or "MB".
 * Return: 0, -EINVAL, or -ERANGE if it does not fit.
 */
int size_parse(const char *text, uint64_t *ret_bytes);

/** size_text() - "512M", "1.5G", "96K", "17"; rounded to three digits or so. */
const char *size_text(uint64_t bytes, char text[SIZE_TEXT]);

/** number_parse() - digits only, @min..@max. Return: 0 or -EINVAL. */
int number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *ret);

/** duration_text() - "850ms", "12.3s", "4m10s", "3h05m", "2d07h". */
const char *duration_text(uint64_t ms, char text[SIZE_TEXT]);

#endif /* VMFORKCTL_SIZE_H */
