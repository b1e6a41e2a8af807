// SPDX-License-Identifier: GPL-2.0-or-later
/* What goes wrong: the pager is killed, the image is full, the snapshot is gone. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"
#include "util.h"

#define KILLS		20
#define PAGES_PER_LIFE	20	/* KILLS times this is far below RIG_PAGES */
#define THREADS		4
#define FILL_PER_LIFE	64

static bool take_root(struct vm *root, struct image_rig *img, int file)
{
	if (!same(vm_start(root), 0, "a VM starts"))
		return false;
	vm_fill(root, 0, RIG_PAGES, 1);
	return same(image_take(img, root, file, 0), 0, "it is snapshot");
}

/* A new pager gets all that there is, as from a vmforkd. */
static int revive(struct pgproc *pg, const struct image_rig *img, const struct vm *clones,
		  unsigned int n)
{
	int err = pg_start(pg);

	if (!err)
		err = image_add(pg, img);
	for (unsigned int i = 0; i < n && !err; i++)
		err = clone_add(pg, &clones[i], img, 0);
	return err;
}

/* Let it serve some pages, then kill it in the middle of its work. */
static bool live_and_die(struct pgproc *pg, const struct image_rig *img)
{
	uint64_t before = pg_image_stats(pg, img->handle).present, now;

	do {
		now = pg_image_stats(pg, img->handle).present;
	} while (now < before + PAGES_PER_LIFE && now < RIG_PAGES);
	pg_kill(pg);
	return now < RIG_PAGES;
}

static unsigned int kill_often(struct pgproc *pg, const struct image_rig *img,
			       const struct vm *clones, unsigned int n)
{
	unsigned int kills = 0;

	while (kills < KILLS && live_and_die(pg, img)) {
		kills++;
		if (revive(pg, img, clones, n))
			break;
	}
	return kills;
}

static void restarts(uint64_t fill)
{
	struct vm root, clones[3];
	struct image_rig img;
	struct pgproc pg;

	if (!take_root(&root, &img, -1))
		return;
	img.fill = fill;
	img.fill_flags = PAGER_F_FILL_ALL;
	if (!same(clone_start(&clones[0], &img), 0, "a clone") ||
	    !same(clone_start(&clones[1], &img), 0, "another clone") ||
	    !same(revive(&pg, &img, clones, 2), 0, "the first pager serves them"))
		return;
	for (int i = 0; i < 2; i++)
		vm_order(&clones[i], TVM_CHECK, 0, RIG_PAGES, 1, THREADS);
	same(kill_often(&pg, &img, clones, 2), KILLS, "the pager was killed 20 times at work");
	for (int i = 0; i < 2; i++)
		same(vm_answer(&clones[i]), 0, "no thread is stuck, no byte is wrong");
	/* A page may have been written by a pager that did not live to note it. */
	same((long long)image_pages_in_file(&img), RIG_PAGES, "the image file is complete");
	ok(pg_image_stats(&pg, img.handle).present + KILLS * (fill ? 8 : 1) >= RIG_PAGES,
	   "each kill left at most one write that is not noted");
	same(clone_start(&clones[2], &img), 0, "a clone of the complete image");
	same(clone_add(&pg, &clones[2], &img, 0), 0, "is added");
	same(vm_check(&clones[2], 0, RIG_PAGES, 1), 0, "no byte of the image is wrong");
	same((long long)pg_clone_stats(&pg, clones[2].handle).faults, 0, "it never faults");
	for (int i = 0; i < 3; i++)
		vm_kill(&clones[i]);
	pg_stop(&pg);
	image_drop(&img);
	vm_kill(&root);
}

void test_restart(void)
{
	restarts(0);
}

/* The same while the image is filled in the background, too, a little in each life. */
void test_restart_fill(void)
{
	restarts(FILL_PER_LIFE);
}

/* A file on a tmpfs that can hold 256 pages, less what tmpfs needs. */
static int small_file(void)
{
	char dir[] = "/tmp/vmfork-test.XXXXXX";
	int fd, err;

	if (!mkdtemp(dir))
		return -errno;
	err = mount("tmpfs", dir, "tmpfs", 0, "size=1M,huge=never") < 0 ? -errno : 0;
	if (err) {
		rmdir(dir);
		return err;
	}
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	err = -errno;
	umount2(dir, MNT_DETACH);
	rmdir(dir);
	if (fd >= 0 && ftruncate(fd, RIG_PAGES * PAGER_PAGE_SIZE) < 0)
		return -errno;
	return fd < 0 ? err : fd;
}

/* The background fill leaves an eighth of 256 pages, and does not complain. */
static void check_reserve(struct pgproc *pg, const struct image_rig *img)
{
	uint64_t before, now = 0;

	do {
		before = now;
		usleep(100000);
		now = pg_image_stats(pg, img->handle).prefetched;
	} while (!now || now != before);
	ok(now > 128 && now <= 224, "the fill leaves room: %llu pages", (unsigned long long)now);
	same(pg->nevents, 0, "and says nothing");
}

static void check_full(struct pgproc *pg, struct vm *clones, const struct image_rig *img)
{
	struct pager_image_stats is;

	for (int i = 0; i < 2; i++) {
		struct pager_clone_stats st;

		same(vm_check(&clones[i], 0, RIG_PAGES, 1), 0, "full image: no byte is wrong");
		st = pg_clone_stats(pg, clones[i].handle);
		ok(st.private_copies >= RIG_PAGES - 256, "the rest are private copies");
	}
	is = pg_image_stats(pg, img->handle);
	ok(is.present > 0 && is.present <= 256, "%llu pages are in the image",
	   (unsigned long long)is.present);
	ok(is.nospace >= 2 * (RIG_PAGES - 256), "refused fills are counted");
	ok(pg_event(pg, PAGER_EV_NOSPACE, img->handle), "NOSPACE is said");
	for (unsigned int i = 0, n = 0; i <= pg->nevents; i++) {
		if (i < pg->nevents)
			n += pg->events[i].event == PAGER_EV_NOSPACE;
		else
			same(n, 1, "once");
	}
}

void test_nospace(void)
{
	struct vm root, clones[2];
	struct image_rig img;
	struct pgproc pg;
	int file = small_file();

	if (file < 0) {
		skip("mounting a tmpfs needs root", "image file system full");
		return;
	}
	if (!take_root(&root, &img, file) ||
	    !same(clone_start(&clones[0], &img), 0, "a clone") ||
	    !same(clone_start(&clones[1], &img), 0, "another clone"))
		return;
	img.fill = RIG_PAGES;
	img.fill_flags = PAGER_F_FILL_ALL;
	if (!same(revive(&pg, &img, clones, 2), 0, "the pager serves them"))
		return;
	check_reserve(&pg, &img);
	check_full(&pg, clones, &img);
	vm_kill(&clones[0]);
	vm_kill(&clones[1]);
	pg_stop(&pg);
	image_drop(&img);
	vm_kill(&root);
}

void test_snapshot_gone(void)
{
	struct vm root, clones[2];
	struct image_rig img;
	struct pgproc pg;

	if (!take_root(&root, &img, -1) ||
	    !same(clone_start(&clones[0], &img), 0, "a clone") ||
	    !same(clone_start(&clones[1], &img), 0, "another clone") ||
	    !same(revive(&pg, &img, clones, 2), 0, "the pager serves them"))
		return;
	same(vm_check(&clones[0], 0, 1000, 1), 0, "1000 pages while the snapshot lives");
	ok(image_end_snapshot(&img), "it ends");
	vm_order(&clones[0], TVM_CHECK, 1000, 1000, 1, 1);
	ok(pg_event(&pg, PAGER_EV_CLONE_LOST, clones[0].handle), "then the clone is LOST");
	same((long long)pg_clone_stats(&pg, clones[0].handle).errors, 1, "an error is counted");
	same(vm_check(&clones[1], 0, 1000, 1), 0, "a clone that needs no more lives on");
	same(pg_clone_del(&pg, clones[0].handle), 0, "the lost clone is removed");
	vm_kill(&clones[0]);
	same(pg_clone_del(&pg, clones[1].handle), 0, "the other one too");
	vm_kill(&clones[1]);
	same(pg_image_del(&pg, img.handle), 0, "and the image");
	pg_stop(&pg);
	image_drop(&img);
	vm_kill(&root);
}
