/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where libxl puts a PVH domain's RAM. */
#ifndef VMFORK_XEN_PVH_RAM_H
#define VMFORK_XEN_PVH_RAM_H

#include <stdbool.h>
#include <stdint.h>

#include "pager_proto.h"

/**
 * DOC: RAM in two pieces
 *
 * Up to RAM_LOW it is in one piece; the rest is at 4 GiB and above (libxl__build_hvm(): ACPI
 * tables, the local APIC and Xen's own pages are in between). Images are as long as the
 * highest gfn needs, each page at its gfn, and have a hole where the guest has no RAM: there
 * is nothing to translate.
 */
#define RAM_LOW		0xfc000000ULL
#define RAM_HIGH	0x100000000ULL

static inline uint64_t pvh_low_pages(uint64_t memory)
{
	return (memory < RAM_LOW ? memory : RAM_LOW) / PAGER_PAGE_SIZE;
}

/** pvh_pages() - one more than the highest gfn of @memory bytes. */
static inline uint64_t pvh_pages(uint64_t memory)
{
	return (memory <= RAM_LOW ? memory : memory - RAM_LOW + RAM_HIGH) / PAGER_PAGE_SIZE;
}

/** pvh_has_ram() - is @gfn, which is below pvh_pages(), RAM? */
static inline bool pvh_has_ram(uint64_t gfn)
{
	return gfn < RAM_LOW / PAGER_PAGE_SIZE || gfn >= RAM_HIGH / PAGER_PAGE_SIZE;
}

static inline unsigned int pvh_slots(uint64_t memory, struct pager_slot *slots)
{
	uint64_t low = pvh_low_pages(memory), high = RAM_HIGH / PAGER_PAGE_SIZE;

	slots[0] = (struct pager_slot){ .npages = low };
	if (memory <= RAM_LOW)
		return 1;
	slots[1] = (struct pager_slot){
		.gfn = high, .page = high, .npages = pvh_pages(memory) - high,
	};
	return 2;
}

#endif /* VMFORK_XEN_PVH_RAM_H */
