// SPDX-License-Identifier: GPL-2.0-or-later
/* Translation of pages of the RAM file to guest frame numbers. */
#include "slots.h"

#include <errno.h>

static bool wraps(uint64_t start, uint64_t n)
{
	return start + n < start;
}

static bool overlap(uint64_t a, uint64_t an, uint64_t b, uint64_t bn)
{
	return a < b + bn && b < a + an;
}

static bool slot_ok(const struct pager_slot *s, uint64_t npages)
{
	return s->npages && !wraps(s->gfn, s->npages) && !wraps(s->page, s->npages) &&
	       s->page + s->npages <= npages;
}

int slots_check(const struct pager_slot *slot, uint32_t n, uint64_t npages)
{
	if (n > PAGER_SLOTS_MAX)
		return -EINVAL;
	for (uint32_t i = 0; i < n; i++) {
		if (!slot_ok(&slot[i], npages))
			return -EINVAL;
		for (uint32_t j = 0; j < i; j++) {
			const struct pager_slot *a = &slot[i], *b = &slot[j];

			if (overlap(a->page, a->npages, b->page, b->npages) ||
			    overlap(a->gfn, a->npages, b->gfn, b->npages))
				return -EINVAL;
		}
	}
	return 0;
}

bool slots_gfn(const struct slots *s, uint64_t page, uint64_t *ret_gfn, uint64_t *ret_left)
{
	for (uint32_t i = 0; i < s->n; i++) {
		const struct pager_slot *p = &s->slot[i];

		if (page < p->page || page - p->page >= p->npages)
			continue;
		*ret_gfn = p->gfn + (page - p->page);
		*ret_left = p->npages - (page - p->page);
		return true;
	}
	return false;
}
