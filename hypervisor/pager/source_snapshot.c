// SPDX-License-Identifier: GPL-2.0-or-later
/* A source: the frozen memory of a snapshot process (a child of the parent VM's). */
#include "source.h"

#include <errno.h>
#include <string.h>
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

/* What a clone's snapshot says of these pages; FETCH_DATA: it has copies of its own. */
static int look_up(const struct source *s, uint64_t page, unsigned int n, uint8_t *results)
{
	uint64_t entries[FETCH_MAX];
	int err;

	err = read_whole(s->pagemap, entries, n * sizeof(*entries),
			 (s->base / PAGER_PAGE_SIZE + page) * sizeof(*entries));
	for (unsigned int i = 0; i < n && !err; i++) {
		if (entries[i] & (PM_PRESENT | PM_SWAP) && !(entries[i] & PM_FILE))
			results[i] = FETCH_DATA;
		else
			results[i] = avoid_test(&s->frozen, page + i) ? FETCH_ZERO :
									FETCH_LOWER;
	}
	return err;
}

static int snapshot_fetch(const struct source *s, uint64_t page, unsigned int n, uint8_t *buf,
			  uint8_t *results)
{
	unsigned int from, to;
	int err = 0;

	if (s->lower)
		err = look_up(s, page, n, results);
	else
		memset(results, FETCH_DATA, n);
	for (from = 0; from < n && !err; from = to) {
		for (to = from; to < n && results[to] == FETCH_DATA; to++)
			;
		if (to > from)
			err = read_whole(s->mem, buf + from * PAGER_PAGE_SIZE,
					 (to - from) * PAGER_PAGE_SIZE,
					 s->base + (page + from) * PAGER_PAGE_SIZE);
		else
			to++;
	}
	return err;
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
