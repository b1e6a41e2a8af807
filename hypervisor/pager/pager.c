// SPDX-License-Identifier: GPL-2.0-or-later
/* The pager's tables, and what requests do to them. */
#include "pager.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>

#include "fill.h"
#include "log.h"
#include "util.h"

static struct image *find_image(struct pager *p, uint64_t handle)
{
	for (size_t i = 0; i < PAGER_IMAGES_MAX; i++) {
		if (p->images[i].handle == handle)
			return &p->images[i];
	}
	return NULL;
}

static struct clone *find_clone(struct pager *p, uint64_t handle)
{
	for (uint32_t i = 0; i < p->clones_end; i++) {
		if (p->clones[i].handle == handle)
			return &p->clones[i];
	}
	return NULL;
}

static struct clone *free_clone(struct pager *p)
{
	struct clone *c = find_clone(p, 0);

	if (c || p->clones_end == PAGER_CLONES_MAX)
		return c;
	return &p->clones[p->clones_end++];
}

static struct slots slots_of(const struct pager_req *req)
{
	struct slots s = { .n = req->nslots };

	for (uint32_t i = 0; i < s.n; i++)
		s.slot[i] = req->slots[i];
	return s;
}

static int take_bitmap(const struct pager_req *req, int *fd, struct avoid *ret_avoid)
{
	struct slots slots = slots_of(req);

	return avoid_init(ret_avoid, steal_fd(fd), req->bitmap_offset, req->bitmap_bytes, &slots);
}

/* The earlier image may be one of ours, with uses that are not written down yet. */
static void settle_records(struct pager *p)
{
	for (size_t i = 0; i < PAGER_IMAGES_MAX; i++) {
		if (p->images[i].handle)
			record_settle(&p->images[i].record);
	}
}

static void set_fill(struct pager *p, struct image *img, const struct pager_req *req)
{
	fill_begin(img, req->fill, req->flags & PAGER_F_FILL_ALL);
	for (uint32_t i = 0; i < p->clones_end; i++) {
		if (p->clones[i].handle && p->clones[i].image == img)
			fill_clone_begin(&p->clones[i]);
	}
	p->idle_work = true;
}

/* @fds: the record, and with PAGER_F_EARLIER an earlier one */
static int take_record(struct pager *p, struct image *img, const struct pager_req *req, int *fds)
{
	int err;

	if (!(req->flags & PAGER_F_RECORD))
		return 0;
	err = record_init(&img->record, steal_fd(&fds[0]), img->npages);
	if (err || !(req->flags & PAGER_F_EARLIER))
		return err;
	settle_records(p);
	record_seed(&img->record, fds[1]);
	return 0;
}

/* Return: how many of @fds, from the third on, it took; or a negative errno */
static int take_source(struct pager *p, const struct pager_req *req, int *fds,
		       struct source *source, struct image **ret_lower)
{
	struct image *lower = NULL;
	struct avoid frozen;
	int err;

	*ret_lower = NULL;
	if (req->source == PAGER_SOURCE_FILE) {
		source_none_init(source);
		return 0;
	}
	if (req->lower) {
		lower = find_image(p, req->lower);
		if (!lower)
			return -ENOENT;
		if (lower->npages != req->npages)
			return -EINVAL;
		err = take_bitmap(req, &fds[4], &frozen);
		if (err)
			return err;
	}
	source_snapshot_init(source, steal_fd(&fds[2]), steal_fd(&fds[3]), req->base,
			     lower ? &frozen : NULL);
	*ret_lower = lower;
	return lower ? 3 : 2;
}

static int image_add(struct pager *p, const struct pager_req *req, int *fds)
{
	struct image *lower, *img;
	struct source source;
	int err, used;

	if (find_image(p, req->handle))
		return 0;
	img = find_image(p, 0);
	if (!img)
		return -ENFILE;
	used = take_source(p, req, fds, &source, &lower);
	if (used < 0)
		return used;
	err = image_init(img, req->handle, req->npages, steal_fd(&fds[0]),
			 steal_fd(&fds[1]), lower, &source);
	if (err)
		return err;
	err = take_record(p, img, req, &fds[2 + used]);
	if (err) {
		image_fini(img);
		return err;
	}
	set_fill(p, img, req);
	return 0;
}

static int image_fill_more(struct pager *p, const struct pager_req *req)
{
	struct image *img = find_image(p, req->handle);

	if (!img)
		return -ENOENT;
	set_fill(p, img, req);
	return 0;
}

static int image_del(struct pager *p, const struct pager_req *req)
{
	struct image *img = find_image(p, req->handle);

	if (!img)
		return -ENOENT;
	if (img->users)
		return -EBUSY;
	image_fini(img);
	return 0;
}

int watch_add(int epoll, int fd, enum watch kind, uint32_t index)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = watch_data(kind, index) };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

void pager_stop_serving(struct pager *p, struct clone *c)
{
	epoll_ctl(p->epoll, EPOLL_CTL_DEL, c->link.fd, NULL);
}

/* Serve it, then wake all: faults that an earlier pager had read come again. */
static int start_serving(struct pager *p, struct clone *c)
{
	int err = watch_add(p->epoll, c->link.fd, WATCH_CLONE, (uint32_t)(c - p->clones));

	if (err)
		return err;
	err = c->link.ops->wake(&c->link, 0, c->link.npages);
	if (err)
		pager_stop_serving(p, c);
	return err;
}

static int clone_add(struct pager *p, const struct pager_req *req, int *fds)
{
	struct avoid avoid = { .fd = -1 };
	struct image *img;
	struct vmlink link;
	struct clone *c;
	int err;

	if (find_clone(p, req->handle))
		return 0;
	c = free_clone(p);
	if (!c)
		return -ENFILE;
	img = find_image(p, req->image);
	if (!img)
		return -ENOENT;
	if (img->npages != req->npages)
		return -EINVAL;
	if (!(req->flags & PAGER_F_NO_AVOID)) {
		err = take_bitmap(req, &fds[1], &avoid);
		if (err)
			return err;
	}
	err = vmlink_open(&link, req, &fds[0], img->file);
	if (err) {
		avoid_fini(&avoid);
		return err;
	}
	clone_init(c, req->handle, img, &link, &avoid);
	c->poison = req->flags & PAGER_F_POISON;
	fill_clone_begin(c);
	err = start_serving(p, c);
	/* what an earlier pager left in a ring raises no event */
	if (!err && clone_serve(c) < 0) {
		err = c->lost;
		pager_stop_serving(p, c);
	}
	if (err)
		clone_fini(c);
	p->idle_work = true;
	return err;
}

static int clone_del(struct pager *p, const struct pager_req *req)
{
	struct clone *c = find_clone(p, req->handle);

	if (!c)
		return -ENOENT;
	if (!c->lost)
		pager_stop_serving(p, c);
	clone_fini(c);
	return 0;
}

static int clone_stats(struct pager *p, const struct pager_req *req, struct pager_rep *rep)
{
	struct clone *c = find_clone(p, req->handle);

	if (!c)
		return -ENOENT;
	rep->clone = c->stats;
	return 0;
}

static int image_stats(struct pager *p, const struct pager_req *req, struct pager_rep *rep)
{
	struct image *img = find_image(p, req->handle);

	if (!img)
		return -ENOENT;
	rep->image = img->stats;
	record_stats(&img->record, &rep->image);
	return 0;
}

static int dispatch(struct pager *p, const struct pager_req *req, int *fds,
		    struct pager_rep *rep)
{
	switch (req->op) {
	case PAGER_IMAGE_ADD:
		return image_add(p, req, fds);
	case PAGER_IMAGE_DEL:
		return image_del(p, req);
	case PAGER_IMAGE_FILL:
		return image_fill_more(p, req);
	case PAGER_CLONE_ADD:
		return clone_add(p, req, fds);
	case PAGER_CLONE_DEL:
		return clone_del(p, req);
	case PAGER_CLONE_STATS:
		return clone_stats(p, req, rep);
	case PAGER_IMAGE_STATS:
		return image_stats(p, req, rep);
	default:
		return 0;
	}
}

void pager_request(struct pager *p, const struct pager_req *req, int *fds,
		   struct pager_rep *rep)
{
	*rep = (struct pager_rep){ .seq = req->seq, .handle = req->handle };
	rep->result = dispatch(p, req, fds, rep);
	log_debug("request %u of %llu: %d", req->op, (unsigned long long)req->handle,
		  rep->result);
}

/* Clones of different images take turns; those of one image do the same work. */
void pager_idle(struct pager *p)
{
	for (uint32_t i = 0; i < p->clones_end; i++) {
		struct clone *c = &p->clones[p->idle_at++ % p->clones_end];

		if (!c->handle || c->lost)
			continue;
		if (fill_step(c->image, &c->avoid) || fill_clone_step(c))
			return;
	}
	p->idle_work = false;
}
