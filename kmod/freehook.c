// SPDX-License-Identifier: GPL-2.0
/* The free hook: pages that a clone frees, before it has ever fetched them. */
#include <linux/mm.h>
#include <linux/percpu.h>

#include "avoid.h"
#include "hook.h"

/**
 * DOC: Why one tracepoint is enough
 *
 * Every page that goes to the buddy allocator or to its per-CPU lists passes
 * free_pages_prepare(), and mm_page_free is its first statement: nobody has a reference
 * then, and what is written afterwards (init_on_free, poison) makes the page present.
 * mm_page_free_batched tells of pages that come by there again. What moves free pages
 * about (compaction, isolation, offlining) does not pass, and need not: they were free.
 *
 * Who allocates a page gets the bit with it. An allocation that is to be zeros is zeroed by
 * writing, or, with init_on_free, was: that is before the bit matters, or zeros.
 */
static DEFINE_PER_CPU(struct vmfork_avoid_counts, counts);

static void on_page_free(void *data, struct page *page, unsigned int order)
{
	vmfork_avoid_mark(&vmfork_free_hook, page_to_pfn(page), 1UL << order);
}

static struct vmfork_hook hook = { .name = "mm_page_free", .probe = on_page_free };

static int enable(void)
{
	return vmfork_hook_on(&hook);
}

static void disable(void)
{
	vmfork_hook_off(&hook);
}

struct vmfork_avoid_policy vmfork_free_hook = {
	.name = "free_hook",
	.feature = VMFORK_FEATURE_FREE_HOOK,
	/* with page_poison=1 a freed page is written at once: nothing is gained */
	.hazards = VMFORK_HAZARD_PAGE_POISON | VMFORK_HAZARD_ENCRYPTED,
	.enable = enable,
	.disable = disable,
	.counts = &counts,
	.on = true,
};

VMFORK_AVOID_PARAM(free_hook, vmfork_free_hook, "do not fetch pages that were freed since the fork");
