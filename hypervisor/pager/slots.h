/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Translation of pages of the RAM file to guest frame numbers. */
#ifndef VMFORK_PAGER_SLOTS_H
#define VMFORK_PAGER_SLOTS_H

#include <stdbool.h>

#include "pager_proto.h"

/** struct slots - as checked by slots_check(); pages outside of all have no gfn. */
struct slots {
	uint32_t n;
	struct pager_slot slot[PAGER_SLOTS_MAX];
};

/**
 * slots_check() - are these slots good for a RAM file of @npages pages?
 * Return: 0, or -EINVAL if one is empty, wraps, lies outside the file or overlaps
 * another, in file pages or in gfns.
 */
int slots_check(const struct pager_slot *slot, uint32_t n, uint64_t npages);

/**
 * slots_gfn() - the gfn of file page @page; false if no slot has it.
 * @ret_left:	how many pages of its slot there are from it on
 */
bool slots_gfn(const struct slots *s, uint64_t page, uint64_t *ret_gfn, uint64_t *ret_left);

#endif /* VMFORK_PAGER_SLOTS_H */
