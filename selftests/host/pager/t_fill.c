// SPDX-License-Identifier: GPL-2.0-or-later
/* Records and background fill: what is filled, what is not, and what a killed pager leaves. */
#include <errno.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

/* The root's RAM: data in the first pages, zeros in the others. The clones use some of both. */
#define DATA		2500
#define USED_DATA	1000, 1500
#define USED_ZEROS	2500, 100
#define USED_N		1600LL
#define NEW		0, 100

struct scene {
	struct pgproc pg;
	struct vm root;
};

static bool scene_start(struct scene *s)
{
	return same(pg_start(&s->pg), 0, "the pager starts") &&
	       same(vm_start(&s->root), 0, "a VM starts") &&
	       same(vm_fill(&s->root, 0, DATA, 1), 0, "it has data");
}

static void scene_end(struct scene *s)
{
	same(pg_stop(&s->pg), 0, "the pager ends well");
	vm_kill(&s->root);
}

static bool fork_root(struct scene *s, struct image_rig *img, struct vm *c)
{
	return same(image_add(&s->pg, img), 0, "an image") &&
	       same(clone_start(c, img), 0, "its clone") &&
	       same(clone_add(&s->pg, c, img, 0), 0, "is added");
}

static void end_fork(struct scene *s, struct image_rig *img, struct vm *c)
{
	same(pg_clone_del(&s->pg, c->handle), 0, "the clone is removed");
	vm_kill(c);
	same(pg_image_del(&s->pg, img->handle), 0, "and the image");
}

static struct pager_image_stats stats(struct scene *s, const struct image_rig *img)
{
	return pg_image_stats(&s->pg, img->handle);
}

static void use(struct vm *c)
{
	same(vm_check(c, USED_DATA, 1), 0, "the clone reads data");
	same(vm_check(c, USED_ZEROS, 0), 0, "and zeros");
}

static void first_fork(struct scene *s, struct image_rig *img)
{
	struct pager_image_stats st;
	struct vm c;

	if (!fork_root(s, img, &c))
		return;
	use(&c);
	st = stats(s, img);
	same((long long)st.recorded, USED_N, "what the clone asked for is recorded");
	same((long long)(st.seeded + st.prefetched), 0, "nothing was known before");
	same((long long)pg_clone_stats(&s->pg, c.handle).fetched, 1500, "data was fetched");
	end_fork(s, img, &c);
}

/* Its clone uses the same pages, and 100 more. */
static void second_fork(struct scene *s, struct image_rig *img)
{
	struct pager_image_stats st;
	struct pager_clone_stats cs;
	struct vm c;

	if (!fork_root(s, img, &c))
		return;
	st = stats(s, img);
	same((long long)st.seeded, USED_N, "the second image begins with that record");
	ok(st.probes > USED_N / 32 && st.probes < USED_N / 8, "%llu pages are held back",
	   (unsigned long long)st.probes);
	ok(image_filled(&s->pg, img, USED_N - st.probes), "the others are filled");
	use(&c);
	same(vm_check(&c, NEW, 1), 0, "and what was not used before");
	st = stats(s, img);
	cs = pg_clone_stats(&s->pg, c.handle);
	same((long long)st.probes_used, (long long)st.probes, "all held back were asked for");
	same((long long)st.recorded, USED_N + 100, "what is new is recorded");
	ok(cs.fetched <= st.probes + 100, "nothing else was fetched");
	same((long long)(cs.faults + cs.zeroed_ahead), (long long)cs.fetched + 100,
	     "nor raised a fault, but for zeros");
	end_fork(s, img, &c);
}

/* Its clone uses nothing at all. */
static long long third_fork(struct scene *s, struct image_rig *img)
{
	struct pager_image_stats st;
	struct vm c;

	if (!fork_root(s, img, &c))
		return 0;
	st = stats(s, img);
	same((long long)st.seeded, USED_N + 100, "the third image has all that");
	ok(image_filled(&s->pg, img, st.seeded - st.probes), "and is filled");
	end_fork(s, img, &c);
	return (long long)(st.seeded - st.probes);
}

void test_record(void)
{
	struct image_rig img[4];
	long long left;
	struct scene s;

	if (!scene_start(&s))
		return;
	for (int i = 0; i < 4; i++) {
		same(image_take(&img[i], &s.root, -1, 0), 0, "a fork");
		img[i].fill = RIG_PAGES;
		img[i].earlier = i ? img[i - 1].record : -1;
	}
	first_fork(&s, &img[0]);
	second_fork(&s, &img[1]);
	left = third_fork(&s, &img[2]);
	same(image_add(&s.pg, &img[3]), 0, "the fourth image");
	same((long long)stats(&s, &img[3]).seeded, left, "has not what was held back in vain");
	for (int i = 0; i < 4; i++)
		image_drop(&img[i]);
	scene_end(&s);
}

static int fill_now(struct scene *s, const struct image_rig *img, uint64_t pages, uint32_t flags)
{
	struct pager_req req = {
		.op = PAGER_IMAGE_FILL, .handle = img->handle, .fill = pages, .flags = flags,
	};

	return pg_call(&s->pg, &req, NULL, 0, NULL);
}

/* The answer to a request says that no event is waiting; a step is done after it. */
static void let_idle(struct scene *s)
{
	for (int i = 0; i < 100; i++)
		pg_image_stats(&s->pg, 1);
	usleep(100000);
}

static void check_limits(struct scene *s, struct image_rig *img, struct vm *c)
{
	let_idle(s);
	same((long long)stats(s, img).prefetched, 0, "no fill is wanted: nothing is filled");
	same(fill_now(s, img, RIG_PAGES, 0), 0, "a fill by the record");
	let_idle(s);
	same((long long)stats(s, img).prefetched, 0, "has nothing to do without a record");
	same(fill_now(s, img, 200, PAGER_F_FILL_ALL), 0, "a fill of 200 pages of all");
	ok(image_filled(&s->pg, img, 200), "fills 200");
	let_idle(s);
	same((long long)stats(s, img).prefetched, 200, "and no more");
	same(vm_check(c, 0, 200, 1), 0, "with the right bytes");
	same((long long)pg_clone_stats(&s->pg, c->handle).faults, 0, "which raise no fault");
}

void test_fill(void)
{
	struct image_rig img;
	struct scene s;
	struct vm c;

	if (!scene_start(&s) || !same(image_take(&img, &s.root, -1, 0), 0, "a fork") ||
	    !fork_root(&s, &img, &c))
		return;
	vm_avoid(&c, RIG_HALF, 100, true);
	check_limits(&s, &img, &c);
	same(fill_now(&s, &img, RIG_PAGES, PAGER_F_FILL_ALL), 0, "a fill of all");
	ok(image_filled(&s.pg, &img, RIG_PAGES - 100), "leaves out what the clone avoids");
	same(image_state_of(&img, RIG_HALF), PAGE_ABSENT, "that is ABSENT still");
	same((long long)image_pages_in_file(&img), DATA - 100, "zeros are holes of the image");
	same(vm_check(&c, 0, RIG_HALF, 1), 0, "data is right");
	same(vm_check(&c, RIG_HALF, 100, 0), 0, "what is avoided is zeros");
	same(vm_check(&c, RIG_HALF + 100, DATA - RIG_HALF - 100, 1), 0, "data behind it, too");
	same(vm_check(&c, DATA, RIG_PAGES - DATA, 0), 0, "and zeros");
	same((long long)pg_clone_stats(&s.pg, c.handle).fetched, 0,
	     "nothing is fetched for a fault");
	end_fork(&s, &img, &c);
	same(fill_now(&s, &img, 1, 0), -ENOENT, "an image that is gone is not filled");
	image_drop(&img);
	scene_end(&s);
}

/* A clone forks: its image is filled from its own pages and from the image below. */
void test_fill_lower(void)
{
	struct image_rig first, second;
	struct vm a, c;
	struct scene s;
	uint64_t in_file;

	if (!scene_start(&s) || !same(image_take(&first, &s.root, -1, 0), 0, "a fork") ||
	    !fork_root(&s, &first, &a))
		return;
	same(vm_check(&a, 0, 700, 1), 0, "the clone reads");
	vm_fill(&a, 500, 500, 2);
	vm_avoid(&a, 1500, 100, true);
	if (!same(image_take(&second, &a, -1, first.handle), 0, "it is forked"))
		return;
	in_file = image_pages_in_file(&first);
	second.fill = RIG_PAGES;
	second.fill_flags = PAGER_F_FILL_ALL;
	if (!fork_root(&s, &second, &c))
		return;
	ok(image_filled(&s.pg, &second, RIG_PAGES), "its image is filled");
	same((long long)image_pages_in_file(&first), (long long)in_file, "the lower one is not");
	same(vm_check(&c, 0, 500, 1), 0, "pages from below");
	same(vm_check(&c, 500, 500, 2), 0, "pages of its own");
	same(vm_check(&c, 1000, 500, 1), 0, "pages that nobody had touched");
	same(vm_check(&c, 1500, 100, 0), 0, "pages that its parent did not care for");
	same(vm_check(&c, 1600, DATA - 1600, 1), 0, "data");
	same(vm_check(&c, DATA, RIG_PAGES - DATA, 0), 0, "zeros");
	same((long long)pg_clone_stats(&s.pg, c.handle).fetched, 0, "none was fetched for a fault");
	end_fork(&s, &second, &c);
	end_fork(&s, &first, &a);
	image_drop(&second);
	image_drop(&first);
	scene_end(&s);
}
