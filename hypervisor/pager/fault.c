// SPDX-License-Identifier: GPL-2.0-or-later
/* The fault path: one page for one clone that waits for it. */
#include "clone.h"

#include <errno.h>
#include <sched.h>

#include "fill.h"
#include "log.h"
#include "util.h"

/**
 * DOC: Answers to a fault
 *
 *   page of the image      the clone's bit   answer
 *   PRESENT                any               wake: the mapping finds it in the file. A VM
 *                                            that shares nothing is given a copy, and of
 *                                            what is behind it if it reads page after page
 *   ZERO                   any               private page of zeros
 *   ABSENT                 set               private page of zeros; image unchanged.
 *                                            In test mode: of poison, if the source
 *                                            has anything but zeros
 *   ABSENT                 clear             fetch once, with what is behind it if the
 *                                            clone reads page after page; zeros: ZERO,
 *                                            as above; else into the file, PRESENT, wake;
 *                                            file full: a private copy
 *
 * Private zeros are given in runs: they take no memory, and what is allocated next is
 * often the page behind.
 *
 * A VM that shares nothing asks for page after page, and each takes it longer than it takes
 * to give a few: the loop would hardly ever be idle. After its faults it gets some of what is
 * going to be filled (fill.c), while it runs on.
 *
 * A fault may be raised several times (more vCPUs, a restart): a private answer is
 * then -EEXIST, and a wake is right for it as for whatever else is there by now.
 * What can be answered by a wrong page only is not answered: the clone is lost.
 */
#define EAGAIN_MAX	1000	/* then a wake: the fault comes again */
#define AGAIN_MAX	1000	/* woken in a row for the same present page */
#define AROUND		AVOID_RUN_MAX	/* pages of zeros given at once */

static union {
	struct pager_poison poison[PAGER_PAGE_SIZE / sizeof(struct pager_poison)];
	uint8_t bytes[PAGER_PAGE_SIZE];
} page_buf __attribute__((aligned(PAGER_PAGE_SIZE)));

static int wake(struct clone *c, uint64_t page)
{
	return c->link.ops->wake(&c->link, page, 1);
}

/* After a private answer: those that need a wake after all. */
static int settle(struct clone *c, uint64_t page, int err)
{
	if (err != -EEXIST && err != -EAGAIN)
		return err;
	c->stats.repeated++;
	return wake(c, page);
}

/* The page, and up to @n - 1 behind it that are to be zeros, too. */
static int give_zeros(struct clone *c, uint64_t page, unsigned int n)
{
	int given;

	for (int i = 0; i < EAGAIN_MAX; i++) {
		given = c->link.ops->zero(&c->link, page, n);
		if (given != -EAGAIN)
			break;
		sched_yield();
	}
	if (given < 0)
		return settle(c, page, given);
	c->stats.zeroed_ahead += (unsigned int)given - 1;
	return 0;
}

static int give_copy(struct clone *c, uint64_t page, const void *data)
{
	int err;

	for (int i = 0; i < EAGAIN_MAX; i++) {
		err = c->link.ops->copy(&c->link, page, data);
		if (err != -EAGAIN)
			break;
		sched_yield();
	}
	return settle(c, page, err);
}

/* Of the pages behind one that was given: up to @n, as far as they are in the image and cared for. */
static unsigned int give_behind(struct clone *c, uint64_t page, unsigned int n)
{
	unsigned int k = 1;

	while (k < n && page + k < c->image->npages &&
	       image_state(c->image, page + k) == PAGE_PRESENT && !avoid_test(&c->avoid, page + k)) {
		int r = c->link.ops->give(&c->link, page + k);

		if (r < 0)	/* nobody waits for it */
			break;
		if (r)
			record_note(&c->image->record, page + k);
		c->stats.fetched += (unsigned int)r;
		c->stats.read_ahead += (unsigned int)r;
		k++;
	}
	return k;
}

/* A page of the image for a VM that has each page for itself. */
static int give_own(struct clone *c, uint64_t page)
{
	unsigned int n = ahead_window(&c->ahead, page);
	int r;

	c->stats.fetched++;
	record_note(&c->image->record, page);
	r = wake(c, page);
	if (!r && n > 1)
		ahead_fetched(&c->ahead, page, give_behind(c, page, n));
	return r;
}

/*
 * A present page that faults on and on is not in the file: the file is not the one
 * that the map belongs to.
 */
static int give_present(struct clone *c, uint64_t page)
{
	if (c->link.ops->give)
		return give_own(c, page);
	c->stats.shared++;
	if (page != c->last_page) {
		c->last_page = page;
		c->again = 0;
	} else {
		c->stats.repeated++;
		if (++c->again > AGAIN_MAX)
			return -EUCLEAN;
	}
	return wake(c, page);
}

/* Of @n pages from @page on: those that are absent and cared for; the first is. */
static unsigned int run_wanted(const struct clone *c, uint64_t page, unsigned int n)
{
	unsigned int k = 1;

	while (k < n && page + k < c->image->npages &&
	       image_state(c->image, page + k) == PAGE_ABSENT && !avoid_test(&c->avoid, page + k))
		k++;
	return k;
}

/* Whether this page is there now, with what is behind it. */
static bool fetch_ahead(struct clone *c, uint64_t page)
{
	unsigned int n = run_wanted(c, page, ahead_window(&c->ahead, page));

	if (n == 1)
		return false;
	image_bring(c->image, page, n);		/* what failed is ABSENT still */
	if (image_state(c->image, page) == PAGE_ABSENT)
		return false;
	for (unsigned int i = 0; i < n; i++) {
		bool data = image_state(c->image, page + i) == PAGE_PRESENT;

		record_note(&c->image->record, page + i);
		c->stats.fetched += data;
		c->stats.read_ahead += data && i;
	}
	ahead_fetched(&c->ahead, page, n);
	return true;
}

static int give_fetched(struct clone *c, uint64_t page)
{
	int r = image_fetch(c->image, page, page_buf.bytes);

	if (r < 0)
		return r;
	record_note(&c->image->record, page);
	if (r == FETCH_ZERO || page_is_zero(page_buf.bytes)) {
		image_set_zero(c->image, page);
		c->stats.zero++;
		return give_zeros(c, page, 1);
	}
	c->stats.fetched++;
	if (image_fill(c->image, page, page_buf.bytes, 1) == 0)
		return wake(c, page);
	c->image->stats.nospace++;
	c->image->full = true;
	c->stats.private_copies++;
	return give_copy(c, page, page_buf.bytes);
}

/* A source that is gone has no zeros to show. */
static bool truly_zero(const struct clone *c, uint64_t page)
{
	int r = image_fetch(c->image, page, page_buf.bytes);

	return r == FETCH_ZERO || (r == FETCH_DATA && page_is_zero(page_buf.bytes));
}

/* Of @n pages from @page on: those before the first that is in the image. */
static unsigned int run_not_present(const struct image *img, uint64_t page, unsigned int n)
{
	unsigned int k = 1;

	while (k < n && image_state(img, page + k) != PAGE_PRESENT)
		k++;
	return k;
}

static unsigned int run_zero(const struct image *img, uint64_t page)
{
	unsigned int k = 1;

	while (k < AROUND && page + k < img->npages && image_state(img, page + k) == PAGE_ZERO)
		k++;
	return k;
}

/* @n: pages from this one on that the clone does not care for */
static int give_avoided(struct clone *c, const struct fault *f, uint64_t gfn, unsigned int n)
{
	c->stats.avoided++;
	c->stats.avoided_write += f->write;
	if (!c->poison)
		return give_zeros(c, f->page, run_not_present(c->image, f->page, n));
	if (truly_zero(c, f->page))
		return give_zeros(c, f->page, 1);
	c->stats.poisoned++;
	for (size_t i = 0; i < ARRAY_SIZE(page_buf.poison); i++)
		page_buf.poison[i] = (struct pager_poison){ PAGER_POISON_MAGIC, gfn };
	return give_copy(c, f->page, page_buf.bytes);
}

static int answer(struct clone *c, const struct fault *f)
{
	unsigned int n;
	uint64_t gfn;

	c->stats.faults++;
	c->stats.write_faults += f->write;
	switch (image_state(c->image, f->page)) {
	case PAGE_PRESENT:
		return give_present(c, f->page);
	case PAGE_ZERO:
		c->stats.zero++;
		return give_zeros(c, f->page, run_zero(c->image, f->page));
	case PAGE_ABSENT:
		break;
	}
	n = avoid_run(&c->avoid, f->page, AROUND, &gfn);
	if (n)
		return give_avoided(c, f, gfn, n);
	if (!fetch_ahead(c, f->page))
		return give_fetched(c, f->page);
	if (image_state(c->image, f->page) == PAGE_PRESENT)
		return wake(c, f->page);
	c->stats.zero++;
	return give_zeros(c, f->page, run_zero(c->image, f->page));
}

static void lose(struct clone *c, int err, const char *why)
{
	c->lost = err;
	c->stats.errors++;
	log_err("clone %llu is lost: %s: errno %d", (unsigned long long)c->handle, why, -err);
}

int clone_serve(struct clone *c)
{
	struct fault faults[VMLINK_BATCH];
	uint64_t start;
	int n;

	n = c->link.ops->read(&c->link, faults);
	if (n < 0) {
		lose(c, n, "its faults cannot be read");
		return n;
	}
	if (!n)
		return 0;
	start = now_ns();
	for (int i = 0; i < n; i++) {
		int err = answer(c, &faults[i]);

		if (err) {
			lose(c, err, "a page cannot be given");
			return err;
		}
	}
	c->stats.serve_ns += now_ns() - start;
	fill_clone_step(c);
	return n;
}
