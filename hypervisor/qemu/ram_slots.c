// SPDX-License-Identifier: GPL-2.0-or-later
/* Where QEMU's PC machines put the RAM file into the guest's address space. */
#include "ram_slots.h"

#include <string.h>

#include "util.h"

#define HIGH_RAM	0x100000000ULL

/* RAM of @limit bytes or more is split at @split: hw/i386/pc_piix.c and pc_q35.c */
static const struct {
	const char *machine;
	uint64_t limit;
	uint64_t split;
} rules[] = {
	{ "pc", 0xe0000000, 0xc0000000 },
	{ "q35", 0xb0000000, 0x80000000 },
};

unsigned int ram_slots(const char *machine, uint64_t memory, struct pager_slot *slots)
{
	uint64_t low = memory;

	for (unsigned int i = 0; i < ARRAY_SIZE(rules); i++) {
		if (strcmp(machine, rules[i].machine))
			continue;
		if (memory >= rules[i].limit)
			low = rules[i].split;
		slots[0] = (struct pager_slot){ .npages = low / PAGER_PAGE_SIZE };
		if (low == memory)
			return 1;
		slots[1] = (struct pager_slot){
			.gfn = HIGH_RAM / PAGER_PAGE_SIZE,
			.page = low / PAGER_PAGE_SIZE,
			.npages = (memory - low) / PAGER_PAGE_SIZE,
		};
		return 2;
	}
	return 0;
}

size_t bitmap_bytes(const struct pager_slot *slots, unsigned int n)
{
	uint64_t gfns = 0, bytes;

	for (unsigned int i = 0; i < n; i++) {
		if (slots[i].gfn + slots[i].npages > gfns)
			gfns = slots[i].gfn + slots[i].npages;
	}
	bytes = (gfns + 7) / 8;
	return (bytes + PAGER_PAGE_SIZE - 1) / PAGER_PAGE_SIZE * PAGER_PAGE_SIZE;
}
