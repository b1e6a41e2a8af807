// SPDX-License-Identifier: GPL-2.0-or-later
/* Filling an image before its pages are asked for. */
#include "fill.h"

#include <sys/statvfs.h>

/**
 * DOC: Background fill
 *
 * The loop calls fill_step() when no event is there, and looks for events after each
 * step: a fault waits for one step at most, FETCH_MAX pages. The pages of the earlier
 * record come first, in their order, as far as they are absent and the clone cares for
 * them; then, if that is wanted, all others in the order of the file.
 *
 * It is the image that is filled, with what its source says: that is right at any time,
 * whoever else writes there. Nothing is given to a clone, and nobody is woken: who waits
 * for such a page has raised an event, and that is answered.
 *
 * An image is memory. It is filled up to a limit, and not into the last eighth of its
 * file system, which is for pages that somebody waits for.
 */
#define LOOK_MAX	1024U	/* pages looked at in one step */
#define RESERVE		8U	/* of the file system, in parts */

static bool wanted(const struct image *img, uint64_t page, const struct avoid *avoid)
{
	return image_state(img, page) == PAGE_ABSENT && !avoid_test(avoid, page);
}

/* In the order of the record, sorted: neighbours become one read. */
static unsigned int from_record(struct image *img, const struct avoid *avoid, uint64_t *pages)
{
	unsigned int n = 0, k;

	for (unsigned int i = 0; i < LOOK_MAX && n < FETCH_MAX; i++) {
		uint64_t page = record_next(&img->record, &img->fill.entry);

		if (page == UINT64_MAX)
			break;
		if (!wanted(img, page, avoid))
			continue;
		for (k = n++; k && pages[k - 1] > page; k--)
			pages[k] = pages[k - 1];
		pages[k] = page;
	}
	return n;
}

static unsigned int from_all(struct image *img, const struct avoid *avoid, uint64_t *pages)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < LOOK_MAX && n < FETCH_MAX; i++) {
		uint64_t page = img->fill.page;

		if (page == img->npages)
			break;
		img->fill.page++;
		if (!record_held_back(&img->record, page) && wanted(img, page, avoid))
			pages[n++] = page;
	}
	return n;
}

static int fetch(struct image *img, const uint64_t *pages, unsigned int n)
{
	unsigned int from, to;

	for (from = 0; from < n; from = to) {
		for (to = from + 1; to < n && pages[to] == pages[to - 1] + 1; to++)
			;
		if (image_bring(img, pages[from], to - from))
			return -1;
		img->stats.prefetched += to - from;
	}
	return 0;
}

static bool has_room(const struct image *img)
{
	struct statvfs fs;

	return fstatvfs(img->file, &fs) == 0 &&
	       (!fs.f_blocks || fs.f_bavail > fs.f_blocks / RESERVE);
}

/* A source that is gone or a full file is said to who needs a page, not here. */
static void give_up(struct image *img)
{
	img->fill.left = 0;
}

bool fill_step(struct image *img, const struct avoid *avoid)
{
	uint64_t pages[FETCH_MAX];
	struct fill *f = &img->fill;
	uint32_t entry = f->entry;
	uint64_t page = f->page;
	unsigned int n;

	if (!f->left)
		return false;
	n = from_record(img, avoid, pages);
	if (!n && f->entry == entry && f->all)
		n = from_all(img, avoid, pages);
	if (n > f->left)
		n = (unsigned int)f->left;
	f->left -= n;
	if (n && (!has_room(img) || fetch(img, pages, n)))
		give_up(img);
	return f->left && (f->entry != entry || f->page != page);
}
