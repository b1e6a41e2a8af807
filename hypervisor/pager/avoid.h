/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An "avoid" bitmap: pages whose contents do not matter while they are absent. */
#ifndef VMFORK_PAGER_AVOID_H
#define VMFORK_PAGER_AVOID_H

#include <stdbool.h>
#include <stdint.h>

#include "slots.h"

/**
 * DOC: Avoid bitmaps
 *
 * The bitmap lies in a file that the VM's process can write and could truncate:
 * it is read with pread(2), never mapped, so that no VM can raise SIGBUS here. What
 * cannot be read counts as "matters": a page too many is fetched, none is lost.
 */
struct avoid {
	int fd;			/* -1: no bitmap, everything matters */
	uint64_t offset;	/* bytes, of the bitmap in its file */
	uint64_t bytes;
	struct slots slots;
};

/**
 * avoid_init() - take over @fd (also on failure).
 * Return: 0, or -EINVAL if the file is shorter than the bitmap.
 */
int avoid_init(struct avoid *a, int fd, uint64_t offset, uint64_t bytes,
	       const struct slots *slots);
void avoid_fini(struct avoid *a);

/** avoid_test() - is the bit of file page @page set? @ret_gfn: the page's gfn then. */
bool avoid_test(const struct avoid *a, uint64_t page, uint64_t *ret_gfn);

#endif /* VMFORK_PAGER_AVOID_H */
