// SPDX-License-Identifier: GPL-2.0
/* I/O overwrite: pages that a block read of a clone will overwrite as a whole. */
#include <linux/blk-mq.h>
#include <linux/mm.h>
#include <linux/percpu.h>

#include "avoid.h"
#include "hook.h"

/**
 * DOC: Which reads, and what if they fail
 *
 * block_rq_issue is the last thing that happens before a driver gives a request to its
 * device. Requests that fail earlier (a device-mapper target, a dying queue, REQ_NOWAIT)
 * mark nothing. Only REQ_OP_READ counts: who passes commands through to a device may get
 * less than the buffer, a read that succeeded has filled it. Only pages that lie within
 * one segment as a whole are marked: nothing else lives in them.
 *
 * From the mark on, a marked page that was absent holds zeros or what the parent had there,
 * until the data arrives. If the request fails it is left so:
 *
 *   page cache    PG_uptodate is not set: nobody may read it; a new read fills it again
 *   swap-in       the same, and the page was free before anyway
 *   O_DIRECT      read() has failed, and what it leaves in the buffer is undefined, as with
 *                 any device that had begun to transfer. Pages of the buffer beyond the end
 *                 of the file are in no request, so a short read leaves them alone
 *   bounce buffer copied to its owner whole or not at all
 *   RAID, dm      the upper device reads again from elsewhere, or fails as above
 */
static DEFINE_PER_CPU(struct vmfork_avoid_counts, counts);

static void mark_whole_pages(const struct bio_vec *bv)
{
	unsigned int begin = PAGE_ALIGN(bv->bv_offset);
	unsigned int end = (bv->bv_offset + bv->bv_len) & PAGE_MASK;

	if (end > begin)
		vmfork_avoid_mark(&vmfork_io_overwrite,
				  page_to_pfn(bv->bv_page) + (begin >> PAGE_SHIFT),
				  (end - begin) >> PAGE_SHIFT);
}

static void on_rq_issue(void *data, struct request *rq)
{
	struct req_iterator iter;
	struct bio_vec bv;

	if (req_op(rq) != REQ_OP_READ)
		return;
	rq_for_each_bvec(bv, rq, iter)
		mark_whole_pages(&bv);
}

static struct vmfork_hook hook = { .name = "block_rq_issue", .probe = on_rq_issue };

static int enable(void)
{
	return vmfork_hook_on(&hook);
}

static void disable(void)
{
	vmfork_hook_off(&hook);
}

struct vmfork_avoid_policy vmfork_io_overwrite = {
	.name = "io_overwrite",
	.feature = VMFORK_FEATURE_IO,
	.hazards = VMFORK_HAZARD_ENCRYPTED,
	.enable = enable,
	.disable = disable,
	.counts = &counts,
	.on = true,
};

VMFORK_AVOID_PARAM(io_overwrite, vmfork_io_overwrite,
		   "do not fetch pages that a block read overwrites");
