// SPDX-License-Identifier: GPL-2.0
/* The free set: pages whose contents do not matter at the fork point. */
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/percpu.h>

#include "avoid.h"
#include "bits.h"
#include "compat.h"
#include "freeset.h"

/**
 * DOC: Why the lists are safe to walk
 *
 * Inside stop_machine() on a kernel without PREEMPT_RT no CPU can be within a
 * spinlock, so the lists of the buddy allocator and of its per-cpu caches stand
 * still and are consistent without a lock. Clones see zeros in these pages. That is
 * what init_on_free expects, and nobody else looks, but for page poisoning, which
 * checks its pattern when a page is allocated.
 */
static DEFINE_PER_CPU(struct vmfork_avoid_counts, counts);

struct vmfork_avoid_policy vmfork_free_set = {
	.name = "free_set",
	.feature = VMFORK_FEATURE_FREE_SET,
	.hazards = VMFORK_HAZARD_PAGE_POISON | VMFORK_HAZARD_ENCRYPTED |
		   VMFORK_HAZARD_PREEMPT_RT,
	.counts = &counts,
	.on = true,
};

VMFORK_AVOID_PARAM(free_set, vmfork_free_set,
		   "tell the host which pages are free, so that clones do not fetch them");

static u64 fill_pages(u8 *map, u64 gfns, const struct page *page, unsigned int order)
{
	return vmfork_bits_set(map, gfns, page_to_pfn(page), 1ULL << order);
}

static u64 fill_buddy(u8 *map, u64 gfns, const struct zone *zone)
{
	const struct page *page;
	unsigned int order, type;
	u64 n = 0;

	for (order = 0; order < VMFORK_NR_ORDERS; order++)
		for (type = 0; type < MIGRATE_TYPES; type++)
			list_for_each_entry(page, &zone->free_area[order].free_list[type],
					    buddy_list)
				n += fill_pages(map, gfns, page, order);
	return n;
}

static unsigned int percpu_order(unsigned int list)
{
	return list < NR_LOWORDER_PCP_LISTS ? list / MIGRATE_PCPTYPES : VMFORK_PCP_HUGE_ORDER;
}

static u64 fill_percpu(u8 *map, u64 gfns, const struct zone *zone)
{
	const struct per_cpu_pages *pcp;
	const struct page *page;
	unsigned int cpu, i;
	u64 n = 0;

	for_each_possible_cpu(cpu) {
		pcp = per_cpu_ptr(zone->per_cpu_pageset, cpu);
		for (i = 0; i < NR_PCP_LISTS; i++)
			list_for_each_entry(page, &pcp->lists[i], pcp_list)
				n += fill_pages(map, gfns, page, percpu_order(i));
	}
	return n;
}

u64 vmfork_freeset_fill(u8 *map, u64 gfns)
{
	struct zone *zone;
	u64 n = 0;
	int nid, i;

	for_each_online_node(nid) {
		for (i = 0; i < MAX_NR_ZONES; i++) {
			zone = &NODE_DATA(nid)->node_zones[i];
			if (!populated_zone(zone))
				continue;
			n += fill_buddy(map, gfns, zone);
			n += fill_percpu(map, gfns, zone);
		}
	}
	vmfork_avoid_count(&vmfork_free_set, n);
	return n;
}
