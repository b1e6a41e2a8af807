/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's list of frames, as text. */
#ifndef VMFORK_XEN_EXTENTS_H
#define VMFORK_XEN_EXTENTS_H

#include <stdint.h>

/**
 * extents_parse() - "GFN+COUNT GFN+COUNT ..." in hex, each with a space behind it.
 * @gfns:	room for @npages, as many as there must be
 * @limit:	first gfn that is too high
 * Return: 0 or -EBADMSG.
 */
int extents_parse(const char *text, uint64_t *gfns, uint64_t npages, uint64_t limit);

#endif /* VMFORK_XEN_EXTENTS_H */
