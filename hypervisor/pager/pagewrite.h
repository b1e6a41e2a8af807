/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing one whole page into a file so that nobody can see a part of it. */
#ifndef VMFORK_PAGER_PAGEWRITE_H
#define VMFORK_PAGER_PAGEWRITE_H

#include <stdint.h>

/** pagewrite_init() - once, before privileges are dropped. 0 or a negative errno. */
int pagewrite_init(void);

/**
 * pagewrite() - put the page at @buf (page-aligned) at @offset of @file (tmpfs).
 * Return: 0, or a negative errno: the file is as it was.
 */
int pagewrite(int file, uint64_t offset, const void *buf);

#endif /* VMFORK_PAGER_PAGEWRITE_H */
