// SPDX-License-Identifier: GPL-2.0-or-later
/* A source: the frozen memory of a snapshot process (a child of the parent VM's). */
#include "source.h"

#include <errno.h>
#include <unistd.h>

#include "pager_proto.h"

/**
 * DOC: Reading a snapshot process
 *
 * A root VM's RAM is anonymous: what /proc/PID/mem says is the memory, and what was
 * never touched reads as zeros.
 *
 * A clone's RAM is a private mapping of its own (now "lower") image. The snapshot
 * process of a clone has no userfaultfd: reading a hole through its mapping would
 * put a zero page *into the image*. So its pagemap decides, page by page:
 *
 *   present or swapped, and not a file page: a private copy: read it.
 *   else: never written by the clone, so it is what the lower image says, unless the
 *   clone had not touched it and did not care: then zeros, as the clone itself would
 *   have got.
 *
 * The process sleeps until it dies, the bitmap is a frozen copy, lower images only
 * gain pages: the answer for a page never changes, so fetching twice does no harm.
 * When the process is gone both files read as empty (the kernel's mmget_not_zero()
 * fails): that is -ESRCH, never a page of zeros.
 */
#define PM_PRESENT	(1ULL << 63)
#define PM_SWAP		(1ULL << 62)
#define PM_FILE		(1ULL << 61)

static int read_whole(int fd, void *buf, size_t len, uint64_t offset)
{
	ssize_t n;

	do {
		n = pread(fd, buf, len, (off_t)offset);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == (ssize_t)len ? 0 : -ESRCH;
}

/* 1: the snapshot has a copy of its own, 0: it has none */
static int has_private_copy(const struct source *s, uint64_t addr)
{
	uint64_t entry;
	int err;

	err = read_whole(s->pagemap, &entry, sizeof(entry),
			 addr / PAGER_PAGE_SIZE * sizeof(entry));
	if (err)
		return err;
	return entry & (PM_PRESENT | PM_SWAP) && !(entry & PM_FILE);
}

static int snapshot_fetch(const struct source *s, uint64_t page, void *buf)
{
	uint64_t addr = s->base + page * PAGER_PAGE_SIZE;

	if (s->lower) {
		int own = has_private_copy(s, addr);
		uint64_t gfn;

		if (own < 0)
			return own;
		if (!own)
			return avoid_test(&s->frozen, page, &gfn) ? FETCH_ZERO : FETCH_LOWER;
	}
	return read_whole(s->mem, buf, PAGER_PAGE_SIZE, addr);
}

static void snapshot_close(struct source *s)
{
	close(s->mem);
	close(s->pagemap);
	avoid_fini(&s->frozen);
}

static const struct source_ops snapshot_ops = {
	.fetch = snapshot_fetch,
	.close = snapshot_close,
};

void source_snapshot_init(struct source *s, int mem, int pagemap, uint64_t base,
			  const struct avoid *frozen)
{
	*s = (struct source){
		.ops = &snapshot_ops, .mem = mem, .pagemap = pagemap, .base = base,
		.lower = frozen != NULL, .frozen = { .fd = -1 },
	};
	if (frozen)
		s->frozen = *frozen;
}
