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
 * A VM that shares no pages (vmlink_ops.give) is filled instead, each for itself, with what
 * is in the image, in the same order. Pages of zeros stay away: there they take memory. What
 * one clone asked for is not in the image for the next one there; so a clone's record is all
 * that had been asked for when it began, by earlier clones of the same image, too. It gets a
 * step after its faults, too (fault.c): a machine that shares its CPUs with the pager asks for
 * its next page before the loop has a moment to itself.
 *
 * An image is memory. It is filled up to a limit, and not into the last eighth of its
 * file system, which is for pages that somebody waits for.
 */
#define LOOK_MAX	1024U	/* pages looked at in one step */
#define RESERVE		8U	/* of the file system, in parts */

/** struct goal - what is filled: an image, or the memory of a clone that shares none. */
struct goal {
	struct image *img;
	const struct avoid *avoid;
	struct fill *fill;
	struct vmlink *link;	/* NULL: the image */
};

void fill_begin(struct image *img, uint64_t left, bool all)
{
	img->fill = (struct fill){
		.left = left, .all = all, .known = record_seeded(&img->record),
	};
}

void fill_clone_begin(struct clone *c)
{
	struct image *img = c->image;

	record_settle(&img->record);
	c->fill = (struct fill){
		.left = img->fill.left, .all = img->fill.all, .known = record_count(&img->record),
	};
}

static bool wanted(const struct goal *g, uint64_t page)
{
	return image_state(g->img, page) == (g->link ? PAGE_PRESENT : PAGE_ABSENT) &&
	       !avoid_test(g->avoid, page);
}

/* In the order of the record, sorted: neighbours become one read. */
static unsigned int from_record(const struct goal *g, uint64_t *pages)
{
	unsigned int n = 0, k;

	for (unsigned int i = 0; i < LOOK_MAX && n < FETCH_MAX; i++) {
		uint64_t page = record_next(&g->img->record, &g->fill->entry, g->fill->known);

		if (page == UINT64_MAX)
			break;
		if (!wanted(g, page))
			continue;
		for (k = n++; k && pages[k - 1] > page; k--)
			pages[k] = pages[k - 1];
		pages[k] = page;
	}
	return n;
}

static unsigned int from_all(const struct goal *g, uint64_t *pages)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < LOOK_MAX && n < FETCH_MAX; i++) {
		uint64_t page = g->fill->page;

		if (page == g->img->npages)
			break;
		g->fill->page++;
		if (!record_held_back(&g->img->record, page) && wanted(g, page))
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

static int fill_image(struct image *img, const uint64_t *pages, unsigned int n)
{
	return has_room(img) ? fetch(img, pages, n) : -1;
}

static int fill_vm(const struct goal *g, const uint64_t *pages, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		int r = g->link->ops->give(g->link, pages[i]);

		if (r < 0)
			return r;
		g->img->stats.prefetched += (unsigned int)r;
	}
	return 0;
}

/* What fails is said to who needs a page, not here: that is the end of it. */
static bool step(const struct goal *g)
{
	uint64_t pages[FETCH_MAX];
	struct fill *f = g->fill;
	uint32_t entry = f->entry;
	uint64_t page = f->page;
	unsigned int n;

	if (!f->left)
		return false;
	n = from_record(g, pages);
	if (!n && f->entry == entry && f->all)
		n = from_all(g, pages);
	if (n > f->left)
		n = (unsigned int)f->left;
	f->left -= n;
	if (n && (g->link ? fill_vm(g, pages, n) : fill_image(g->img, pages, n)))
		f->left = 0;
	return f->left && (f->entry != entry || f->page != page);
}

bool fill_step(struct image *img, const struct avoid *avoid)
{
	const struct goal g = { .img = img, .avoid = avoid, .fill = &img->fill };

	return step(&g);
}

bool fill_clone_step(struct clone *c)
{
	const struct goal g = {
		.img = c->image, .avoid = &c->avoid, .fill = &c->fill, .link = &c->link,
	};

	return c->link.ops->give && step(&g);
}
