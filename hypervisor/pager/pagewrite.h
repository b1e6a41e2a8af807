/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing one whole page into a file so that nobody can see a part of it. */
#ifndef VMFORK_PAGER_PAGEWRITE_H
#define VMFORK_PAGER_PAGEWRITE_H

#include <stdint.h>

/** pagewrite_init() - once, before privileges are dropped. 0 or a negative errno. */
int pagewrite_init(void);

/**
 * pagewrite() - put @n pages at @buf (page-aligned, at most 16) at @offset of @file (tmpfs).
 * Return: 0, or a negative errno: some pages may be there, whole; the others are as
 * they were.
 */
int pagewrite(int file, uint64_t offset, const void *buf, unsigned int n);

#endif /* VMFORK_PAGER_PAGEWRITE_H */
