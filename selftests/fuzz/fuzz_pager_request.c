// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: the pager's requests. The first byte is the count of descriptors; its
 * highest bit: cut or fill the message to its right size.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "request.h"
#include "slots.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What is let through must be safe to compute with. */
static void check_slots(const struct pager_req *r)
{
	struct slots s = { .n = r->nslots };
	uint64_t gfn, left;

	memcpy(s.slot, r->slots, sizeof(s.slot));
	for (uint32_t i = 0; i < s.n; i++) {
		const struct pager_slot *p = &s.slot[i];

		if (p->page + p->npages > r->npages ||
		    !slots_gfn(&s, p->page + p->npages - 1, &gfn, &left) ||
		    gfn != p->gfn + p->npages - 1 || left != 1)
			abort();
	}
}

static void check_add(const struct pager_req *r)
{
	if (!r->npages || r->base + r->npages * PAGER_PAGE_SIZE <= r->base ||
	    r->bitmap_offset + r->bitmap_bytes > INT64_MAX || r->nslots > PAGER_SLOTS_MAX)
		abort();
	check_slots(r);
}

/* The descriptors are told apart by source and flags alone: their count must be right. */
static unsigned int want_fds(const struct pager_req *r)
{
	if (r->op == PAGER_CLONE_ADD)
		return 2;
	return (r->source == PAGER_SOURCE_FILE ? 2 : 4) + !!r->lower + !!(r->flags & PAGER_F_RECORD) + !!(r->flags & PAGER_F_EARLIER);
}

static void check_fds(const struct pager_req *r, unsigned int nfds)
{
	if (nfds != want_fds(r))
		abort();
	if (r->op == PAGER_IMAGE_ADD && r->source == PAGER_SOURCE_FILE && r->lower)
		abort();
	if (r->op == PAGER_IMAGE_ADD && r->flags & PAGER_F_EARLIER &&
	    !(r->flags & PAGER_F_RECORD))
		abort();
}

static void try(const void *buf, size_t len, unsigned int nfds)
{
	struct pager_req r;

	if (request_parse(buf, len, nfds, &r) < 0)
		return;
	if (!r.seq || r.seq != request_seq(buf, len))
		abort();
	if (r.op == PAGER_IMAGE_ADD || r.op == PAGER_CLONE_ADD) {
		check_add(&r);
		check_fds(&r, nfds);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t whole[sizeof(struct pager_req)] = { 0 };
	unsigned int nfds;

	if (!len)
		return 0;
	nfds = data[0] & 0x7f;
	len--;
	if (!(data[0] & 0x80)) {
		try(data + 1, len, nfds);
		return 0;
	}
	memcpy(whole, data + 1, len < sizeof(whole) ? len : sizeof(whole));
	try(whole, sizeof(whole), nfds);
	return 0;
}
