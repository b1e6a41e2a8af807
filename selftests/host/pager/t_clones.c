// SPDX-License-Identifier: GPL-2.0-or-later
/* Clones of a snapshot: contents, sharing, zero pages, avoid bitmaps, generations. */
#include <unistd.h>

#include "rig.h"
#include "tap.h"

/* Pages of the first test: pattern, zeros that were written, never touched. */
#define DATA		0, 3000
#define WRITTEN_ZERO	3000, 96
#define UNTOUCHED	3096, 1000

struct scene {
	struct pgproc pg;
	struct vm root;
	struct image_rig img;
};

static bool scene_start(struct scene *s)
{
	if (!same(pg_start(&s->pg), 0, "the pager starts") ||
	    !same(vm_start(&s->root), 0, "a VM starts and says hello"))
		return false;
	vm_fill(&s->root, DATA, 1);
	vm_fill(&s->root, WRITTEN_ZERO, 0);
	return same(image_take(&s->img, &s->root, -1, 0), 0, "it is snapshot") &&
	       same(image_add(&s->pg, &s->img), 0, "the image is added");
}

static void scene_end(struct scene *s)
{
	same(pg_image_del(&s->pg, s->img.handle), 0, "the image is removed");
	same(pg_stop(&s->pg), 0, "the pager ends well");
	image_drop(&s->img);
	vm_kill(&s->root);
}

static bool start_clone(struct scene *s, struct vm *c, uint32_t flags)
{
	return same(clone_start(c, &s->img), 0, "a clone is mapped") &&
	       same(clone_add(&s->pg, c, &s->img, flags), 0, "the clone is added");
}

static void end_clone(struct scene *s, struct vm *c)
{
	same(pg_clone_del(&s->pg, c->handle), 0, "the clone is removed");
	vm_kill(c);
}

static void first_clone(struct scene *s, struct vm *a)
{
	struct pager_clone_stats st;

	same(vm_check(a, DATA, 1), 0, "clone: data as of the fork");
	same(vm_check(a, WRITTEN_ZERO, 0), 0, "clone: written zeros");
	same(vm_check(a, UNTOUCHED, 0), 0, "clone: what was never touched is zeros");
	st = pg_clone_stats(&s->pg, a->handle);
	same((long long)st.fetched, 3000, "each page with data was fetched once");
	same((long long)st.zero, 1096, "the others were zeros");
	same((long long)st.errors, 0, "no errors");
	same((long long)image_pages_in_file(&s->img), 3000, "zero pages are holes of the image");
	same(image_state_of(&s->img, 0), PAGE_PRESENT, "a data page is PRESENT in the map");
	same(image_state_of(&s->img, 3000), PAGE_ZERO, "a zero page is ZERO in the map");
}

static void second_clone(struct scene *s, struct vm *b)
{
	struct pager_clone_stats st;

	same(vm_check(b, DATA, 1), 0, "second clone: data as of the fork");
	same(vm_check(b, UNTOUCHED, 0), 0, "second clone: zeros");
	st = pg_clone_stats(&s->pg, b->handle);
	same((long long)st.fetched, 0, "second clone: nothing is fetched twice");
	same((long long)st.faults, 1000, "second clone: present pages raise no fault");
	same((long long)pg_image_stats(&s->pg, s->img.handle).clones, 2, "two clones are counted");
}

void test_clones(void)
{
	struct scene s;
	struct vm a, b;

	if (!scene_start(&s))
		return;
	vm_fill(&s.root, 0, RIG_PAGES, 2);
	if (!start_clone(&s, &a, 0) || !start_clone(&s, &b, 0))
		return;
	first_clone(&s, &a);
	second_clone(&s, &b);
	vm_fill(&a, 0, RIG_PAGES, 3);
	same(vm_check(&b, DATA, 1), 0, "a clone's writes are not seen by the other");
	same(vm_check(&s.root, 0, RIG_PAGES, 2), 0, "nor by the parent");
	same(vm_check(&a, 0, RIG_PAGES, 3), 0, "but by itself");
	same(pg_image_del(&s.pg, s.img.handle), -16, "an image in use is EBUSY");
	end_clone(&s, &a);
	end_clone(&s, &b);
	scene_end(&s);
}

/* Around the border between the two slots. */
#define AVOIDED		RIG_HALF - 50, 100

/* Pages that nobody has fetched yet: the first of them have data, the others are zeros. */
static void check_poison(struct scene *s)
{
	struct pager_clone_stats st;
	struct vm p;

	if (!start_clone(s, &p, PAGER_F_POISON))
		return;
	vm_avoid(&p, 3000 - 50, 100, true);
	same(vm_poisoned(&p, 3000 - 50, 50), 50, "POISON: avoided data is poison, with its gfn");
	same(vm_check(&p, 3000, 50, 0), 0, "POISON: avoided zeros are zeros");
	same(vm_check(&p, 0, 50, 1), 0, "POISON: what is not avoided is right");
	st = pg_clone_stats(&s->pg, p.handle);
	same((long long)st.poisoned, 50, "POISON: counted");
	same((long long)(st.avoided - st.avoided_write), 100, "avoided pages that were read");
	end_clone(s, &p);
}

void test_avoid(void)
{
	struct scene s;
	struct vm a, b, c;

	if (!scene_start(&s) || !start_clone(&s, &a, 0) || !start_clone(&s, &b, 0))
		return;
	vm_avoid(&a, AVOIDED, true);
	same(vm_check(&a, AVOIDED, 0), 0, "avoided pages are zeros, in both slots");
	same((long long)pg_clone_stats(&s.pg, a.handle).avoided, 100, "each is counted");
	same((long long)image_pages_in_file(&s.img), 0, "and leaves the image alone");
	same(image_state_of(&s.img, RIG_HALF), PAGE_ABSENT, "the page is still ABSENT");
	same(vm_check(&a, RIG_HALF - 51, 1, 1), 0, "the page before is fetched");
	same(vm_check(&a, RIG_HALF + 50, 1, 1), 0, "the page behind is fetched");
	check_poison(&s);
	same(vm_check(&b, DATA, 1), 0, "a clone that cares gets the data");
	same(vm_check(&a, AVOIDED, 0), 0, "the first one keeps its zeros");
	if (start_clone(&s, &c, PAGER_F_NO_AVOID)) {
		vm_avoid(&c, DATA, true);
		same(vm_check(&c, DATA, 1), 0, "NO_AVOID: the bitmap is ignored");
		end_clone(&s, &c);
	}
	end_clone(&s, &a);
	end_clone(&s, &b);
	scene_end(&s);
}

/*
 * What a clone has done to its pages before it forks in turn:
 *   0..499 overwritten, 500..999 read, 1000..1499 avoided and zeroed by a touch,
 *   1500..1999 avoided and not touched, 2000..2999 not touched, from 3000 on zeros.
 */
static void age(struct vm *a)
{
	vm_avoid(a, 1000, 1000, true);
	vm_fill(a, 0, 500, 3);
	same(vm_check(a, 500, 500, 1), 0, "clone: reads");
	same(vm_check(a, 1000, 500, 0), 0, "clone: touches what it avoids");
}

static void check_aged(struct vm *c, uint64_t seed, const char *who)
{
	ok(vm_check(c, 0, 500, seed) == 0, "%s: private pages of its parent", who);
	ok(vm_check(c, 500, 500, 1) == 0, "%s: pages its parent had read", who);
	ok(vm_check(c, 1000, 500, 0) == 0, "%s: pages its parent had zeroed", who);
	ok(vm_check(c, 1500, 500, 0) == 0, "%s: pages its parent did not care for", who);
	ok(vm_check(c, 2000, 1000, 1) == 0, "%s: pages its parent never touched", who);
	ok(vm_check(c, 3000, 1096, 0) == 0, "%s: zeros", who);
}

static void third_generation(struct scene *s, struct vm *c, const struct image_rig *second)
{
	struct image_rig third;
	struct vm d;

	vm_fill(c, 0, 500, 5);
	if (!same(image_take(&third, c, -1, second->handle), 0, "third fork") ||
	    !same(image_add(&s->pg, &third), 0, "third image"))
		return;
	vm_fill(c, 0, RIG_PAGES, 6);
	if (same(clone_start(&d, &third), 0, "third clone") &&
	    same(clone_add(&s->pg, &d, &third, 0), 0, "third clone is added")) {
		check_aged(&d, 5, "clone of a clone of a clone");
		end_clone(s, &d);
	}
	same(pg_image_del(&s->pg, third.handle), 0, "third image is removed");
	image_drop(&third);
}

void test_generations(void)
{
	struct image_rig second;
	struct scene s;
	struct vm a, c;
	uint64_t in_file;

	if (!scene_start(&s) || !start_clone(&s, &a, 0))
		return;
	age(&a);
	if (!same(image_take(&second, &a, -1, s.img.handle), 0, "the clone is snapshot") ||
	    !same(image_add(&s.pg, &second), 0, "its image is added"))
		return;
	in_file = image_pages_in_file(&s.img);
	same(pg_image_del(&s.pg, s.img.handle), -16, "a lower image is EBUSY");
	if (!same(clone_start(&c, &second), 0, "clone of a clone") ||
	    !same(clone_add(&s.pg, &c, &second, 0), 0, "it is added"))
		return;
	vm_fill(&a, 0, 500, 4);
	check_aged(&c, 3, "clone of a clone");
	same((long long)image_pages_in_file(&s.img), (long long)in_file,
	     "no hole of the lower image was filled");
	third_generation(&s, &c, &second);
	end_clone(&s, &c);
	same(pg_image_del(&s.pg, second.handle), 0, "the second image is removed");
	image_drop(&second);
	same(vm_check(&a, 2000, 1000, 1), 0, "the first clone goes on");
	same(vm_check(&a, 0, 500, 4), 0, "with its own pages");
	end_clone(&s, &a);
	scene_end(&s);
}
